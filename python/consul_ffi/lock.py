"""Locks: `client.lock(key)`.

    with client.lock("app/leader", value="worker-1") as lock:
        while work():
            lock.check()                # raises LockLost

A lock is a key that a session holds, the same as the official client's: both exclude each other.
While it is held the library renews its session and watches its key in the background.
"""

from __future__ import annotations

import math
from contextlib import suppress
from ctypes import byref, c_void_p
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Mapping, Optional, TypeVar, Union

from . import _abi, _describe, _interrupt, _kinds, _outcome, _wait
from ._answers import take_text
from ._convert import FOR_EVER, Value, data, milliseconds, text, uint64
from ._core import Core, Handle
from ._error import ConsulError
from ._library import lib
from ._options import opened
from ._outcome import check, done, nothing
from ._progress import progress
from .errors import LockLost, NotHeld
from .kept_session import KeptSessionBase
from .results import Progress
from .specs import SessionSpec

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._settings import CallOptions, LockOptions

L = TypeVar("L", bound="LockBase")

_PREFIX = "CONSUL_LOST_"
_REASONS = {
    number: name[len(_PREFIX) :].lower()
    for name, number in vars(_abi).items()
    if name.startswith(_PREFIX)
}

#: The session to hold a lock with: its id, one of `client.session.start`, or what the lock's own
#: shall be.
LockSession = Union[str, KeptSessionBase, SessionSpec]


class LostBase:
    """Whether a lock is lost."""

    def __init__(self, lock: LockBase) -> None:
        self._lock = lock

    def is_set(self) -> bool:
        """True once the lock is lost, until it is acquired again. Makes no request."""
        return not self._lock.is_held and self.reason is not None

    __bool__ = is_set

    @property
    def reason(self) -> Optional[str]:
        """`"session_invalid"`, `"key_deleted"`, `"key_taken"`, `"key_released"`, `"deadline"` or
        `"closed"`; None when it is not lost."""
        number = lib.consul_lock_lost_reason(self._lock.handle)
        return None if number == _abi.CONSUL_LOST_NONE else _REASONS.get(number, "unknown")

    def _look(self, wait_ms: int, stops: int) -> bool:
        """Waits so long. True when it is lost; raises when it was stopped, or is not held."""
        status = lib.consul_lock_wait_lost(self._lock.handle, wait_ms)
        if status == _abi.CONSUL_ERR_LOCK_LOST:
            return True
        if status not in (_abi.CONSUL_NO_CHANGE, _abi.CONSUL_ERR_INTERRUPTED):
            raise _outcome.from_status(status)
        if self._lock.stops != stops:
            raise _outcome.new(_abi.CONSUL_ERR_CANCELLED, "the wait was stopped")
        return False

    def __repr__(self) -> str:
        return f"<lost: {self.reason or 'no'}>"


class Lost(LostBase):
    """Whether a lock is lost: asked like a `threading.Event`."""

    def wait(self, timeout_ms: Optional[int] = None) -> bool:
        """Waits until the lock is lost: True then, False when it is still held after this time.
        Raises NotHeld when it was never held or is released, Cancelled after `lock.stop()`."""
        end, stops = _wait.end(timeout_ms), self._lock.stops
        while True:
            left = _wait.left_ms(end)
            # In slices, so that a signal that comes just before one is seen after it.
            if self._look(int(min(left, _wait.SLICE_MS)), stops):
                return True
            if left <= 0:
                return False


class LockBase:
    """A lock on a key, without what waits."""

    def __init__(
        self,
        core: Core,
        key: str,
        handle: Optional[int],
        session: Optional[LockSession],
        acquire_timeout_ms: Optional[int],
    ) -> None:
        self._core = core
        self._handle = Handle(handle, lib.consul_lock_free)
        # One that is forgotten destroys its session.
        self._session = session
        self._acquire_timeout_ms = acquire_timeout_ms
        self.key = key
        #: How often `stop` was called.
        self.stops = 0

    @property
    def handle(self) -> Optional[int]:
        """The library's handle, None once it is closed."""
        return self._handle.value

    def lost_reason(self) -> Optional[str]:
        """Why it is lost; None when it is not."""
        return LostBase(self).reason

    def check(self) -> None:
        """Raises LockLost when the lock is lost, NotHeld when it was not acquired. Asks the clock
        at this moment, and makes no request."""
        if self.is_held:
            return
        reason = self.lost_reason()
        if reason is None:
            raise _outcome.new(_abi.CONSUL_ERR_NOT_HELD, f"the lock on {self.key} is not held")
        raise _outcome.new(_abi.CONSUL_ERR_LOCK_LOST, f"the lock on {self.key} is lost: {reason}")

    def stats(self) -> Progress:
        """How it is getting on to see that it is still held. Makes no request."""
        return progress(lib.consul_lock_stats, self.handle)

    def stop(self) -> None:
        """Ends `acquire` and `lost.wait` on other threads with Cancelled. A held lock stays
        held."""
        self.stops += 1
        check(lib.consul_lock_stop(self.handle))

    @property
    def is_held(self) -> bool:
        """True while it is held, judged by the clock at this moment. Makes no request."""
        return lib.consul_lock_is_held(self.handle)

    @property
    def remaining_ms(self) -> float:
        """How long it is known to be held if nothing is heard of Consul from now on: 0 when it is
        not held, `math.inf` when its session has no TTL."""
        return milliseconds(lib.consul_lock_remaining_ms(self.handle))

    @property
    def fencing_token(self) -> int:
        """A number that grows with each acquisition of the key by anybody: a store that refuses
        lower ones than it has seen is safe from late writers. 0 before the first acquisition."""
        return lib.consul_lock_fencing_token(self.handle)

    @property
    def session_id(self) -> Optional[str]:
        """The id of the session that holds it; None while it is not held."""
        return self._text(lib.consul_lock_session_id)

    @property
    def holder(self) -> Optional[str]:
        """The id of the session that held the key when an acquire looked last; None where nobody
        does, which while an acquire waits means the lock-delay."""
        return self._text(lib.consul_lock_holder)

    def _text(self, function: Callable[..., int]) -> Optional[str]:
        out = c_void_p()
        found = done(function(self.handle, byref(out)), _abi.CONSUL_NOT_FOUND)
        return take_text(0, out.value) if found else None

    def close(self) -> None:
        """Ends the object: a held lock is released in the background. Harmless when it was closed
        before."""
        self._handle.close()

    def __repr__(self) -> str:
        reason = self.lost_reason()
        state = "held" if self.is_held else f"lost: {reason}" if reason else "not held"
        return f"<consul_ffi.{type(self).__name__} {self.key} {state}>"

    def _held(self) -> ConsulError:
        holder = self.holder
        by = f"held by session {holder}" if holder else "kept free by its lock-delay"
        return _outcome.new(_abi.CONSUL_HELD, f"the lock on {self.key} is {by}")

    def _raise_lost(self, problem: ConsulError, error: Optional[BaseException]) -> None:
        """At the end of a block: what the release said, and the block's own error."""
        if error is None:
            # Released within the block is as it should be.
            if not isinstance(problem, NotHeld):
                raise problem
        elif isinstance(problem, LockLost) and not isinstance(error, LockLost):
            _note(error, str(problem))


class Lock(LockBase):
    """A lock on a key. As a context manager it is acquired, for ever or as long as
    `acquire_timeout_ms` says, and released at the end of the block; a loss in between raises
    LockLost there."""

    @property
    def lost(self) -> Lost:
        """Whether it is lost: `if lock.lost`, `lock.lost.wait(1000)`, `lock.lost.reason`."""
        return Lost(self)

    def acquire(self, timeout_ms: Optional[int] = None) -> bool:
        """Acquires the lock, waiting so long at most; None waits for ever. False when somebody else
        held it, or its lock-delay lasted, until then: `holder` tells which.

        While it waits it rides out failures that pass; when Consul cannot be asked until the time
        is over, that failure is raised. Ctrl-C ends it and leaves nothing behind."""
        end = _wait.end(timeout_ms)
        try:
            return _interrupt.run(lambda: self._acquire(end), self.stop)
        except ConsulError:
            raise
        except BaseException:
            # Raised by the handler of a signal; the lock may have been acquired in that moment.
            if self.is_held:
                with suppress(ConsulError):
                    self.release()
            raise

    def _acquire(self, end: float) -> bool:
        while True:
            left = _wait.left_ms(end)
            limit = FOR_EVER if left == math.inf else int(left)
            status = lib.consul_lock_acquire(self.handle, limit, None)
            # The handler of a signal did not raise, so it goes on.
            if status != _abi.CONSUL_ERR_INTERRUPTED or left <= 0:
                return done(status, _abi.CONSUL_HELD)

    def try_acquire(self) -> bool:
        """Acquires the lock if nobody else holds it, without waiting."""
        return self._acquire(0)

    def release(self) -> None:
        """Releases the lock. Raises NotHeld when it was not held, LockLost when it was lost before.
        After any other error it is not held either, and the library goes on releasing it in the
        background."""
        status = lib.consul_lock_release(self.handle, None)
        # A signal whose handler did not raise ends the wait, and the release goes on.
        if status != _abi.CONSUL_ERR_INTERRUPTED:
            check(status)

    def destroy(self) -> bool:
        """Deletes the key if nobody holds it. False when somebody does."""
        status = _abi.CONSUL_ERR_INTERRUPTED
        while status == _abi.CONSUL_ERR_INTERRUPTED:
            status = lib.consul_lock_destroy(self.handle, None)
        return done(status, _abi.CONSUL_HELD)

    def put(self, key: str, value: Value, flags: int = 0, **options: Unpack[CallOptions]) -> None:
        """Writes another key only while this lock is held, whatever its holder believes: Consul
        checks it in the same transaction. Raises LockLost or NotHeld when it is not; nothing was
        written then."""
        name, content, number = text(key, "key"), data(value), uint64(flags, "flags")

        def put(_client: Optional[int], *arguments: object) -> int:
            return lib.consul_lock_put(self.handle, *arguments)

        return self._core.do(nothing, put, options, name, content, len(content), number)

    def __enter__(self) -> Self:
        try:
            if not self.acquire(self._acquire_timeout_ms):
                raise self._held()
        except BaseException:
            # A signal may come just after it was acquired.
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            self.release()
        except ConsulError as problem:
            self._raise_lost(problem, error)


def _note(error: BaseException, text: str) -> None:
    """The block's own error goes on; a reader of it shall know of the loss (Python 3.11)."""
    if hasattr(error, "add_note"):
        error.add_note(text)


_SETTERS: dict[str, _describe.Setter] = {
    "value": _describe.data(lib.consul_lock_spec_set_value),
    "adopt": _describe.flag(lib.consul_lock_spec_set_adopt),
    "monitor_retry_ms": _describe.uint64(lib.consul_lock_spec_set_monitor_retry_ms),
}
_set_session_id = _describe.text(lib.consul_lock_spec_set_session_id)
_set_session_spec = _describe.nested(_kinds.SESSION, lib.consul_lock_spec_set_session_spec)


def _set_session(spec: c_void_p, session: LockSession) -> None:
    if isinstance(session, KeptSessionBase):
        check(lib.consul_lock_spec_set_session(spec, session.handle))
    elif isinstance(session, SessionSpec):
        _set_session_spec(spec, session, "session")
    else:
        _set_session_id(spec, session, "session")


def new(
    kind: type[L],
    core: Core,
    key: str,
    session: Optional[LockSession],
    acquire_timeout_ms: Optional[int],
    fields: Mapping[str, object],
    options: Mapping[str, object],
) -> L:
    """Makes a lock of a kind. Sends nothing."""
    spec, out = c_void_p(), c_void_p()
    check(lib.consul_lock_spec_new(text(key, "key"), byref(spec)))
    try:
        for name, value in fields.items():
            if value is not None:
                _SETTERS[name](spec, value, name)
        if session is not None:
            _set_session(spec, session)
        with opened(options) as native:
            check(lib.consul_lock_spec_set_options(spec, native))
        check(lib.consul_lock_new(core.handle.value, spec, byref(out)))
    finally:
        lib.consul_lock_spec_free(spec)
    return kind(core, key, out.value, session, acquire_timeout_ms)
