"""What locks and semaphores have alike, for asyncio."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Optional

from .. import _abi, _background, _outcome, _wait
from .._closing import AsyncBlock
from .._convert import FOR_EVER, uint64
from .._error import ConsulError
from .._holding import HoldingBase, LostBase
from .._outcome import answered
from ._core import Awaiting
from ._inbox import Call, Inbox
from ._news import Losses

if TYPE_CHECKING:
    from typing_extensions import Self

_unless_held = answered(_abi.CONSUL_HELD)


class AsyncLost(LostBase):
    """Whether what was held is lost: asked like an `asyncio.Event`."""

    _holding: AsyncHolding

    async def wait(self, timeout_ms: Optional[int] = None) -> bool:
        """As `Lost.wait`."""
        end, stops = _wait.end(timeout_ms), self._holding.stops
        losses = self._holding.follow()
        while True:
            left = _wait.left_ms(end)
            # Asks memory only.
            if self._look(0, stops):
                return True
            if losses.ended is not None:
                raise losses.ended
            if left <= 0:
                return False
            if not self._holding.is_held:
                # Being released, whose end is no loss.
                left = min(left, _wait.SLICE_MS)
            limit = None if left == math.inf else left / 1000
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(losses.wait(), limit)


class AsyncHolding(HoldingBase, AsyncBlock):
    """As `Holding`, for `async with`."""

    _core: Awaiting
    _inbox: Optional[Inbox] = None
    _losses: Losses

    @property
    def lost(self) -> AsyncLost:
        """Whether it is lost: `if it.lost`, `await it.lost.wait(1000)`, `it.lost.reason`."""
        return AsyncLost(self)

    async def acquire(self, timeout_ms: Optional[int] = None) -> bool:
        """As `Holding.acquire`. Cancelling it leaves nothing behind."""
        limit = FOR_EVER if timeout_ms is None else uint64(timeout_ms, "timeout_ms")
        call = self._acquire(limit)
        try:
            return await call
        except asyncio.CancelledError:
            # It may have ended well before this task went on.
            if call.done() and not call.cancelled() and not call.exception() and call.result():
                self._give_back()
            raise

    def _acquire(self, limit: int) -> Call[bool]:
        function, give_back = self.functions.acquire, self._give_back
        return self._core.begin(_unless_held, function, self._handle, limit, give_back=give_back)

    async def try_acquire(self) -> bool:
        """Acquires it if that needs no waiting."""
        return await self.acquire(0)

    async def release(self) -> None:
        """As `Holding.release`."""
        try:
            await self._core.begin(_outcome.check, self.functions.release, self._handle)
        finally:
            self._wake()

    def stop(self) -> None:
        """As `Holding.stop`."""
        super().stop()
        if self._inbox is not None and self._inbox.is_usable:
            # Also from another thread.
            self._inbox.loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """As `Holding.close`."""
        super().close()
        self._wake()

    def follow(self) -> Losses:
        """What its losses are told to, in the running loop."""
        inbox = self._core.inbox()
        if self._inbox is not inbox:
            losses, tag = Losses(), inbox.next_tag()
            _outcome.check(self.functions.set_queue(self.handle, inbox.request.queue, tag))
            inbox.expect(tag, losses)
            self._inbox, self._losses = inbox, losses
        return self._losses

    def _wake(self) -> None:
        if self._inbox is not None:
            self._losses.wake()

    async def destroy(self) -> bool:
        """Deletes what stands at Consul if nobody holds it. False when somebody does."""
        return await self._core.begin(_unless_held, self.functions.destroy, self._handle)

    def _give_back(self) -> None:
        """Releases in the background what was acquired for somebody who is gone, as the loop may be."""
        _background.begin(partial(self.functions.release, self.handle))

    async def __aenter__(self) -> Self:
        try:
            if not await self.acquire(self._acquire_timeout_ms):
                raise self._held()
        except BaseException:
            self.close()
            raise
        return self

    async def _leave(self, error: Optional[BaseException]) -> None:
        try:
            await self.release()
        except ConsulError as problem:
            self._raise_lost(problem, error)
