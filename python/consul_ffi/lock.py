"""Locks: `client.lock(key)`.

    with client.lock("app/leader", value="worker-1") as lock:
        while work():
            lock.check()                # raises LockLost

A lock is a key that a session holds, the same as the official client's: both exclude each other.
While it is held the library renews its session and watches its key in the background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Mapping, Optional, TypeVar

from . import _abi, _describe, _holding, _outcome
from ._convert import Value, data, text, uint64
from ._core import Core
from ._error import ConsulError
from ._holding import AnyHolder, Functions, Holding, HoldingBase
from ._library import lib
from ._outcome import nothing

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions

L = TypeVar("L", bound="LockBase")

_functions = Functions("lock")
_functions.setters["adopt"] = _describe.flag(lib.consul_lock_spec_set_adopt)


class LockBase(HoldingBase):
    """A lock on a key, without what waits."""

    functions = _functions

    @property
    def key(self) -> str:
        """The key that it is on."""
        return self.name

    @property
    def fencing_token(self) -> int:
        """A number that grows with each acquisition of the key by anybody: a store that refuses
        lower ones than it has seen is safe from late writers. 0 before the first acquisition."""
        return lib.consul_lock_fencing_token(self.handle)

    @property
    def holder(self) -> Optional[str]:
        """The id of the session that held the key when an acquire looked last; None where nobody
        does, which while an acquire waits means the lock-delay."""
        return self._text(lib.consul_lock_holder)

    @property
    def _what(self) -> str:
        return f"lock on {self.key}"

    def _held(self) -> ConsulError:
        holder = self.holder
        by = f"held by session {holder}" if holder else "kept free by its lock-delay"
        return _outcome.new(_abi.CONSUL_HELD, f"the lock on {self.key} is {by}")


class Lock(LockBase, Holding):
    """A lock on a key. As a context manager it is acquired, for ever or as long as
    `acquire_timeout_ms` says, and released at the end of the block; a loss in between raises
    LockLost there. After an acquire that found somebody else `holder` tells who; None is the
    lock-delay."""

    def put(self, key: str, value: Value, flags: int = 0, **options: Unpack[CallOptions]) -> None:
        """Writes another key only while this lock is held, whatever its holder believes: Consul
        checks it in the same transaction. Raises LockLost or NotHeld when it is not; nothing was
        written then."""
        name, content, number = text(key, "key"), data(value), uint64(flags, "flags")

        def put(_client: Optional[int], *arguments: object) -> int:
            return lib.consul_lock_put(self.handle, *arguments)

        return self._core.do(nothing, put, options, name, content, len(content), number)


def new(
    kind: type[L],
    core: Core,
    key: str,
    session: Optional[AnyHolder],
    acquire_timeout_ms: Optional[int],
    fields: Mapping[str, object],
    options: Mapping[str, object],
) -> L:
    """Makes a lock of a kind. Sends nothing."""
    first = (text(key, "key"),)
    return _holding.new(kind, core, key, first, session, acquire_timeout_ms, fields, options)
