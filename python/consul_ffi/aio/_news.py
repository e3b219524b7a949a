"""News that tasks of a loop wait for."""

from __future__ import annotations

import asyncio
from typing import Optional

from .. import _abi, _event, _outcome
from .._error import ConsulError
from .._library import lib


class News:
    """What is told of a watch or an election, which ends with an event of this type. It does not keep
    it alive."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._waiters: set[asyncio.Future[None]] = set()
        self.ended: Optional[ConsulError] = None

    def wait(self) -> asyncio.Future[None]:
        """Ends when something is told from now on."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        waiter.add_done_callback(self._waiters.discard)
        return waiter

    def arrived(self, event: int) -> bool:
        """Wakes all who wait."""
        is_last = self._is_last(event)
        if is_last:
            self.ended = _event.error(event, lib.consul_event_status(event))
        self.wake()
        return is_last

    def call_off(self) -> None:
        """The client was closed."""
        self.ended = _outcome.new(_abi.CONSUL_ERR_CLOSED, "the client was closed")
        self.wake()

    def wake(self) -> None:
        """Has all who wait look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _is_last(self, event: int) -> bool:
        return lib.consul_event_type(event) == self._last


class Losses(News):
    """What is told of a lock or a semaphore. Its last event has the type of all, and says so by its
    status."""

    def __init__(self) -> None:
        super().__init__(_abi.CONSUL_EVENT_LOCK_LOST)

    def _is_last(self, event: int) -> bool:
        return lib.consul_event_status(event) in (_abi.CONSUL_ERR_CANCELLED, _abi.CONSUL_ERR_CLOSED)
