"""Semaphores: `client.semaphore(prefix, limit)`.

    with client.semaphore("app/jobs", 3) as semaphore:
        while work():
            semaphore.check()           # raises LockLost

A semaphore has a number of slots, of which one object holds one with a session; the official client's
semaphores share them. While it is held the library renews its session and watches its keys in the
background.
"""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Mapping, Optional, TypeVar

from . import _abi, _holding, _outcome
from ._answers import STRINGS
from ._convert import text, uint64
from ._core import Core
from ._error import ConsulError
from ._holding import AnyHolder, Functions, Holding, HoldingBase
from ._library import lib

S = TypeVar("S", bound="SemaphoreBase")


class SemaphoreBase(HoldingBase):
    """A semaphore, without what waits."""

    functions = Functions("semaphore")

    @property
    def prefix(self) -> str:
        """What its keys begin with."""
        return self.name

    @property
    def holders(self) -> list[str]:
        """The ids of the sessions that held all slots when an acquire looked last; none where one
        was free."""
        out = c_void_p()
        _outcome.check(lib.consul_semaphore_holders(self.handle, byref(out)))
        return list(STRINGS.take(_abi.CONSUL_OK, out.value))

    @property
    def _what(self) -> str:
        return f"semaphore {self.prefix}"

    def _held(self) -> ConsulError:
        by = ", ".join(self.holders)
        return _outcome.new(_abi.CONSUL_HELD, f"all slots of the {self._what} are held: {by}")


class Semaphore(SemaphoreBase, Holding):
    """A semaphore of which one slot can be held. As a context manager it is acquired, for ever or as
    long as `acquire_timeout_ms` says, and released at the end of the block; a loss in between raises
    LockLost there. `acquire` raises LimitConflict when it exists with another limit."""


def new(
    kind: type[S],
    core: Core,
    prefix: str,
    limit: int,
    session: Optional[AnyHolder],
    acquire_timeout_ms: Optional[int],
    fields: Mapping[str, object],
    options: Mapping[str, object],
) -> S:
    """Makes a semaphore of a kind. Sends nothing."""
    first = (text(prefix, "prefix"), uint64(limit, "limit"))
    return _holding.new(kind, core, prefix, first, session, acquire_timeout_ms, fields, options)
