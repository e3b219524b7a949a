"""A client, and the settings it is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional

from . import _connect, cluster, election, kept_service, lock, request, semaphore
from ._call import Blocking
from ._closing import Closing
from ._connect import connect
from ._convert import Value, uint64
from ._endpoints import endpoints, set_queue
from ._holding import AnyHolder
from ._library import lib
from ._memory import c_text
from .acl import Acl
from .agent import Agent
from .catalog import Catalog
from .cluster import Cluster
from .election import Election
from .health import Health
from .embedded import EmbeddedAgent
from .event import Events
from .health_report import HealthReport
from .kept_service import KeptService
from .kv import Kv
from .lock import Lock
from .operator import Operator
from .queue import Later, Queue, Ticket
from .request import Parameter
from .results import EndpointChange, EndpointStats, Response
from .semaphore import Semaphore
from .session import Sessions
from .snapshot import Snapshots
from .specs import ServiceSpec, SessionSpec
from .status import Status
from .txn import Txn
from .watch import Watches

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._settings import CallOptions, LockOptions, Settings
    from .health_report import HealthStatus


class Client(Closing):
    """Talks to a Consul agent, or to the servers of one cluster. One is enough for a process; any number of threads may use it at
    once. Making one opens no connection.

    The keyword arguments are the settings of docs/settings.md. What is not set comes from the
    environment (`CONSUL_HTTP_ADDR` and the other official names), unless `environment` is False.
    Ctrl-C ends a call that blocks, unless `interruptible` is False.

    As a context manager it is closed at the end of the block."""

    def __init__(self, *, environment: bool = True, **settings: Unpack[Settings]) -> None:
        self._core = Blocking(connect(environment, {"interruptible": True, **settings}))
        #: Keys and values.
        self.kv = Kv(self._core)
        #: Sessions.
        self.session = Sessions(self._core)
        #: Where services run, and how they are.
        self.health = Health(self._core)
        #: The agent, and what is registered there.
        self.agent = Agent(self._core)
        #: Nodes and services, as the servers know them.
        self.catalog = Catalog(self._core)
        #: User events.
        self.event = Events(self._core)
        #: The servers of the datacenter.
        self.status = Status(self._core)
        #: Tokens, policies and roles.
        self.acl = Acl(self._core)
        #: How the cluster is run.
        self.operator = Operator(self._core)
        #: The state of the servers in a file.
        self.snapshot = Snapshots(self._core)
        #: What changes, as it changes.
        self.watch = Watches(self._core.native)

    @property
    def endpoint(self) -> str:
        """Where its calls go, such as `http://127.0.0.1:8500`; empty once it is closed."""
        return c_text(lib.consul_client_endpoint(self._core.handle.value))

    def reload(self, *, environment: bool = True, **settings: Unpack[Settings]) -> None:
        """Takes these settings from now on, as the constructor takes them: addresses, token, TLS,
        limits, times, all of them. No call fails for it, and sessions, locks, watches and services
        live on. After an error nothing has changed."""
        _connect.reload(self._core.native, environment, {"interruptible": True, **settings})

    def set_token(self, token: Optional[str]) -> None:
        """Takes this token from now on, and registers anew what is kept registered with the
        client's; None for the token that was configured."""
        _connect.set_token(self._core.native, token)

    def endpoints(self) -> list[EndpointStats]:
        """How each of its addresses is getting on, in the order of the setting `address`. Makes no
        request."""
        return endpoints(self._core.handle.value)

    def set_endpoint_queue(
        self, queue: Optional[Queue]
    ) -> Optional[Ticket[list[EndpointChange]]]:
        """Has changes of its addresses arrive in this queue from now on, and in no other: the ticket
        comes each time that some have failed, serve again, or calls go to another one, which are its
        `result()`, until it is cancelled; it raises Closed once the client is closed. However often an
        address changes before that is taken, it is one entry of one list. None ends that."""
        return set_queue(self._core.handle.value, queue)

    def on(self, queue: Queue) -> Later:
        """The same client for calls that do not wait: each returns a Ticket at once, and its end
        arrives in the queue."""
        return Later(self._core.native, queue)

    def txn(self) -> Txn:
        """A transaction, to be put together and committed."""
        return Txn(self._core)

    def lock(
        self,
        key: str,
        *,
        value: Value = b"",
        session: Optional[AnyHolder] = None,
        acquire_timeout_ms: Optional[int] = None,
        adopt: bool = False,
        monitor_retry_ms: Optional[int] = None,
        **options: Unpack[LockOptions],
    ) -> Lock:
        """Makes a lock on a key, for `with` or for its `acquire`; sends nothing yet.

        `value` is the key's while it is held. `session` is what to hold it with: an id, a session
        of `client.session.start`, or a SessionSpec for the lock's own, whose TTL is 15 s otherwise.
        `acquire_timeout_ms` is how long `with` waits before it raises Held; for ever otherwise.
        `adopt` takes the key over even if it was used for something else than a lock.
        `monitor_retry_ms` is for how long the key may be unreadable before the lock counts as lost;
        the session's TTL otherwise."""
        fields = {"value": value, "adopt": adopt, "monitor_retry_ms": monitor_retry_ms}
        return lock.new(Lock, self._core, key, session, acquire_timeout_ms, fields, options)

    def semaphore(
        self,
        prefix: str,
        limit: int,
        *,
        value: Value = b"",
        session: Optional[AnyHolder] = None,
        acquire_timeout_ms: Optional[int] = None,
        monitor_retry_ms: Optional[int] = None,
        **options: Unpack[LockOptions],
    ) -> Semaphore:
        """Makes a semaphore whose `limit` slots are shared by all who use the prefix, for `with` or for
        its `acquire`; sends nothing yet. An object holds one slot.

        `value` is that of the holder's entry. `session` is what to hold the slot with, as of
        `lock`; `acquire_timeout_ms` is how long `with` waits before it raises Held; for ever
        otherwise. `monitor_retry_ms` is for how long Consul may be unreadable before the slot
        counts as lost; the session's TTL otherwise."""
        fields = {"value": value, "monitor_retry_ms": monitor_retry_ms}
        held = session, acquire_timeout_ms
        return semaphore.new(Semaphore, self._core, prefix, limit, *held, fields, options)

    def election(
        self,
        key: str,
        *,
        value: Optional[Value] = None,
        session_ttl_ms: Optional[int] = None,
        lock_delay_ms: Optional[int] = None,
        ephemeral: Optional[bool] = None,
        session: Optional[SessionSpec] = None,
        adopt: Optional[bool] = None,
        observe_only: bool = False,
        monitor_retry_ms: Optional[int] = None,
        **options: Unpack[LockOptions],
    ) -> Election:
        """Starts an election by a key: observes it, and campaigns unless `observe_only`. That Consul
        is away is no error.

        `value` is what the others read while this one leads. `session_ttl_ms` and `lock_delay_ms`
        are 15,000 unless set; `session` is what its session shall be otherwise. With `ephemeral` the
        key goes with its leader. `adopt=False` leaves a key alone that was written without flags, as
        by a program that knew nothing of locks. `monitor_retry_ms` is for how long the key may be
        unreadable before the leader counts as lost; the session's TTL otherwise."""
        fields = {
            "value": value,
            "session_ttl_ms": session_ttl_ms,
            "lock_delay_ms": lock_delay_ms,
            "ephemeral": ephemeral,
            "session": session,
            "adopt": adopt,
            "observe_only": observe_only,
            "monitor_retry_ms": monitor_retry_ms,
        }
        handle = election.start(self._core, key, fields, options)
        return Election(self._core, key, handle)

    def service(
        self,
        spec: ServiceSpec,
        *,
        ttl_ms: Optional[int] = None,
        must_pat: Optional[bool] = None,
        status: Optional[HealthStatus] = None,
        note: Optional[str] = None,
        deregister_after_ms: Optional[int] = None,
        **options: Unpack[LockOptions],
    ) -> KeptService:
        """Makes a service that stays registered, for `with` or for its `start`; sends nothing yet.

        A heartbeat in the background tells the agent that the program lives: without it for
        `ttl_ms`, 15 s otherwise, the service turns critical; 0 means no heartbeat. With `must_pat`
        it turns critical too when the program does not `pat` once a TTL. `status` and `note` are
        what it is until the program says otherwise. After `deregister_after_ms` of being critical
        the agent deregisters it, which is for programs that were killed."""
        fields = {
            "ttl_ms": ttl_ms,
            "must_pat": must_pat,
            "status": status,
            "note": note,
            "deregister_after_ms": deregister_after_ms,
        }
        return kept_service.new(KeptService, self._core, spec, fields, options)

    def cluster(
        self,
        id: str,
        address: str = "",
        *,
        weight: Optional[int] = None,
        meta: Optional[Mapping[str, str]] = None,
        prefix: Optional[str] = None,
        nodes_prefix: Optional[str] = None,
        leader_key: Optional[str] = None,
        ttl_ms: Optional[int] = None,
        min_nodes: Optional[int] = None,
        campaigns: Optional[bool] = None,
        lock_delay_ms: Optional[int] = None,
        leave_after_ms: Optional[int] = None,
        join_after_ms: Optional[int] = None,
        outage_hold_ms: Optional[int] = None,
        **options: Unpack[LockOptions],
    ) -> Cluster:
        """Joins a cluster as the node of this id, which no other member has: begins to, and goes on in
        the background until it is left. That Consul is away is no error: `wait_joined` tells when it
        has worked.

        Its keys are under `prefix`, `tsdb/cluster/` unless set: the nodes under `nodes/` there or
        `nodes_prefix`, the leader at `leader` there or `leader_key`. It lives by a session of
        `ttl_ms`, 15,000 unless set, and runs for leader unless `campaigns` is False; when a leader
        dies nobody can lead for `lock_delay_ms`, 15,000. A node whose
        session ended stays in the ring for `leave_after_ms`, 5,000; one that comes back later has to
        last for `join_after_ms`, 10,000; when more than half of the ring is lost together, it stays
        for `outage_hold_ms`, 60,000."""
        fields = {
            "weight": weight,
            "meta": meta,
            "prefix": prefix,
            "nodes_prefix": nodes_prefix,
            "leader_key": leader_key,
            "ttl_ms": ttl_ms,
            "min_nodes": min_nodes,
            "campaigns": campaigns,
            "lock_delay_ms": lock_delay_ms,
            "leave_after_ms": leave_after_ms,
            "join_after_ms": join_after_ms,
            "outage_hold_ms": outage_hold_ms,
        }
        return Cluster(self._core, cluster.join(self._core, id, address, fields, options))

    def health_report(self) -> HealthReport:
        """A report on the program's own health, which also tells how this client's services, locks
        and sessions are getting on."""
        return HealthReport(self._core.native)

    def embedded(self) -> EmbeddedAgent:
        """The agent in memory of a client whose address is `embedded:`: its clock, and faults to
        order. Raises Unsupported when it is another one."""
        return EmbeddedAgent(self._core.native)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Optional[Mapping[str, Parameter]] = None,
        content_type: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> Response:
        """Sends any request. The path begins with `/v1/` and is percent-encoded; `query` is encoded
        here. A body that is neither bytes nor a text is sent as JSON. A 404 is an answer like
        others: `response.status`. Other failures raise."""
        return request.send(self._core, method, path, body, query, content_type, options)

    def close(self, timeout_ms: int = 5000) -> None:
        """Ends the client: the services that it keeps registered are deregistered, its locks
        released, the sessions that it keeps alive destroyed, its threads waited for. Raises Timeout
        when it took longer: what is left at Consul ends by its TTL. Harmless when it was closed
        before."""
        self._core.native.close(uint64(timeout_ms, "timeout_ms"))

    def __repr__(self) -> str:
        return f"<consul_ffi.Client {self.endpoint or 'closed'}>"
