"""What locks and semaphores have alike."""

from __future__ import annotations

import math
from contextlib import suppress
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Mapping, Optional, TypeVar, Union

from . import _abi, _describe, _interrupt, _kinds, _outcome, _wait
from ._answers import take_text
from ._closing import Block
from ._convert import FOR_EVER, milliseconds
from ._core import Core
from ._error import ConsulError
from ._library import lib
from ._options import OF_LOCK, opened
from ._outcome import check, done
from ._progress import progress
from .errors import LockLost, NotHeld
from .kept_session import KeptSessionBase
from .results import Progress
from .specs import SessionSpec

if TYPE_CHECKING:
    from typing_extensions import Self

H = TypeVar("H", bound="HoldingBase")

_PREFIX = "CONSUL_LOST_"
_REASONS = {
    number: name[len(_PREFIX) :].lower()
    for name, number in vars(_abi).items()
    if name.startswith(_PREFIX)
}

#: The session to hold something with: its id, one of `client.session.start`, or what an own one
#: shall be.
AnyHolder = Union[str, KeptSessionBase, SessionSpec]


class Functions:
    """The library's functions for one of them, by their verbs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.setters: dict[str, _describe.Setter] = {
            "value": _describe.data(self.spec_set_value),
            "monitor_retry_ms": _describe.uint64(self.spec_set_monitor_retry_ms),
        }
        self._set_session_id = _describe.text(self.spec_set_session_id)
        self._set_session_spec = _describe.nested(_kinds.SESSION, self.spec_set_session_spec)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(lib, f"consul_{self.name}_{verb}")
        setattr(self, verb, function)
        return function

    def set_session(self, spec: c_void_p, session: AnyHolder) -> None:
        """What it is held with."""
        if isinstance(session, KeptSessionBase):
            check(self.spec_set_session(spec, session.handle))
        elif isinstance(session, SessionSpec):
            self._set_session_spec(spec, session, "session")
        else:
            self._set_session_id(spec, session, "session")


class LostBase:
    """Whether what was held is lost."""

    def __init__(self, holding: HoldingBase) -> None:
        self._holding = holding

    def is_set(self) -> bool:
        """True once it is lost, until it is acquired again. Makes no request."""
        return not self._holding.is_held and self.reason is not None

    __bool__ = is_set

    @property
    def reason(self) -> Optional[str]:
        """`"session_invalid"`, `"key_deleted"`, `"key_taken"`, `"key_released"`, `"deadline"` or
        `"closed"`; None when it is not lost."""
        number = self._holding.functions.lost_reason(self._holding.handle)
        return None if number == _abi.CONSUL_LOST_NONE else _REASONS.get(number, "unknown")

    def _look(self, wait_ms: int, stops: int) -> bool:
        """Waits so long. True when it is lost; raises when it was stopped, or is not held."""
        status = self._holding.functions.wait_lost(self._holding.handle, wait_ms)
        if status == _abi.CONSUL_ERR_LOCK_LOST:
            return True
        if status not in (_abi.CONSUL_NO_CHANGE, _abi.CONSUL_ERR_INTERRUPTED):
            raise _outcome.from_status(status)
        if self._holding.stops != stops:
            raise _outcome.new(_abi.CONSUL_ERR_CANCELLED, "the wait was stopped")
        return False

    def __repr__(self) -> str:
        return f"<lost: {self.reason or 'no'}>"


class Lost(LostBase):
    """Whether what was held is lost: asked like a `threading.Event`."""

    def wait(self, timeout_ms: Optional[int] = None) -> bool:
        """Waits until it is lost: True then, False when it is still held after this time.
        Raises NotHeld when it was never held or is released, Cancelled after `stop()`."""
        end, stops = _wait.end(timeout_ms), self._holding.stops
        while True:
            left = _wait.left_ms(end)
            # In slices, so that a signal that comes just before one is seen after it.
            if self._look(int(min(left, _wait.SLICE_MS)), stops):
                return True
            if left <= 0:
                return False


class HoldingBase:
    """What a session can hold, without what waits."""

    #: The library's functions for it.
    functions: ClassVar[Functions]

    def __init__(
        self,
        core: Core,
        name: str,
        handle: Optional[int],
        session: Optional[AnyHolder],
        acquire_timeout_ms: Optional[int],
    ) -> None:
        self._core = core
        # Released before its session ends, which would bring the lock-delay.
        by = session.own_handle if isinstance(session, KeptSessionBase) else None
        self._handle = core.native.own(handle, self.functions.free, by)
        # One that is forgotten destroys its session.
        self._session = session
        self._acquire_timeout_ms = acquire_timeout_ms
        #: Its key or prefix.
        self.name = name
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
        """Raises LockLost when it is lost, NotHeld when it was not acquired, Forked when it is the
        parent's. Asks the clock at this moment, and makes no request."""
        if self.is_held:
            return
        reason = self.lost_reason()
        if reason is None:
            self._text(self.functions.session_id)  # raises Forked
            raise _outcome.new(_abi.CONSUL_ERR_NOT_HELD, f"the {self._what} is not held")
        raise _outcome.new(_abi.CONSUL_ERR_LOCK_LOST, f"the {self._what} is lost: {reason}")

    def stats(self) -> Progress:
        """How it is getting on to see that it is still held. Makes no request."""
        return progress(self.functions.stats, self.handle)

    def stop(self) -> None:
        """Ends `acquire` and `lost.wait` on other threads with Cancelled. What is held stays
        held."""
        self.stops += 1
        check(self.functions.stop(self.handle))

    @property
    def is_held(self) -> bool:
        """True while it is held, judged by the clock at this moment. Makes no request."""
        return bool(self.functions.is_held(self.handle))

    @property
    def remaining_ms(self) -> float:
        """How long it is known to be held if nothing is heard of Consul from now on: 0 when it is
        not held, `math.inf` when its session has no TTL."""
        return milliseconds(self.functions.remaining_ms(self.handle))

    @property
    def session_id(self) -> Optional[str]:
        """The id of the session that holds it; None while it is not held."""
        return self._text(self.functions.session_id)

    def _text(self, function: Callable[..., int]) -> Optional[str]:
        out = c_void_p()
        found = done(function(self.handle, byref(out)), _abi.CONSUL_NOT_FOUND)
        return take_text(0, out.value) if found else None

    def close(self) -> None:
        """Ends the object: what is held is released in the background. Harmless when it was closed
        before."""
        self._handle.close()

    def __repr__(self) -> str:
        reason = self.lost_reason()
        state = "held" if self.is_held else f"lost: {reason}" if reason else "not held"
        if self._handle.value is None:
            state = "closed"
        return f"<consul_ffi.{type(self).__name__} {self.name} {state}>"

    @property
    def _what(self) -> str:
        """What it is, in errors."""
        raise NotImplementedError

    def _held(self) -> ConsulError:
        """What is raised where others hold it."""
        raise NotImplementedError

    def _raise_lost(self, problem: ConsulError, error: Optional[BaseException]) -> None:
        """At the end of a block: what the release said, and the block's own error."""
        if error is None:
            # Released within the block is as it should be.
            if not isinstance(problem, NotHeld):
                raise problem
        elif isinstance(problem, LockLost) and not isinstance(error, LockLost):
            _note(error, str(problem))


class Holding(HoldingBase, Block):
    """What a session can hold, and what waits. As a context manager it is acquired, for ever or as
    long as `acquire_timeout_ms` says, and released at the end of the block; a loss in between
    raises LockLost there."""

    @property
    def lost(self) -> Lost:
        """Whether it is lost: `if it.lost`, `it.lost.wait(1000)`, `it.lost.reason`."""
        return Lost(self)

    def acquire(self, timeout_ms: Optional[int] = None) -> bool:
        """Acquires it, waiting so long at most; None waits for ever. False when others held it, or
        its lock-delay lasted, until then.

        While it waits it rides out failures that pass; when Consul cannot be asked until the time
        is over, that failure is raised. Ctrl-C ends it and leaves nothing behind."""
        end = _wait.end(timeout_ms)
        try:
            return _interrupt.run(lambda: self._acquire(end), self.stop)
        except ConsulError:
            raise
        except BaseException:
            # Raised by the handler of a signal; it may have been acquired in that moment.
            if self.is_held:
                with suppress(ConsulError):
                    self.release()
            raise

    def _acquire(self, end: float) -> bool:
        while True:
            left = _wait.left_ms(end)
            limit = FOR_EVER if left == math.inf else int(left)
            status = self.functions.acquire(self.handle, limit, None)
            # The handler of a signal did not raise, so it goes on.
            if status != _abi.CONSUL_ERR_INTERRUPTED or left <= 0:
                return done(status, _abi.CONSUL_HELD)

    def try_acquire(self) -> bool:
        """Acquires it if that needs no waiting."""
        return self._acquire(0)

    def release(self) -> None:
        """Releases it. Raises NotHeld when it was not held, LockLost when it was lost before.
        After any other error it is not held either, and the library goes on releasing it in the
        background."""
        status = self.functions.release(self.handle, None)
        # A signal whose handler did not raise ends the wait, and the release goes on.
        if status != _abi.CONSUL_ERR_INTERRUPTED:
            check(status)

    def destroy(self) -> bool:
        """Deletes what stands at Consul if nobody holds it. False when somebody does."""
        status = _abi.CONSUL_ERR_INTERRUPTED
        while status == _abi.CONSUL_ERR_INTERRUPTED:
            status = self.functions.destroy(self.handle, None)
        return done(status, _abi.CONSUL_HELD)

    def __enter__(self) -> Self:
        try:
            if not self.acquire(self._acquire_timeout_ms):
                raise self._held()
        except BaseException:
            # A signal may come just after it was acquired.
            self.close()
            raise
        return self

    def _leave(self, error: Optional[BaseException]) -> None:
        try:
            self.release()
        except ConsulError as problem:
            self._raise_lost(problem, error)


def _note(error: BaseException, text: str) -> None:
    """The block's own error goes on; a reader of it shall know of the loss (Python 3.11)."""
    if hasattr(error, "add_note"):
        error.add_note(text)


def new(
    kind: type[H],
    core: Core,
    name: str,
    first: tuple[object, ...],
    session: Optional[AnyHolder],
    acquire_timeout_ms: Optional[int],
    fields: Mapping[str, object],
    options: Mapping[str, object],
) -> H:
    """Makes one of a kind, whose description takes `first` before all. Sends nothing."""
    functions, spec, out = kind.functions, c_void_p(), c_void_p()
    check(functions.spec_new(*first, byref(spec)))
    try:
        for field, value in fields.items():
            if value is not None:
                functions.setters[field](spec, value, field)
        if session is not None:
            functions.set_session(spec, session)
        with opened(options, OF_LOCK) as native:
            check(functions.spec_set_options(spec, native))
        core.native.check(functions.new(core.handle.value, spec, byref(out)))
    finally:
        functions.spec_free(spec)
    return kind(core, name, out.value, session, acquire_timeout_ms)
