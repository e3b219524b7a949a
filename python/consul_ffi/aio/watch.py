"""Watches for asyncio: `async for view in client.watch.key(key)`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Mapping, Optional, TypeVar

from .. import _abi, _wait
from .._closing import AsyncBlock
from .._core import Handle
from .._library import lib
from .._watch_spec import start
from ..errors import Cancelled
from ..view import View
from ..watch import WatchBase
from ._core import Awaiting
from ._news import News

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._awaitable import Watches
else:
    from ..watch import Watches

V = TypeVar("V", bound=View[Any])


class AsyncWatch(WatchBase[V], AsyncBlock):
    """As `consul_ffi.Watch`: `async for view in watch` gives a view each time that there is something
    new, `await watch.wait(view)` moves a view of the program's own. A view's own `wait` would block the
    loop."""

    def __init__(
        self,
        kind: type[V],
        handle: Handle,
        options: Mapping[str, Any],
        client: object,
        news: News,
    ) -> None:
        super().__init__(kind, handle, options, client)
        self._news = news

    async def wait_ready(self, timeout_ms: Optional[int] = None) -> Self:
        """As `Watch.wait_ready`."""
        end = _wait.end(timeout_ms)
        while True:
            status = lib.consul_watch_wait_ready(self._handle.value, 0)
            if status == _abi.CONSUL_OK:
                return self
            # The error is that of this thread's last call.
            error = _wait.failed(status, timeout_ms)
            left = _wait.left_ms(end)
            if status != _abi.CONSUL_ERR_TIMEOUT or left <= 0:
                raise error
            limit = None if timeout_ms is None else left / 1000
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), limit)

    async def wait(self, view: View[Any], timeout_ms: Optional[int] = None) -> bool:
        """As `View.wait`: waits for a newer state than the view stands at, and moves it there. False
        when there was none in time."""
        end = _wait.end(timeout_ms)
        while not view.refresh():
            if self._news.ended is not None:
                raise self._news.ended
            left = _wait.left_ms(end)
            if left <= 0:
                return False
            limit = None if timeout_ms is None else left / 1000
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), limit)
        return True

    def __aiter__(self) -> _Updates[V]:
        return _Updates(self)

    async def _leave(self, error: Optional[BaseException]) -> None:
        self.close()


class _Updates(Generic[V]):
    """The states of a watch, one after the other."""

    def __init__(self, watch: AsyncWatch[V]) -> None:
        self._watch, self._news = watch, watch._news
        self._view = watch.view()
        self._seen = 0

    def __aiter__(self) -> _Updates[V]:
        return self

    async def __anext__(self) -> V:
        while not self._moves():
            ended = self._news.ended
            if isinstance(ended, Cancelled):
                raise StopAsyncIteration
            if ended is not None:
                raise ended
            await self._news.wait()
        return self._view

    def _moves(self) -> bool:
        """Goes on to a newer state, if there is one."""
        self._view.refresh()
        before, self._seen = self._seen, self._view.version
        if self._seen == before:
            return False
        return before > 0 or not self._watch._is_known(self._view)


class AsyncWatches(Watches):
    """Starts watches in the running loop."""

    def __init__(self, core: Awaiting) -> None:
        super().__init__(core.native)
        self._core = core

    def _start(
        self, kind: type[V], number: int, name: Optional[str], options: Mapping[str, Any]
    ) -> AsyncWatch[V]:
        inbox, news = self._core.inbox(), News(_abi.CONSUL_EVENT_WATCH_ENDED)
        tag = inbox.next_tag()
        handle = start(self._core.native, number, name, options, inbox.request.queue, tag)
        inbox.expect(tag, news)
        return AsyncWatch(kind, handle, options, self._core, news)
