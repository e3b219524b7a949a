"""Consistent hashes: which node a key belongs to, the same in every program and language.

    ring = Ring({"cache-1": 1, "cache-2": 2})
    ring.node_for_key("user/17")
    ring.replicas_for_key("user/17", 2)
"""

from __future__ import annotations

from ctypes import byref, c_char_p, c_uint32, c_void_p
from typing import Callable, Iterable, List, Mapping, Optional, Union

from . import _abi
from ._answers import STRINGS
from ._closing import Closing
from ._convert import Value, data, text, uint32, uint64, wrong
from ._core import Handle
from ._library import lib
from ._memory import c_text
from ._outcome import check, done

#: Weights by the names of nodes, or names of weight 1.
Nodes = Union[Mapping[str, int], Iterable[str]]


class Ring(Closing):
    """A ring of nodes. Any thread may look up while another one changes it.

    A node has `virtual_nodes` points for each unit of its weight: programs that share keys must use the
    same number."""

    def __init__(self, nodes: Nodes = (), *, virtual_nodes: int = 160) -> None:
        out = c_void_p()
        check(lib.consul_ring_new(uint32(virtual_nodes, "virtual_nodes"), byref(out)))
        self._handle = Handle(out.value, lib.consul_ring_free)
        self.set(nodes)

    def add(self, node: str, weight: int = 1) -> None:
        """Adds a node of this weight, 1 to 1,000, or gives one that is there this weight."""
        name, number = text(node, "node"), uint32(weight, "weight")
        check(lib.consul_ring_add(self._handle.value, name, number))

    def remove(self, node: str) -> bool:
        """Removes a node. False when it was not there."""
        status = lib.consul_ring_remove(self._handle.value, text(node, "node"))
        return done(status, _abi.CONSUL_NOT_FOUND)

    def set(self, nodes: Nodes) -> None:
        """Has these nodes and no others, in one step."""
        if isinstance(nodes, str) or not isinstance(nodes, Iterable):
            raise wrong(nodes, "nodes", "a mapping or a list of texts")
        weights = dict(nodes) if isinstance(nodes, Mapping) else dict.fromkeys(nodes, 1)
        names = [text(name, "a name in nodes") for name in weights]
        numbers = [uint32(weight, f"nodes[{name!r}]") for name, weight in weights.items()]
        texts, array = (c_char_p * len(names))(*names), (c_uint32 * len(names))(*numbers)
        check(lib.consul_ring_set(self._handle.value, texts, len(names), array))

    def node_for_key(self, key: Value) -> Optional[str]:
        """The node that a key belongs to; None where there are no nodes."""
        content = data(key, "key")
        node = lib.consul_ring_node_for_key(self._handle.value, content, len(content))
        return c_text(node) if node else None

    def replicas_for_key(self, key: Value, count: int) -> List[str]:
        """The node that a key belongs to, and those that it would belong to without the ones before:
        `count` different nodes, or all where there are fewer."""
        content = data(key, "key")
        most = uint64(count, "count")
        return self._strings(lib.consul_ring_replicas_for_key, content, len(content), most)

    @property
    def nodes(self) -> List[str]:
        """The names of the nodes, sorted."""
        return self._strings(lib.consul_ring_nodes)

    def weight(self, node: str) -> int:
        """The weight of a node; 0 when it is not there."""
        return lib.consul_ring_weight(self._handle.value, text(node, "node"))

    @property
    def version(self) -> int:
        """0 for a ring that never had a node, and one more with each change."""
        return lib.consul_ring_version(self._handle.value)

    def _strings(self, function: Callable[..., int], *arguments: object) -> List[str]:
        out = c_void_p()
        check(function(self._handle.value, *arguments, byref(out)))
        return list(STRINGS.take(0, out.value))

    def close(self) -> None:
        """Ends it. Harmless when it was closed before."""
        self._handle.close()

    def __len__(self) -> int:
        return lib.consul_ring_count(self._handle.value)

    def __repr__(self) -> str:
        return f"<consul_ffi.Ring of {len(self)} nodes>"
