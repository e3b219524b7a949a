"""Where calls arrive that a loop of asyncio waits for."""

from __future__ import annotations

import asyncio
import os
from ctypes import addressof, c_void_p
from typing import Any, Callable, Optional, Protocol, TypeVar

from .. import _abi, _event, _outcome
from .._async import Async
from .._deferred import new_queue
from .._library import lib

T = TypeVar("T")

_next, _free = lib.consul_queue_next, lib.consul_event_free
_tag_of, _status_of = lib.consul_event_tag, lib.consul_event_status

#: How many events are taken before the loop does something else.
_AT_ONCE = 64
#: As many calls may be in flight as the program likes to await.
_MANY = (1 << 32) - 1


class Expected(Protocol):
    """What is told of the events of a tag."""

    def arrived(self, event: int) -> bool:
        """True when that was the last one."""

    def call_off(self) -> None:
        """No event will come any more."""


class _Reader:
    """What a loop calls when something has arrived. The loop alone has it, and drops it when it is
    closed."""

    __slots__ = ("_inbox",)

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def __call__(self) -> None:
        self._inbox.take()

    def __del__(self) -> None:
        self._inbox.end()


class Inbox:
    """The queue of one loop, which ends with it. It is used on the thread of the loop alone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.process = os.getpid()
        self._queue = new_queue(_MANY)
        self._expected: dict[int, Expected] = {}
        self._event = c_void_p()
        self._event_at = addressof(self._event)
        self._fd = lib.consul_queue_fd(self._queue.value)
        #: Where the call arrives that is begun next, and its address.
        self.request = Async(self._queue.value, 0)
        self.address = addressof(self.request)
        self._tag = 0
        loop.add_reader(self._fd, _Reader(self))

    @property
    def is_usable(self) -> bool:
        """False when nobody will run its loop any more."""
        return not self.loop.is_closed() and self.process == os.getpid()

    def next_tag(self) -> int:
        """A new tag, which `request` has from now on."""
        self._tag = tag = self._tag + 1
        self.request.tag = tag
        return tag

    def call(
        self, owner: object, read: _event.Read[T], give_back: Optional[Callable[[], None]] = None
    ) -> Call[T]:
        """What waits for the end of the call that has just begun. `give_back` undoes it when it
        ended well just before it was cancelled."""
        call: Call[T] = Call(loop=self.loop)
        tag = call._tag = self._tag
        # The owner's inbox is closed when nobody knows the owner any more.
        call._inbox, call._owner, call._read, call._give_back = self, owner, read, give_back
        self._expected[tag] = call
        return call

    def expect(self, tag: int, expected: Expected) -> None:
        """The events of a tag are for this one from now on."""
        self._expected[tag] = expected

    def cancel(self, tag: int) -> None:
        """Ends the request; what arrives of it is for nobody."""
        self._expected.pop(tag, None)
        lib.consul_queue_cancel(self._queue.value, tag)

    def take(self) -> None:
        """Hands on what has arrived."""
        for _ in range(_AT_ONCE):
            if _next(self._queue.value, 0, self._event_at):
                return
            event = self._event.value
            assert event is not None
            try:
                self._deliver(event)
            finally:
                _free(event)

    def _deliver(self, event: int) -> None:
        tag = _tag_of(event)
        expected = self._expected.get(tag)
        if expected is not None and expected.arrived(event):
            self._expected.pop(tag, None)

    def close(self) -> None:
        """Ends it, and what is still expected. Harmless when it was closed before."""
        if self._queue.value is None:
            return
        expected: dict[int, Expected] = {}
        if self.is_usable:
            expected, self._expected = self._expected, expected
            self.loop.remove_reader(self._fd)
        self.end()
        for each in expected.values():
            each.call_off()

    def end(self) -> None:
        """Ends what is under way, of which nobody will hear: the loop has ended."""
        if self._queue.value is None:
            return
        expected, self._expected = self._expected, {}
        # So that the end of each is there.
        for tag in expected:
            lib.consul_queue_cancel(self._queue.value, tag)
        while not _next(self._queue.value, 0, self._event_at):
            event = self._event.value
            assert event is not None
            call = expected.get(_tag_of(event))
            if isinstance(call, Call):
                call.undo(event)
            _free(event)
        self._queue.close()


class Call(asyncio.Future[T]):
    """A call that has begun; `Inbox.call` makes it. Cancelling it ends its request."""

    # No `__init__`: a future without one is made in half the time.
    __slots__ = ("_give_back", "_inbox", "_owner", "_read", "_tag")

    _inbox: Inbox
    _owner: object
    _read: _event.Read[T]
    _tag: int
    _give_back: Optional[Callable[[], None]]

    def cancel(self, msg: Optional[Any] = None) -> bool:
        """Ends the request."""
        if not super().cancel(msg):
            return False
        self._inbox.cancel(self._tag)
        if self._give_back is not None:
            self._inbox.expect(self._tag, self)
        return True

    def arrived(self, event: int) -> bool:
        """Takes its end."""
        if self.done():
            self.undo(event)
            return True
        try:
            result = _event.result(event, self._read)
        except Exception as error:
            self.set_exception(error)
        else:
            self.set_result(result)
        return True

    def undo(self, event: int) -> None:
        """It ended for nobody."""
        if self._give_back and _status_of(event) == _abi.CONSUL_OK:
            self._give_back()

    def call_off(self) -> None:
        """The client was closed."""
        if not self.done():
            error = _outcome.new(_abi.CONSUL_ERR_CLOSED, "the client was closed")
            self.set_exception(error)
