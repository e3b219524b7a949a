"""What locks and semaphores have alike, for asyncio."""

from __future__ import annotations

import asyncio
from ctypes import addressof
from types import TracebackType
from typing import TYPE_CHECKING, Optional

from .. import _abi, _outcome, _wait
from .._convert import FOR_EVER, uint64
from .._error import ConsulError
from .._holding import HoldingBase, LostBase
from .._outcome import answered
from ._core import Awaiting
from ._inbox import Call

if TYPE_CHECKING:
    from typing_extensions import Self

_unless_held = answered(_abi.CONSUL_HELD)


class AsyncLost(LostBase):
    """Whether what was held is lost: asked like an `asyncio.Event`."""

    async def wait(self, timeout_ms: Optional[int] = None) -> bool:
        """As `Lost.wait`."""
        end, stops = _wait.end(timeout_ms), self._holding.stops
        while True:
            left = _wait.left_ms(end)
            # Asks memory only.
            if self._look(0, stops):
                return True
            if left <= 0:
                return False
            await asyncio.sleep(min(left, _wait.SLICE_MS) / 1000)


class AsyncHolding(HoldingBase):
    """As `Holding`, for `async with`."""

    _core: Awaiting

    @property
    def lost(self) -> AsyncLost:
        """Whether it is lost: `if it.lost`, `await it.lost.wait(1000)`, `it.lost.reason`."""
        return AsyncLost(self)

    async def acquire(self, timeout_ms: Optional[int] = None) -> bool:
        """As `Holding.acquire`. Cancelling it leaves nothing behind."""
        limit = FOR_EVER if timeout_ms is None else uint64(timeout_ms, "timeout_ms")
        return await self._acquire(limit)

    def _acquire(self, limit: int) -> Call[bool]:
        function, give_back = self.functions.acquire, self._give_back
        return self._core.begin(_unless_held, function, self._handle, limit, give_back=give_back)

    async def try_acquire(self) -> bool:
        """Acquires it if that needs no waiting."""
        return await self.acquire(0)

    async def release(self) -> None:
        """As `Holding.release`."""
        await self._core.begin(_outcome.check, self.functions.release, self._handle)

    async def destroy(self) -> bool:
        """Deletes what stands at Consul if nobody holds it. False when somebody does."""
        return await self._core.begin(_unless_held, self.functions.destroy, self._handle)

    def _give_back(self) -> None:
        """Releases in the background what was acquired for somebody who is gone."""
        inbox = self._core.inbox()
        inbox.next_tag()
        self.functions.release(self.handle, addressof(inbox.request))

    async def __aenter__(self) -> Self:
        try:
            if not await self.acquire(self._acquire_timeout_ms):
                raise self._held()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            await self.release()
        except ConsulError as problem:
            self._raise_lost(problem, error)
