"""What calls give: named tuples, and lists of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable, List, NamedTuple, Optional, TypeVar

if TYPE_CHECKING:
    from ._error import ConsulError

T = TypeVar("T")


@dataclass(frozen=True)
class Meta:
    """What the headers of an answer say; 0 and False where Consul did not send one."""

    #: What a blocking query waits on.
    index: int
    #: How long ago the answering server heard from the leader.
    last_contact_ms: int
    #: How long a cached answer has been without contact to the servers.
    cache_age_s: int
    #: Whether the answering server knew a leader.
    known_leader: bool
    #: Whether the agent answered from its cache.
    cache_hit: bool


class Rows(List[T]):
    """The rows of one answer: a list with the `meta` of the answer."""

    __slots__ = ("meta",)

    #: What the headers of the answer say.
    meta: Meta

    def __init__(self, rows: Iterable[T], meta: Meta) -> None:
        super().__init__(rows)
        self.meta = meta


class Pair(NamedTuple):
    """A key with its value."""

    key: str
    value: bytes
    #: A number of 64 bits that belongs to the programs that use the key.
    flags: int
    #: The id of the session that holds the key.
    session: Optional[str]
    #: How often the key was acquired; no fencing token, since it can start again.
    lock_index: int
    #: The index of the write that made the key.
    create_index: int
    #: The index of the last write, for a compare-and-set.
    modify_index: int

    @property
    def text(self) -> str:
        """The value as text; UnicodeDecodeError when it is no UTF-8."""
        return self.value.decode()


class ServiceCheckRef(NamedTuple):
    """A check of a service that ends a session when it is critical."""

    id: str
    #: Its namespace (Consul Enterprise).
    namespace: str = ""


class Session(NamedTuple):
    """A session as Consul has it."""

    id: str
    name: str
    node: str
    namespace: Optional[str]
    partition: Optional[str]
    node_checks: tuple[str, ...]
    service_checks: tuple[ServiceCheckRef, ...]
    #: It ends when it is not renewed for this time; 0 when it needs no renewal.
    ttl_ms: int
    #: How long its keys cannot be acquired after it ended while holding them.
    lock_delay_ms: int
    #: What happens to its keys when it ends: `"release"` or `"delete"`.
    behavior: str
    create_index: int
    modify_index: int


class Check(NamedTuple):
    """A health check and what it found last."""

    node: str
    id: str
    name: str
    #: `"passing"`, `"warning"` or `"critical"`; the catalog takes any other word too.
    status: str
    notes: str
    output: str
    #: The service that it is about; None when it is about the whole node.
    service_id: Optional[str]
    service: Optional[str]
    service_tags: tuple[str, ...]
    #: How it checks, such as `"ttl"` or `"http"`; empty where Consul does not tell.
    kind: str
    create_index: int
    modify_index: int


class Node(NamedTuple):
    """A machine that an agent runs on, or that was registered from outside."""

    name: str
    id: str
    address: str
    datacenter: str
    tagged_addresses: dict[str, str]
    meta: dict[str, str]
    create_index: int
    modify_index: int


class Address(NamedTuple):
    """One of a service's addresses."""

    address: str
    port: int = 0


class Weights(NamedTuple):
    """How much of the traffic an instance shall get, compared with the others."""

    passing: int = 1
    warning: int = 1


class Service(NamedTuple):
    """An instance of a service."""

    id: str
    name: str
    #: Where it listens; empty means at its node's address.
    address: str
    port: int
    #: What it is when it is no plain service, such as `"connect-proxy"`.
    kind: Optional[str]
    tags: tuple[str, ...]
    meta: dict[str, str]
    tagged_addresses: dict[str, Address]
    weights: Weights
    enable_tag_override: bool
    #: How a proxy is set up, and how it takes part in the service mesh: JSON.
    proxy_json: Optional[str]
    connect_json: Optional[str]
    #: What `client.agent.service` compares to tell whether it has changed.
    content_hash: Optional[str]
    create_index: int
    modify_index: int


class Instance(NamedTuple):
    """An instance of a service with its node and the checks of both."""

    service: Service
    node: Node
    checks: tuple[Check, ...]
    #: Where to connect to: the instance's address, or else its node's.
    address: str
    port: int
    #: What the checks come to: `"passing"`, `"warning"`, `"critical"` or `"maintenance"`; None
    #: where no checks are told.
    status: Optional[str]


class ServiceName(NamedTuple):
    """The name of a service with the tags of all its instances."""

    name: str
    tags: tuple[str, ...]


class NodeServices(NamedTuple):
    """A node with the services on it."""

    node: Node
    services: Rows[Service]


class UserEvent(NamedTuple):
    """An event that somebody fired."""

    id: str
    name: str
    payload: bytes
    #: Regular expressions of the nodes, the services and the tags it is meant for; empty means all.
    node_filter: str
    service_filter: str
    tag_filter: str
    #: When it was fired, by the Lamport clock of the gossip.
    ltime: int


class Member(NamedTuple):
    """A member of the gossip pool."""

    name: str
    address: str
    port: int
    #: `"alive"`, `"leaving"`, `"left"`, `"failed"` or `"none"`.
    status: str
    tags: dict[str, str]
    is_server: bool


class RaftPeer(NamedTuple):
    """A server as Raft has it."""

    id: str
    #: The name of its node; `"(unknown)"` for one that is no member any more.
    node: str
    #: Its address for Raft.
    address: str
    protocol_version: str
    is_leader: bool
    is_voter: bool


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot says of itself."""

    id: str
    #: The index of the last change that is in it.
    index: int
    #: The term of Raft in which that was.
    term: int
    #: The version of its format.
    version: int
    #: How many bytes of state are in it, uncompressed.
    size: int


class AgentInfo(NamedTuple):
    """Who an agent is."""

    node_name: str
    node_id: str
    datacenter: str
    version: str
    is_server: bool
    #: All that the agent tells of itself, as JSON.
    json: str


class TxnObject(NamedTuple):
    """A node, service or check that an operation of a transaction gave, as Consul's API writes
    it."""

    #: `"node"`, `"service"` or `"check"`.
    kind: str
    data: Any


class TxnError(NamedTuple):
    """Why a transaction was rolled back."""

    #: The operation that failed, counted from 0.
    operation: int
    #: The reason, in Consul's words.
    what: str
    #: The token may not do the operation.
    denied: bool


class Response(NamedTuple):
    """The answer to a request of any kind."""

    #: The HTTP status.
    status: int
    body: bytes
    content_type: str
    meta: Meta

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON says it."""
        return json.loads(self.body)


class Reencryption(NamedTuple):
    """How many keys a re-encryption met, by what became of them."""

    #: Their values were under an old key or plain, and are under `encryption_key` now.
    rewritten: int
    #: Their values were under `encryption_key` already.
    current: int
    #: Left as they are, since a session holds the key: its holder writes it.
    held: int
    #: Left as they are, since no prefix of `encryption_prefixes` covers the key.
    outside: int
    #: Left as they are, since they cannot be decrypted, or are plain where that is not allowed. Each
    #: is a warning in the log.
    failed: int


class Progress(NamedTuple):
    """How a session, a lock or a service that the library keeps up is getting on."""

    #: A session: `"kept"`, `"stopped"`, `"ending"`, `"ended"`, `"recreating"`. A lock: `"free"`,
    #: `"acquiring"`, `"held"`, `"releasing"`, `"lost"`. An election: `"campaigning"`, `"leading"`,
    #: `"observing"`, `"closed"`. A service: `"stopped"`, `"registering"`,
    #: `"registered"`, `"leaving"`, `"closed"`.
    state: str
    #: How long ago Consul said last that all is well; `math.inf` when it never did.
    last_success_ms: float
    #: In how long Consul is asked again; `math.inf` when it is not.
    next_try_ms: float
    #: How many tries have failed since the last success.
    consecutive_failures: int
    #: What went wrong last, however long ago.
    last_error: Optional[ConsulError]


class EndpointStats(NamedTuple):
    """How an address of a client is getting on."""

    #: The address, such as `"http://127.0.0.1:8500"`.
    address: str
    #: `"up"`, `"no leader"` or `"down"`.
    state: str
    #: Whether calls go there at the moment.
    is_in_use: bool
    #: The requests that were sent there.
    requests: int
    #: Those of them that were not served there: no answer, no leader, or beyond its limits.
    failures: int
    #: How many failed since the last one that was served.
    consecutive_failures: int
    #: How long ago it answered last; `math.inf` when it never did.
    last_answer_ms: float
    #: What went wrong last, however long ago.
    last_error: Optional[ConsulError]
    #: The requests that are with it now, of all clients of the process; those that wait for one of
    #: `max_connections` are not among them.
    in_flight: int
    #: The open connections to it, idle ones included, of all clients of the process.
    connections: int


class EndpointChange(NamedTuple):
    """An address of a client that is not as it was when it was told of last."""

    #: The address, such as `"http://127.0.0.1:8500"`.
    address: str
    #: `"up"`, `"no leader"` or `"down"`.
    state: str
    #: How it was: the same where it has changed and changed back, or where calls began or ceased to
    #: go there and nothing else.
    state_before: str
    #: Whether calls go there now.
    is_in_use: bool
    #: Whether they did.
    was_in_use: bool
    #: How many changes have come together.
    changes: int
    #: What is wrong with it, or was at the last change that said so.
    reason: Optional[ConsulError]


class LogRecord(NamedTuple):
    """Something that happened."""

    #: `"error"`, `"warning"`, `"info"` or `"debug"`.
    level: str
    #: What it is about: `"client"`, `"session"`, `"lock"` or `"registration"`.
    area: str
    #: When it happened, in milliseconds since 1970.
    time_ms: int
    #: One line for people.
    message: str
