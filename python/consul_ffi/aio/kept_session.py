"""Sessions that the library keeps alive, for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Optional

from .._closing import AsyncBlock
from .._convert import text
from .._library import lib
from .._outcome import nothing
from ..kept_session import KeptSessionBase
from ..session import Sessions

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._settings import CallOptions


class AsyncKeptSession(KeptSessionBase, AsyncBlock):
    """As `consul_ffi.KeptSession`; `async with await client.session.start()` destroys it at the end
    of the block."""

    async def destroy(self, **options: Unpack[CallOptions]) -> None:
        """Destroys it at Consul; the locks that it holds are lost. The object is closed: after a
        failure the library goes on trying in the background."""
        try:
            await self._core.do(  # type: ignore[misc]
                nothing, lib.consul_session_destroy, options, text(self.id, "session")
            )
            lib.consul_session_stop(self._handle.value)
        finally:
            self.close()

    async def _leave(self, error: Optional[BaseException]) -> None:
        if self._handle.value is None:
            return
        if error is None:
            await self.destroy()
        else:
            self.close()


class AsyncSessions(Sessions):
    """Sessions whose kept ones are for asyncio."""

    def _keeper(  # type: ignore[override]
        self,
    ) -> Callable[[int, Optional[int]], AsyncKeptSession]:
        core = self._core
        return lambda _status, handle: AsyncKeptSession(core, handle)
