"""Takes the results of the library: copies what they hold, and frees them."""

from __future__ import annotations

from typing import Callable, Generic, TypeVar

from . import _rows
from ._library import lib
from ._memory import MEMORY
from .results import Check, Instance, Member, Meta, Node, Pair, Rows, Service, ServiceName, Session

T = TypeVar("T")

_NO_META = Meta(0, 0, 0, False, False)


class Listing(Generic[T]):
    """A kind of result that is a list: `take(handle)` copies and frees it."""

    def __init__(self, name: str, read: Callable[[int | None], T], bare: bool = False) -> None:
        """`name` is the library's without `consul_`; a `bare` one tells nothing of headers."""
        self.read = read
        self.count: Callable[[int | None], int] = getattr(lib, f"consul_{name}_count")
        self.at: Callable[[int | None, int], int] = getattr(lib, f"consul_{name}_at")
        self.free: Callable[[int | None], None] = getattr(lib, f"consul_{name}_free")
        self._meta = None if bare else getattr(lib, f"consul_{name}_meta")

    def meta(self, handle: int | None) -> Meta:
        """What the answer's headers say."""
        return _rows.meta(self._meta(handle)) if self._meta else _NO_META

    def take(self, handle: int | None) -> Rows[T]:
        """All rows."""
        read, at = self.read, self.at
        try:
            rows = [read(at(handle, index)) for index in range(self.count(handle))]
            return Rows(rows, self.meta(handle))
        finally:
            self.free(handle)

    def take_one(self, handle: int | None) -> tuple[T | None, Meta]:
        """The only row, None where there is none, and what the headers say."""
        try:
            row = self.read(self.at(handle, 0)) if self.count(handle) else None
            return row, self.meta(handle)
        finally:
            self.free(handle)


PAIRS: Listing[Pair] = Listing("kv", _rows.pair)
STRINGS: Listing[str] = Listing("keys", _rows.string)
SESSIONS: Listing[Session] = Listing("sessions", _rows.session)
CHECKS: Listing[Check] = Listing("checks", _rows.check)
NODES: Listing[Node] = Listing("nodes", _rows.node)
SERVICES: Listing[Service] = Listing("services", _rows.service)
INSTANCES: Listing[Instance] = Listing("service_entries", _rows.instance)
SERVICE_NAMES: Listing[ServiceName] = Listing("service_names", _rows.service_name)
MEMBERS: Listing[Member] = Listing("members", _rows.member, bare=True)


def take_text(handle: int | None) -> str:
    """A text."""
    try:
        start, length = lib.consul_text_data(handle), lib.consul_text_len(handle)
        return MEMORY[start : (start or 0) + length].decode()
    finally:
        lib.consul_text_free(handle)
