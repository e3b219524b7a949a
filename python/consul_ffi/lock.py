"""Locks: `client.lock(key)`.

    with client.lock("app/leader", value="worker-1") as lock:
        while work():
            lock.check()                # raises LockLost

A lock is a key that a session holds, the same as the official client's: both exclude each other.
While it is held the library renews its session and watches its key in the background.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from ctypes import byref, c_void_p
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Mapping, Optional, Union

from . import _abi, _describe, _interrupt, _kinds, _outcome
from ._answers import take_text
from ._call import do
from ._convert import Value, data, text, uint64
from ._core import Core, Handle
from ._error import ConsulError
from ._library import lib
from ._options import opened
from ._outcome import check, done
from .errors import LockLost, NotHeld
from .kept_session import KeptSession, milliseconds
from .specs import SessionSpec

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._settings import CallOptions, LockOptions

_FOR_EVER = (1 << 64) - 1
_PREFIX = "CONSUL_LOST_"
_REASONS = {
    number: name[len(_PREFIX) :].lower()
    for name, number in vars(_abi).items()
    if name.startswith(_PREFIX)
}

#: The session to hold a lock with: its id, one of `client.session.start`, or what the lock's own
#: shall be.
LockSession = Union[str, KeptSession, SessionSpec]


class Lost:
    """Whether a lock is lost: asked like a `threading.Event`."""

    def __init__(self, lock: Lock) -> None:
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

    def wait(self, timeout_ms: Optional[int] = None) -> bool:
        """Waits until the lock is lost: True then, False when it is still held after this time.
        Raises NotHeld when it was never held or is released, Cancelled after `lock.stop()`."""

        end, stops = _end(timeout_ms), self._lock.stops
        while True:
            left = _left_ms(end)
            # In slices, so that a signal that comes just before one is seen after it.
            status = lib.consul_lock_wait_lost(self._lock.handle, min(left, _interrupt.SLICE_MS))
            if status == _abi.CONSUL_ERR_LOCK_LOST:
                return True
            if status not in (_abi.CONSUL_NO_CHANGE, _abi.CONSUL_ERR_INTERRUPTED):
                raise _outcome.from_status(status)
            if self._lock.stops != stops:
                raise _outcome.new(_abi.CONSUL_ERR_CANCELLED, "the wait was stopped")
            if left <= 0:
                return False

    def __repr__(self) -> str:
        return f"<lost: {self.reason or 'no'}>"


class Lock:
    """A lock on a key. As a context manager it is acquired, for ever or as long as
    `acquire_timeout_ms` says, and released at the end of the block; a loss in between raises
    LockLost there."""

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
    def lost(self) -> Lost:
        """Whether it is lost: `if lock.lost`, `lock.lost.wait(1000)`, `lock.lost.reason`."""
        return Lost(self)

    @property
    def handle(self) -> Optional[int]:
        """The library's handle, None once it is closed."""
        return self._handle.value

    def acquire(self, timeout_ms: Optional[int] = None) -> bool:
        """Acquires the lock, waiting so long at most; None waits for ever. False when somebody else
        held it, or its lock-delay lasted, until then: `holder` tells which.

        While it waits it rides out failures that pass; when Consul cannot be asked until the time
        is over, that failure is raised. Ctrl-C ends it and leaves nothing behind."""
        end = _end(timeout_ms)
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
            left = _left_ms(end)
            status = lib.consul_lock_acquire(self.handle, left, None)
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

    def check(self) -> None:
        """Raises LockLost when the lock is lost, NotHeld when it was not acquired. Asks the clock
        at this moment, and makes no request."""
        if self.is_held:
            return
        reason = self.lost.reason
        if reason is None:
            raise _outcome.new(_abi.CONSUL_ERR_NOT_HELD, f"the lock on {self.key} is not held")
        raise _outcome.new(_abi.CONSUL_ERR_LOCK_LOST, f"the lock on {self.key} is lost: {reason}")

    def stop(self) -> None:
        """Ends `acquire` and `lost.wait` on other threads with Cancelled. A held lock stays
        held."""
        self.stops += 1
        check(lib.consul_lock_stop(self.handle))

    def destroy(self) -> bool:
        """Deletes the key if nobody holds it. False when somebody does."""
        status = _abi.CONSUL_ERR_INTERRUPTED
        while status == _abi.CONSUL_ERR_INTERRUPTED:
            status = lib.consul_lock_destroy(self.handle, None)
        return done(status, _abi.CONSUL_HELD)

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
        return take_text(out.value) if found else None

    def put(self, key: str, value: Value, flags: int = 0, **options: Unpack[CallOptions]) -> None:
        """Writes another key only while this lock is held, whatever its holder believes: Consul
        checks it in the same transaction. Raises LockLost or NotHeld when it is not; nothing was
        written then."""
        name, content, number = text(key, "key"), data(value), uint64(flags, "flags")

        def put(_client: Optional[int], *arguments: object) -> int:
            return lib.consul_lock_put(self.handle, *arguments)

        do(self._core, put, options, name, content, len(content), number)

    def close(self) -> None:
        """Ends the object: a held lock is released in the background. Harmless when it was closed
        before."""
        self._handle.close()

    def __enter__(self) -> Self:
        try:
            if not self.acquire(self._acquire_timeout_ms):
                holder = self.holder
                by = f"held by session {holder}" if holder else "kept free by its lock-delay"
                raise _outcome.new(_abi.CONSUL_HELD, f"the lock on {self.key} is {by}")
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
        except (LockLost, NotHeld) as problem:
            if error is None:
                # Released within the block is as it should be.
                if isinstance(problem, LockLost):
                    raise
            elif isinstance(problem, LockLost) and not isinstance(error, LockLost):
                _note(error, str(problem))
        except Exception:
            if error is None:
                raise

    def __repr__(self) -> str:
        state = "held" if self.is_held else f"lost: {self.lost.reason}" if self.lost else "not held"
        return f"<consul_ffi.Lock {self.key} {state}>"


def _note(error: BaseException, text: str) -> None:
    """The block's own error goes on; a reader of it shall know of the loss (Python 3.11)."""
    if hasattr(error, "add_note"):
        error.add_note(text)


def _end(timeout_ms: Optional[int]) -> float:
    """The time when a wait is over."""
    if timeout_ms is None:
        return math.inf
    return time.monotonic() + uint64(timeout_ms, "timeout_ms") / 1000


def _left_ms(end: float) -> int:
    """How long a wait may still take."""
    if end == math.inf:
        return _FOR_EVER
    return max(0, math.ceil((end - time.monotonic()) * 1000))


_SETTERS: dict[str, _describe.Setter] = {
    "value": _describe.data(lib.consul_lock_spec_set_value),
    "adopt": _describe.flag(lib.consul_lock_spec_set_adopt),
    "monitor_retry_ms": _describe.uint64(lib.consul_lock_spec_set_monitor_retry_ms),
}
_set_session_id = _describe.text(lib.consul_lock_spec_set_session_id)
_set_session_spec = _describe.nested(_kinds.SESSION, lib.consul_lock_spec_set_session_spec)


def _set_session(spec: c_void_p, session: LockSession) -> None:
    if isinstance(session, KeptSession):
        check(lib.consul_lock_spec_set_session(spec, session.handle))
    elif isinstance(session, SessionSpec):
        _set_session_spec(spec, session, "session")
    else:
        _set_session_id(spec, session, "session")


def new(
    core: Core,
    key: str,
    session: Optional[LockSession],
    acquire_timeout_ms: Optional[int],
    fields: Mapping[str, object],
    options: Mapping[str, object],
) -> Lock:
    """Makes a lock. Sends nothing."""
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
    return Lock(core, key, out.value, session, acquire_timeout_ms)
