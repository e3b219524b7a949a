"""A Consul client on the native library `libconsul_ffi`.

    import consul_ffi

    with consul_ffi.Client() as client:
        client.kv.put("app/greeting", "hello")
        pair = client.kv.get("app/greeting")    # None when there is no such key
        print(pair.text, pair.modify_index)

What Consul answers is a result, also when the answer is no: `None` for what does not exist, `False`
for a compare-and-set that lost or a lock that somebody else holds. What went wrong is an exception:
`ConsulError`, with one class a status. docs/python.md has it all.
"""

from __future__ import annotations

from . import errors, log
from ._abi import VERSION as __version__
from ._background import sweep as _sweep
from ._holding import Lost
from ._library import PATH as library_path
from ._library import lib as _lib
from ._memory import c_text as _c_text
from ._settings import CallOptions, LockOptions, Settings
from .client import Client
from .cluster import Cluster, ClusterNode
from .election import Election, Leadership
from .embedded import EmbeddedAgent
from .errors import *  # noqa: F403
from .health_report import HealthReport
from .kept_service import KeptService
from .kept_session import KeptSession
from .lock import Lock
from .queue import Later, Queue, Ticket
from .results import (
    Address,
    AgentInfo,
    Check,
    Instance,
    LogRecord,
    Member,
    Meta,
    Node,
    NodeServices,
    Pair,
    EndpointChange,
    EndpointStats,
    Progress,
    RaftPeer,
    Reencryption,
    Response,
    Rows,
    Service,
    ServiceCheckRef,
    ServiceName,
    Session,
    Snapshot,
    TxnError,
    TxnObject,
    UserEvent,
    Weights,
)
from .ring import Ring
from .semaphore import Semaphore
from .snapshot import inspect_snapshot
from .specs import CatalogCheck, CheckSpec, Docker, Registration, ServiceSpec, SessionSpec
from .txn import RolledBack, Txn
from .view import (
    ChecksView,
    EventsView,
    InstancesView,
    KeyView,
    Lease,
    NodesView,
    PairsView,
    PathView,
    ServiceNamesView,
    View,
)
from .watch import Watch, WatchStats

__all__ = [
    "Address",
    "AgentInfo",
    "CallOptions",
    "CatalogCheck",
    "Check",
    "CheckSpec",
    "ChecksView",
    "Client",
    "Cluster",
    "ClusterNode",
    "Docker",
    "Election",
    "EmbeddedAgent",
    "EventsView",
    "HealthReport",
    "Instance",
    "InstancesView",
    "KeptService",
    "KeptSession",
    "KeyView",
    "Later",
    "Leadership",
    "Lease",
    "Lock",
    "LockOptions",
    "LogRecord",
    "Lost",
    "Member",
    "Meta",
    "Node",
    "NodeServices",
    "NodesView",
    "Pair",
    "PairsView",
    "PathView",
    "EndpointChange",
    "EndpointStats",
    "Progress",
    "Queue",
    "RaftPeer",
    "Reencryption",
    "Registration",
    "Response",
    "Ring",
    "RolledBack",
    "Rows",
    "Semaphore",
    "Service",
    "ServiceCheckRef",
    "ServiceName",
    "ServiceNamesView",
    "ServiceSpec",
    "Session",
    "SessionSpec",
    "Settings",
    "Snapshot",
    "Ticket",
    "Txn",
    "TxnError",
    "TxnObject",
    "UserEvent",
    "View",
    "Watch",
    "WatchStats",
    "Weights",
    "__version__",
    "inspect_snapshot",
    "library_path",
    "library_threads",
    "library_version",
    "live_handles",
    "log",
]
__all__ += errors.__all__


def library_version() -> str:
    """The version of the library in use."""
    return _c_text(_lib.consul_version())


def library_threads() -> int:
    """How many threads the library runs in this process now: 0 before the first use and once the
    last client is closed."""
    return _lib.consul_library_threads()


def live_handles() -> int:
    """How many objects of the library were not freed yet, for tests of programs."""
    _sweep()
    return _lib.consul_live_handles(0)
