"""Where calls arrive that a loop of asyncio waits for."""

from __future__ import annotations

import asyncio
import os
from ctypes import byref, c_void_p
from typing import Any, Callable, Optional, Protocol, TypeVar

from .. import _abi, _event, _outcome
from .._deferred import Async, new_queue
from .._library import lib

T = TypeVar("T")

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


class Inbox:
    """The queue of one loop. It is used on the thread of the loop alone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.process = os.getpid()
        self._queue = new_queue(_MANY)
        self._expected: dict[int, Expected] = {}
        self._out = c_void_p()
        self._fd = lib.consul_queue_fd(self._queue.value)
        #: Where the call arrives that is begun next.
        self.request = Async(self._queue.value, 0)
        loop.add_reader(self._fd, self._take)

    @property
    def is_usable(self) -> bool:
        """False when nobody will run its loop any more."""
        return not self.loop.is_closed() and self.process == os.getpid()

    def next_tag(self) -> int:
        """A new tag, which `request` has from now on."""
        self.request.tag += 1
        tag: int = self.request.tag
        return tag

    def expect(self, tag: int, expected: Expected) -> None:
        """The events of a tag are for this one from now on."""
        self._expected[tag] = expected

    def cancel(self, tag: int) -> None:
        """Ends the request; what arrives of it is for nobody."""
        self._expected.pop(tag, None)
        lib.consul_queue_cancel(self._queue.value, tag)

    def _take(self) -> None:
        out = byref(self._out)
        for _ in range(_AT_ONCE):
            if lib.consul_queue_next(self._queue.value, 0, out):
                return
            event = self._out.value
            assert event is not None
            try:
                self._deliver(event)
            finally:
                lib.consul_event_free(event)

    def _deliver(self, event: int) -> None:
        tag = lib.consul_event_tag(event)
        expected = self._expected.get(tag)
        if expected is not None and expected.arrived(event):
            self._expected.pop(tag, None)

    def close(self) -> None:
        """Ends it, and what is still expected. Harmless when it was closed before."""
        if self._queue.value is None:
            return
        if self.is_usable:
            self.loop.remove_reader(self._fd)
        expected, self._expected = self._expected, {}
        self._queue.close()
        if self.is_usable:
            for each in expected.values():
                each.call_off()


class Call(asyncio.Future[T]):
    """A call that has begun. Cancelling it ends its request."""

    def __init__(self, inbox: Inbox, owner: object, read: _event.Read[T]) -> None:
        super().__init__(loop=inbox.loop)
        # The owner's inbox is closed when nobody knows the owner any more.
        self._inbox, self._owner, self._read = inbox, owner, read
        self._tag = 0
        self._give_back: Optional[Callable[[], None]] = None

    def begun(self, give_back: Optional[Callable[[], None]] = None) -> None:
        """Waits for its end. `give_back` undoes it when it ended well just before it was
        cancelled."""
        self._tag, self._give_back = self._inbox.request.tag, give_back
        self._inbox.expect(self._tag, self)

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
            if self._give_back and lib.consul_event_status(event) == _abi.CONSUL_OK:
                self._give_back()
            return True
        try:
            result = _event.result(event, self._read)
        except Exception as error:
            self.set_exception(error)
        else:
            self.set_result(result)
        return True

    def call_off(self) -> None:
        """The client was closed."""
        if not self.done():
            error = _outcome.new(_abi.CONSUL_ERR_CLOSED, "the client was closed")
            self.set_exception(error)
