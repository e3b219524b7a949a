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

    async def wait(self) -> None:
        """Waits until something is told."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def arrived(self, event: int) -> bool:
        """Wakes all who wait."""
        is_last = lib.consul_event_type(event) == self._last
        if is_last:
            self.ended = _event.error(event, lib.consul_event_status(event))
        self._wake()
        return is_last

    def call_off(self) -> None:
        """The client was closed."""
        self.ended = _outcome.new(_abi.CONSUL_ERR_CLOSED, "the client was closed")
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
