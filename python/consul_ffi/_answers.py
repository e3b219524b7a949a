"""Takes the results of the library: copies what they hold, and frees them. Each is called with the
status of the call and the handle of its result."""

from __future__ import annotations

import json
from typing import Any, Callable, Generic, Iterable, TypeVar

from . import _rows
from ._library import lib
from ._memory import MEMORY
from .results import (
    Check,
    Instance,
    Member,
    Meta,
    Node,
    Pair,
    RaftPeer,
    Rows,
    Service,
    ServiceName,
    Session,
    UserEvent,
)

T = TypeVar("T")

_NO_META = Meta(0, 0, 0, False, False)


class Listing(Generic[T]):
    """A kind of result that is a list."""

    def __init__(self, name: str, read: Callable[..., Any], bare: bool = False) -> None:
        """`name` is the library's without `consul_`; `read` makes a row of its address; a `bare`
        list tells nothing of headers."""
        self._read = read
        self._count: Callable[[int | None], int] = getattr(lib, f"consul_{name}_count")
        self._at: Callable[[int | None, int], int] = getattr(lib, f"consul_{name}_at")
        self._free: Callable[[int | None], None] = getattr(lib, f"consul_{name}_free")
        self._meta = None if bare else getattr(lib, f"consul_{name}_meta")

    def _rows(self, handle: int | None, count: int) -> Iterable[T]:
        return [self._read(self._at(handle, index)) for index in range(count)]

    def take(self, _status: int, handle: int | None) -> Rows[T]:
        """All rows."""
        try:
            rows = self._rows(handle, self._count(handle))
            return Rows(rows, _rows.meta(self._meta(handle)) if self._meta else _NO_META)
        finally:
            self._free(handle)

    def take_first(self, status: int, handle: int | None) -> T:
        """The first row, which there is."""
        return self.take(status, handle)[0]

    def take_one_with_meta(self, status: int, handle: int | None) -> tuple[T | None, Meta]:
        """The only row, None where there is none, and what the headers say."""
        rows = self.take(status, handle)
        return rows[0] if rows else None, rows.meta

    def take_one(self, status: int, handle: int | None) -> T | None:
        """The only row, None where there is none."""
        return self.take_one_with_meta(status, handle)[0]


class Block(Listing[T]):
    """A list of many rows, which lie one after the other: `read` makes all of them, of the address
    of the first one and their number."""

    def _rows(self, handle: int | None, count: int) -> Iterable[T]:
        return self._read(self._at(handle, 0), count) if count else ()


PAIRS: Listing[Pair] = Block("kv", _rows.pair_block)
STRINGS: Listing[str] = Block("keys", _rows.string_block)
SESSIONS: Listing[Session] = Listing("sessions", _rows.session)
CHECKS: Listing[Check] = Listing("checks", _rows.check)
NODES: Listing[Node] = Listing("nodes", _rows.node)
SERVICES: Listing[Service] = Listing("services", _rows.service)
INSTANCES: Listing[Instance] = Listing("service_entries", _rows.instance)
SERVICE_NAMES: Listing[ServiceName] = Listing("service_names", _rows.service_name)
MEMBERS: Listing[Member] = Listing("members", _rows.member, bare=True)
USER_EVENTS: Listing[UserEvent] = Listing("user_events", _rows.user_event)
RAFT_PEERS: Listing[RaftPeer] = Listing("raft_peers", _rows.raft_peer, bare=True)


def take_text(_status: int, handle: int | None) -> str:
    """A text."""
    try:
        start, length = lib.consul_text_data(handle), lib.consul_text_len(handle)
        return MEMORY[start : (start or 0) + length].decode()
    finally:
        lib.consul_text_free(handle)


def take_json(status: int, handle: int | None) -> Any:
    """A text that is JSON, as Python has it."""
    return json.loads(take_text(status, handle))


def take_json_or_none(status: int, handle: int | None) -> Any | None:
    """As `take_json`; None where there is no such thing."""
    return None if status else take_json(status, handle)
