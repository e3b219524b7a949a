"""Clusters for asyncio: `async with client.cluster(id, address)`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import AsyncIterator, Callable, Optional

from .. import _abi, _outcome, _wait
from .._closing import AsyncBlock
from .._convert import uint64
from .._error import ConsulError
from .._library import lib
from ..cluster import ClusterBase
from ..errors import Cancelled, Forked
from ._core import Awaiting
from ._news import News

#: How often one who waits to have joined looks, beside what is told: its own key is no news.
_LOOK_MS = 100


class AsyncCluster(ClusterBase, AsyncBlock):
    """As `consul_ffi.Cluster`, for `async with` and `async for`."""

    _core: Awaiting

    def __init__(self, core: Awaiting, handle: Optional[int]) -> None:
        super().__init__(core, handle)
        inbox, self._news = core.inbox(), News(_abi.CONSUL_EVENT_CLUSTER_ENDED)
        tag = inbox.next_tag()
        _outcome.check(lib.consul_cluster_set_queue(handle, inbox.request.queue, tag))
        inbox.expect(tag, self._news)

    async def wait_joined(self, timeout_ms: Optional[int] = None) -> None:
        """As `Cluster.wait_joined`."""
        end = _wait.end(timeout_ms)
        while not self._is_joined(0, _wait.left_ms(end) <= 0, timeout_ms):
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), _LOOK_MS / 1000)

    async def wait_change(self, version: int, timeout_ms: Optional[int] = None) -> bool:
        """As `Cluster.wait_change`."""
        known = uint64(version, "version")
        return await self._await(timeout_ms, lambda: self._is_newer(known, 0))

    async def leave(self) -> None:
        """As `Cluster.leave`."""
        await self._core.begin(_outcome.check, lib.consul_cluster_leave, self._handle)

    async def _await(self, timeout_ms: Optional[int], holds: Callable[[], bool]) -> bool:
        """Looks until it holds, each time that there is news."""
        end = _wait.end(timeout_ms)
        while True:
            if self._news.ended is not None:
                raise self._news.ended
            # Asks memory only.
            is_so, left = holds(), _wait.left_ms(end)
            if is_so or left <= 0:
                return is_so
            limit = None if timeout_ms is None else left / 1000
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), limit)

    async def __aiter__(self) -> AsyncIterator[int]:
        version = 0
        try:
            while True:
                if await self.wait_change(version):
                    version = self.version
                    yield version
        except Cancelled:
            # Left meanwhile: its end.
            return
        except ConsulError:
            if self.handle is not None:
                raise

    async def _leave(self, error: Optional[BaseException]) -> None:
        try:
            with suppress(Forked):
                await self.leave()
        finally:
            self.close()
