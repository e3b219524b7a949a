"""The client for asyncio: `async with AsyncClient() as client: await client.kv.get(key)`.

    import asyncio
    from consul_ffi.aio import AsyncClient

    async def main():
        async with AsyncClient() as client:
            pairs = await asyncio.gather(*map(client.kv.get, ["a", "b", "c"]))

    asyncio.run(main())

It has all that `consul_ffi.Client` has. A call begins at once, not when it is awaited, and what it
returns is an `asyncio.Future`: cancelling it, or the task that awaits it, ends the request. No thread
of Python's is used: the loop sleeps on a descriptor of the library's queue.
"""

from __future__ import annotations

from ._holding import AsyncLost
from .client import AsyncClient
from .kept_service import AsyncKeptService
from .kept_session import AsyncKeptSession
from .lock import AsyncLock
from .semaphore import AsyncSemaphore
from .watch import AsyncWatch

__all__ = [
    "AsyncClient",
    "AsyncKeptService",
    "AsyncKeptSession",
    "AsyncLock",
    "AsyncLost",
    "AsyncSemaphore",
    "AsyncWatch",
]
