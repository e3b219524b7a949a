"""Semaphores for asyncio: `async with client.semaphore(prefix, limit) as semaphore`."""

from __future__ import annotations

from ..semaphore import SemaphoreBase
from ._holding import AsyncHolding


class AsyncSemaphore(SemaphoreBase, AsyncHolding):
    """As `consul_ffi.Semaphore`, for `async with`."""
