"""A client for asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Mapping, Optional

from .. import _connect, _outcome
from .. import cluster as _cluster
from .. import election as _election
from .. import kept_service as _kept_service
from .. import lock as _lock
from .. import request
from .. import semaphore as _semaphore
from .._closing import AsyncClosing
from .._connect import connect
from .._convert import Value, uint64
from .._endpoints import endpoints
from .._holding import AnyHolder
from .._library import lib
from .._memory import c_text
from ..embedded import EmbeddedAgent
from ..health_report import HealthReport
from ..request import Parameter
from ..results import EndpointStats, Response
from ..specs import ServiceSpec, SessionSpec
from ._core import Awaiting
from ._endpoints import EndpointChanges
from .cluster import AsyncCluster
from .election import AsyncElection
from .kept_service import AsyncKeptService
from .lock import AsyncLock
from .semaphore import AsyncSemaphore
from .watch import AsyncWatches

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .._awaitable import (
        Acl,
        Agent,
        Catalog,
        Events,
        Health,
        Kv,
        Operator,
        Sessions,
        Snapshots,
        Status,
        Txn,
    )
    from .._settings import CallOptions, LockOptions, Settings
    from ..health_report import HealthStatus
else:
    from ..acl import Acl
    from ..agent import Agent
    from ..catalog import Catalog
    from ..event import Events
    from ..health import Health
    from ..kv import Kv
    from ..operator import Operator
    from ..snapshot import Snapshots
    from ..status import Status
    from ..txn import Txn
    from .kept_session import AsyncSessions as Sessions


class AsyncClient(AsyncClosing):
    """As `consul_ffi.Client`, for one event loop: that of its first call. It may be made anywhere,
    also before a `fork`.

    As an asynchronous context manager it is closed at the end of the block."""

    def __init__(self, *, environment: bool = True, **settings: Unpack[Settings]) -> None:
        self._core = core = Awaiting(connect(environment, settings))
        self._changes: Optional[EndpointChanges] = None
        #: Keys and values.
        self.kv = Kv(core)
        #: Sessions.
        self.session = Sessions(core)
        #: Where services run, and how they are.
        self.health = Health(core)
        #: The agent, and what is registered there.
        self.agent = Agent(core)
        #: Nodes and services, as the servers know them.
        self.catalog = Catalog(core)
        #: User events.
        self.event = Events(core)
        #: The servers of the datacenter.
        self.status = Status(core)
        #: Tokens, policies and roles.
        self.acl = Acl(core)
        #: How the cluster is run.
        self.operator = Operator(core)
        #: The state of the servers in a file.
        self.snapshot = Snapshots(core)
        #: What changes, as it changes.
        self.watch = AsyncWatches(core)

    @property
    def endpoint(self) -> str:
        """Where its calls go, such as `http://127.0.0.1:8500`; empty once it is closed."""
        return c_text(lib.consul_client_endpoint(self._core.handle.value))

    def reload(self, *, environment: bool = True, **settings: Unpack[Settings]) -> None:
        """Takes these settings from now on, as the constructor takes them: addresses, token, TLS,
        limits, times, all of them. No call fails for it, and sessions, locks, watches and services
        live on. After an error nothing has changed."""
        _connect.reload(self._core.native, environment, settings)

    def set_token(self, token: Optional[str]) -> None:
        """Takes this token from now on, and registers anew what is kept registered with the
        client's; None for the token that was configured."""
        _connect.set_token(self._core.native, token)

    def endpoints(self) -> list[EndpointStats]:
        """How each of its addresses is getting on, in the order of the setting `address`. Makes no
        request."""
        return endpoints(self._core.handle.value)

    def endpoint_changes(self) -> EndpointChanges:
        """Tells from now on when addresses have failed, serve again, or calls go to another one:
        `async for changes in client.endpoint_changes()` gives lists of EndpointChange, until the client
        is closed. One at a time: another one takes its place, and ends it."""
        if self._changes is not None:
            self._changes.end()
        self._changes = EndpointChanges(self._core)
        return self._changes

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
    ) -> AsyncLock:
        """As `Client.lock`, for `async with` or for its `acquire`."""
        fields = {"value": value, "adopt": adopt, "monitor_retry_ms": monitor_retry_ms}
        limits = session, acquire_timeout_ms
        return _lock.new(AsyncLock, self._core, key, *limits, fields, options)

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
    ) -> AsyncSemaphore:
        """As `Client.semaphore`, for `async with` or for its `acquire`."""
        fields = {"value": value, "monitor_retry_ms": monitor_retry_ms}
        held = session, acquire_timeout_ms
        return _semaphore.new(AsyncSemaphore, self._core, prefix, limit, *held, fields, options)

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
    ) -> AsyncElection:
        """As `Client.election`, in the running loop."""
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
        handle = _election.start(self._core, key, fields, options)
        return AsyncElection(self._core, key, handle)

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
    ) -> AsyncKeptService:
        """As `Client.service`, for `async with` or for its `start`."""
        fields = {
            "ttl_ms": ttl_ms,
            "must_pat": must_pat,
            "status": status,
            "note": note,
            "deregister_after_ms": deregister_after_ms,
        }
        return _kept_service.new(AsyncKeptService, self._core, spec, fields, options)

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
    ) -> AsyncCluster:
        """As `Client.cluster`, in the running loop."""
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
        return AsyncCluster(self._core, _cluster.join(self._core, id, address, fields, options))

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
    ) -> asyncio.Future[Response]:
        """As `Client.request`."""
        future = request.send(self._core, method, path, body, query, content_type, options)
        return future  # type: ignore[return-value]

    async def close(self, timeout_ms: int = 5000) -> None:
        """As `Client.close`, while the loop goes on. Calls in flight end with Closed."""
        limit, core = uint64(timeout_ms, "timeout_ms"), self._core
        try:
            if core.handle.value is not None:
                await core.begin(_outcome.check, lib.consul_client_close_async, core.handle, limit)
        finally:
            core.native.free()
            core.detach()

    def __repr__(self) -> str:
        return f"<consul_ffi.aio.AsyncClient {self.endpoint or 'closed'}>"
