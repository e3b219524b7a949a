"""What is ended at the end of a `with` block."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from typing_extensions import Self


class Block:
    """Entered by `with` as itself; how it is left is its own."""

    def _leave(self, error: Optional[BaseException]) -> None:
        """`error` is that of the block."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._leave(error)


class Closing(Block):
    """Closed when its `with` block is left. An error of the block says more than one of closing."""

    def close(self) -> None:
        raise NotImplementedError

    def _leave(self, error: Optional[BaseException]) -> None:
        try:
            self.close()
        except Exception:
            if error is None:
                raise


class AsyncBlock:
    """As `Block`, for `async with`."""

    async def _leave(self, error: Optional[BaseException]) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self._leave(error)


class AsyncClosing(AsyncBlock):
    """As `Closing`, for `async with`."""

    async def close(self) -> None:
        raise NotImplementedError

    async def _leave(self, error: Optional[BaseException]) -> None:
        try:
            await self.close()
        except Exception:
            if error is None:
                raise
