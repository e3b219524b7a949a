"""Takes the results of the library: copies what they hold, and frees them."""

from __future__ import annotations

from itertools import repeat
from typing import Callable, Generic, Iterable, TypeVar

from . import _rows
from ._library import lib
from ._memory import MEMORY
from .results import Check, Instance, Member, Meta, Node, Pair, Rows, Service, ServiceName, Session

T = TypeVar("T")

_NO_META = Meta(0, 0, 0, False, False)


class Listing(Generic[T]):
    """A kind of result that is a list: `take(handle)` copies and frees it."""

    def __init__(
        self, name: str, read: Callable[[Iterable[int]], list[T]], bare: bool = False
    ) -> None:
        """`name` is the library's without `consul_`; `read` makes rows of their addresses; a `bare`
        list tells nothing of headers."""
        self._read = read
        self._count: Callable[[int | None], int] = getattr(lib, f"consul_{name}_count")
        self._at: Callable[[int | None, int], int] = getattr(lib, f"consul_{name}_at")
        self._free: Callable[[int | None], None] = getattr(lib, f"consul_{name}_free")
        self._meta = None if bare else getattr(lib, f"consul_{name}_meta")

    def take(self, handle: int | None) -> Rows[T]:
        """All rows."""
        try:
            addresses = map(self._at, repeat(handle), range(self._count(handle)))
            meta = _rows.meta(self._meta(handle)) if self._meta else _NO_META
            return Rows(self._read(addresses), meta)
        finally:
            self._free(handle)

    def take_one(self, handle: int | None) -> tuple[T | None, Meta]:
        """The only row, None where there is none, and what the headers say."""
        rows = self.take(handle)
        return rows[0] if rows else None, rows.meta


def _each(read: Callable[[int], T]) -> Callable[[Iterable[int]], list[T]]:
    return lambda addresses: [read(address) for address in addresses]


PAIRS: Listing[Pair] = Listing("kv", _rows.pairs)
STRINGS: Listing[str] = Listing("keys", _rows.strings)
SESSIONS: Listing[Session] = Listing("sessions", _each(_rows.session))
CHECKS: Listing[Check] = Listing("checks", _each(_rows.check))
NODES: Listing[Node] = Listing("nodes", _each(_rows.node))
SERVICES: Listing[Service] = Listing("services", _each(_rows.service))
INSTANCES: Listing[Instance] = Listing("service_entries", _each(_rows.instance))
SERVICE_NAMES: Listing[ServiceName] = Listing("service_names", _each(_rows.service_name))
MEMBERS: Listing[Member] = Listing("members", _each(_rows.member), bare=True)


def take_text(handle: int | None) -> str:
    """A text."""
    try:
        start, length = lib.consul_text_data(handle), lib.consul_text_len(handle)
        return MEMORY[start : (start or 0) + length].decode()
    finally:
        lib.consul_text_free(handle)
