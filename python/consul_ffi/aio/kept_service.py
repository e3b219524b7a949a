"""Services that the library keeps registered, for asyncio."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Optional

from .. import _outcome
from .._closing import AsyncClosing
from .._convert import flag, optional_text
from .._library import lib
from ..errors import Forked
from ..kept_service import KeptServiceBase
from ._core import Awaiting

if TYPE_CHECKING:
    from typing_extensions import Self


class AsyncKeptService(KeptServiceBase, AsyncClosing):
    """As `consul_ffi.KeptService`, for `async with`."""

    _core: Awaiting

    async def start(self) -> None:
        """As `KeptService.start`."""
        await self._core.begin(_outcome.check, lib.consul_kept_service_start, self._handle)

    async def maintenance(self, enable: bool, reason: Optional[str] = None) -> None:
        """As `KeptService.maintenance`."""
        arguments = flag(enable, "enable"), optional_text(reason, "reason")
        function = lib.consul_kept_service_maintenance
        await self._core.begin(_outcome.check, function, self._handle, *arguments)

    async def close(self) -> None:
        """As `KeptService.close`."""
        if self._handle.value is None:
            return
        try:
            with suppress(Forked):
                await self._core.begin(_outcome.check, lib.consul_kept_service_close, self._handle)
        finally:
            self._handle.close()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            self._handle.close()
            raise
        return self
