"""Locks for asyncio: `async with client.lock(key) as lock`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from .._convert import Value, data, text, uint64
from .._library import lib
from .._outcome import nothing
from ..lock import LockBase
from ._holding import AsyncHolding

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._settings import CallOptions


class AsyncLock(LockBase, AsyncHolding):
    """As `consul_ffi.Lock`, for `async with`."""

    async def put(
        self, key: str, value: Value, flags: int = 0, **options: Unpack[CallOptions]
    ) -> None:
        """As `Lock.put`."""
        name, content, number = text(key, "key"), data(value), uint64(flags, "flags")

        def put(_client: Optional[int], *arguments: object) -> int:
            return lib.consul_lock_put(self.handle, *arguments)

        await self._core.do(nothing, put, options, name, content, len(content), number)
