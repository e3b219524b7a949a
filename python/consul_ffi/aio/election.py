"""Leader election for asyncio: `async for leader in client.election(key)`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import AsyncIterator, Callable, Optional, TypeVar

from .. import _abi, _outcome, _wait
from .._closing import AsyncBlock
from .._convert import Value, data, uint64
from .._error import ConsulError
from .._library import lib
from ..election import ElectionBase, Leadership
from ._core import Awaiting
from ._news import News

T = TypeVar("T")


class AsyncElection(ElectionBase, AsyncBlock):
    """As `consul_ffi.Election`, for `async with` and `async for`."""

    _core: Awaiting

    def __init__(self, core: Awaiting, key: str, handle: Optional[int]) -> None:
        super().__init__(core, key, handle)
        inbox, self._news = core.inbox(), News(_abi.CONSUL_EVENT_ELECTION_ENDED)
        tag = inbox.next_tag()
        _outcome.check(lib.consul_election_set_queue(handle, inbox.request.queue, tag))
        inbox.expect(tag, self._news)

    async def wait_elected(self, timeout_ms: Optional[int] = None) -> bool:
        """As `Election.wait_elected`."""
        return await self._await(timeout_ms, lambda: self._is_elected(0) or None) is True

    async def wait_leader(self, timeout_ms: Optional[int] = None) -> Optional[Leadership]:
        """As `Election.wait_leader`."""
        look = lib.consul_election_wait_leader
        return await self._await(timeout_ms, lambda: self._look(look, 0))

    async def wait_change(
        self, version: int, timeout_ms: Optional[int] = None
    ) -> Optional[Leadership]:
        """As `Election.wait_change`."""
        look, known = lib.consul_election_wait_change, uint64(version, "version")
        return await self._await(timeout_ms, lambda: self._look(look, 0, known))

    async def resign(self) -> None:
        """As `Election.resign`."""
        await self._core.begin(_outcome.check, lib.consul_election_resign, self._handle)

    async def set_value(self, value: Value) -> None:
        """As `Election.set_value`."""
        function, written = lib.consul_election_set_value, data(value)
        await self._core.begin(_outcome.check, function, self._handle, written, len(written))

    async def _await(
        self, timeout_ms: Optional[int], look: Callable[[], Optional[T]]
    ) -> Optional[T]:
        """Looks until there is something, each time that there is news."""
        end = _wait.end(timeout_ms)
        while True:
            if self._news.ended is not None:
                raise self._news.ended
            # Asks memory only.
            found, left = look(), _wait.left_ms(end)
            if found is not None or left <= 0:
                return found
            limit = None if timeout_ms is None else left / 1000
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), limit)

    async def __aiter__(self) -> AsyncIterator[Leadership]:
        version = 0
        try:
            while True:
                leader = await self.wait_change(version)
                if leader is not None:
                    version = leader.version
                    yield leader
        except ConsulError:
            # Closed meanwhile: its end.
            if self.handle is not None:
                raise

    async def _leave(self, error: Optional[BaseException]) -> None:
        self.close()
