"""Clusters: `client.cluster(id, address)`.

    with client.cluster("node-1", "10.0.0.1:7000", min_nodes=3) as cluster:
        cluster.wait_joined(5000)
        print(cluster.node_for_key("AAPL").address, cluster.is_leader)

A node's part in a cluster: who is in it, who leads, and who owns which key. What is known stays while
Consul is away.
"""

from __future__ import annotations

from contextlib import suppress
from ctypes import byref, c_void_p
from typing import Callable, Iterator, List, Mapping, NamedTuple, Optional, TypeVar

from . import _abi, _describe, _wait
from ._answers import Listing, take_text
from ._closing import Closing
from ._convert import Value, data, milliseconds, optional_text, text, uint32, uint64
from ._core import Core
from ._error import ConsulError
from ._library import lib
from ._memory import c_text, mapping, optional
from ._memory import text as memory_text
from ._options import OF_LOCK, opened
from ._outcome import check, done
from ._progress import progress, shown
from .errors import Cancelled, Forked
from .results import Progress

T = TypeVar("T")

_STATES = {
    _abi.CONSUL_CLUSTER_NODE_ALIVE: "alive",
    _abi.CONSUL_CLUSTER_NODE_SUSPECT: "suspect",
    _abi.CONSUL_CLUSTER_NODE_LEFT: "left",
}


class ClusterNode(NamedTuple):
    """A node of a cluster."""

    id: str
    #: Where it is reached, in its own words.
    address: str
    #: How large its share of the keys is, beside the others' weights.
    weight: int
    #: `"alive"`; `"suspect"` when its session has ended and it may come back soon, or when it came
    #: back and has to last for a while; `"left"`.
    state: str
    #: The session that it lives by; None when that has ended.
    session_id: Optional[str]
    meta: dict[str, str]
    #: Since when its state is so, by this machine's clock, in ms since 1970.
    since_ms: int
    is_leader: bool


def _node(address: int) -> ClusterNode:
    row = _abi.CLUSTER_NODE.read(address)
    return ClusterNode(
        id=memory_text(row.id, row.id_len),
        address=memory_text(row.address, row.address_len),
        weight=row.weight,
        state=_STATES.get(row.state, "unknown"),
        session_id=optional(row.session_id, row.session_id_len),
        meta=mapping(row.meta_keys, row.meta_values, row.meta_count),
        since_ms=row.since_ms,
        is_leader=row.is_leader,
    )


_NODES: Listing[ClusterNode] = Listing("cluster_nodes", _node, bare=True)


class ClusterBase:
    """A cluster, without what waits."""

    def __init__(self, core: Core, handle: Optional[int]) -> None:
        self._core = core
        self._handle = core.native.own(handle, lib.consul_cluster_free)

    @property
    def handle(self) -> Optional[int]:
        """The library's handle, None once it is closed."""
        return self._handle.value

    @property
    def id(self) -> str:
        """Its own id; empty once it is closed."""
        return c_text(lib.consul_cluster_id(self.handle))

    @property
    def version(self) -> int:
        """0 before anything was found; it grows with each change of nodes, leader or ring."""
        return lib.consul_cluster_version(self.handle)

    @property
    def ring_version(self) -> int:
        """The same of the ring alone: it grows when some keys belong to another node than before."""
        return lib.consul_cluster_ring_version(self.handle)

    @property
    def age_ms(self) -> float:
        """How long ago Consul confirmed the list of nodes; `math.inf` when it never did."""
        return milliseconds(lib.consul_cluster_age_ms(self.handle))

    @property
    def nodes(self) -> List[ClusterNode]:
        """Everybody who is or was a member, by id: alive, suspect, and for ten minutes at least those
        that have left."""
        return self._list(lib.consul_cluster_list_nodes)

    @property
    def living(self) -> int:
        """How many nodes live."""
        return lib.consul_cluster_living(self.handle)

    @property
    def has_enough_nodes(self) -> bool:
        """Whether as many nodes live as `min_nodes` says."""
        return lib.consul_cluster_has_enough_nodes(self.handle)

    @property
    def is_leader(self) -> bool:
        """Whether this node leads, judged by the clock at this moment. Makes no request."""
        return lib.consul_cluster_is_leader(self.handle)

    @property
    def leader(self) -> Optional[str]:
        """The id of the node that leads, as it was seen last; None when none does."""
        out = c_void_p()
        status = lib.consul_cluster_leader(self.handle, byref(out))
        return take_text(0, out.value) if done(status, _abi.CONSUL_NOT_FOUND) else None

    def node_for_key(self, key: Value) -> Optional[ClusterNode]:
        """The node that a key belongs to; None before anything was found. Makes no request."""
        content = data(key, "key")
        row = lib.consul_cluster_node_for_key(self.handle, content, len(content))
        return _node(row) if row else None

    def replicas_for_key(self, key: Value, count: int) -> List[ClusterNode]:
        """The node that a key belongs to, and those that it would belong to without the ones before:
        `count` different ones, or all of the ring where there are fewer."""
        content, most = data(key, "key"), uint64(count, "count")
        return self._list(lib.consul_cluster_replicas_for_key, content, len(content), most)

    def set_weight(self, weight: int) -> None:
        """Changes its weight, 1 to 1,000. Returns at once."""
        check(lib.consul_cluster_set_weight(self.handle, uint32(weight, "weight")))

    def set_meta(self, key: str, value: Optional[str]) -> None:
        """Says something of itself; None takes it back. Returns at once."""
        arguments = text(key, "key"), optional_text(value, "value")
        check(lib.consul_cluster_set_meta(self.handle, *arguments))

    def stats(self) -> Progress:
        """How its own part is getting on. Makes no request."""
        return progress(lib.consul_cluster_stats, self.handle)

    def close(self) -> None:
        """Ends it: it is left in the background. Harmless when it was closed before."""
        self._handle.close()

    def _list(self, function: Callable[..., int], *arguments: object) -> List[ClusterNode]:
        out = c_void_p()
        check(function(self.handle, *arguments, byref(out)))
        return list(_NODES.take(0, out.value))

    def _is_newer(self, version: int, wait_ms: int) -> bool:
        """Waits so long for a newer version."""
        status = lib.consul_cluster_wait_change(self.handle, version, wait_ms)
        return status != _abi.CONSUL_ERR_INTERRUPTED and done(status, _abi.CONSUL_NO_CHANGE)

    def _is_joined(self, wait_ms: int, is_last: bool, timeout_ms: Optional[int]) -> bool:
        """Waits so long until it has joined; the last time, when all of the time is over, an error says
        why it has not."""
        status = lib.consul_cluster_wait_joined(self.handle, wait_ms)
        if status == _abi.CONSUL_ERR_INTERRUPTED:
            return False
        if status == _abi.CONSUL_ERR_TIMEOUT and not is_last:
            return False
        if status != _abi.CONSUL_OK:
            raise _wait.failed(status, timeout_ms)
        return True

    def __repr__(self) -> str:
        name = self.id or shown(lib.consul_cluster_stats, self.handle)
        return f"<consul_ffi.{type(self).__name__} {name}>"


class Cluster(ClusterBase, Closing):
    """A node's part in a cluster. `for version in cluster` goes on each time that something changes,
    until it is left or closed.

    As a context manager it is left at the end of the block."""

    def wait_joined(self, timeout_ms: Optional[int] = None) -> None:
        """Waits until it has joined and sees itself among the nodes; None waits for ever. Raises
        Timeout, which says why, when it has not in time."""
        end = _wait.end(timeout_ms)
        while True:
            left = _wait.left_ms(end)
            wait_ms = _wait.slice_ms(left)
            if self._is_joined(wait_ms, wait_ms == left, timeout_ms):
                return

    def wait_change(self, version: int, timeout_ms: Optional[int] = None) -> bool:
        """Waits until the version is above this one, which is to be read before what you look at; False
        when it is not after this time. Raises
        Cancelled once it is left, Closed once its client is closed."""
        end, known = _wait.end(timeout_ms), uint64(version, "version")
        while True:
            left = _wait.left_ms(end)
            if self._is_newer(known, _wait.slice_ms(left)):
                return True
            if left <= 0:
                return False

    def leave(self) -> None:
        """Leaves: gives up the lead, deletes its key, so that the others know at once, and destroys
        its session. What was found stays to be read."""
        status = _abi.CONSUL_ERR_INTERRUPTED
        while status == _abi.CONSUL_ERR_INTERRUPTED:
            status = lib.consul_cluster_leave(self.handle, None)
        check(status)

    def close(self) -> None:
        """Leaves, and ends it. After an error the library goes on trying in the background. Harmless
        when it was closed before, and in a forked child."""
        if self.handle is None:
            return
        try:
            with suppress(Forked):
                self.leave()
        finally:
            super().close()

    def __iter__(self) -> Iterator[int]:
        version = 0
        try:
            while True:
                if self.wait_change(version):
                    version = self.version
                    yield version
        except Cancelled:
            # Left meanwhile: its end.
            return
        except ConsulError:
            if self.handle is not None:
                raise


_SETTERS: dict[str, _describe.Setter] = {
    "weight": _describe.uint32(lib.consul_cluster_spec_set_weight),
    "meta": _describe.mapping(lib.consul_cluster_spec_add_meta),
    "prefix": _describe.text(lib.consul_cluster_spec_set_prefix),
    "nodes_prefix": _describe.text(lib.consul_cluster_spec_set_nodes_prefix),
    "leader_key": _describe.text(lib.consul_cluster_spec_set_leader_key),
    "ttl_ms": _describe.uint64(lib.consul_cluster_spec_set_ttl_ms),
    "min_nodes": _describe.uint32(lib.consul_cluster_spec_set_min_nodes),
    "campaigns": _describe.flag(lib.consul_cluster_spec_set_campaigns),
    "lock_delay_ms": _describe.uint64(lib.consul_cluster_spec_set_lock_delay_ms),
    "leave_after_ms": _describe.uint64(lib.consul_cluster_spec_set_leave_after_ms),
    "join_after_ms": _describe.uint64(lib.consul_cluster_spec_set_join_after_ms),
    "outage_hold_ms": _describe.uint64(lib.consul_cluster_spec_set_outage_hold_ms),
}


def join(
    core: Core,
    id: str,
    address: str,
    fields: Mapping[str, object],
    options: Mapping[str, object],
) -> Optional[int]:
    """Joins a cluster; the library's handle."""
    spec, out = c_void_p(), c_void_p()
    check(lib.consul_cluster_spec_new(text(id, "id"), text(address, "address"), byref(spec)))
    try:
        for name, value in fields.items():
            if value is not None:
                _SETTERS[name](spec, value, name)
        with opened(options, OF_LOCK) as native:
            check(lib.consul_cluster_spec_set_options(spec, native))
        core.native.check(lib.consul_cluster_join(core.handle.value, spec, byref(out)))
    finally:
        lib.consul_cluster_spec_free(spec)
    return out.value
