"""Handles of the library, and when they end."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from typing import Callable

from ._library import lib

#: All that is still open when the program ends may take this long together.
EXIT_LIMIT_MS = 1000


class Handle:
    """A handle that is freed once: when it is closed, or when nobody knows it any more."""

    __slots__ = ("__weakref__", "_finalizer", "value")

    def __init__(self, value: int | None, free: Callable[[int | None], None]) -> None:
        #: What the library takes; None, which it refuses, once it is closed.
        self.value = value
        self._finalizer = weakref.finalize(self, free, value)
        # At exit the library may be in use by other threads; clients end in `_close_clients`.
        setattr(self._finalizer, "atexit", False)  # of which type checkers know nothing

    def close(self) -> None:
        """Frees it; harmless when it was done before."""
        self.value = None
        self._finalizer()


class Core:
    """The native client, which everything that was made from a client keeps alive."""

    __slots__ = ("__weakref__", "handle", "process", "timeout_ms", "wait_ms")

    def __init__(self, value: int | None, timeout_ms: int, wait_ms: int) -> None:
        self.handle = Handle(value, lib.consul_client_free)
        self.process = os.getpid()
        self.timeout_ms = timeout_ms
        self.wait_ms = wait_ms
        _open.add(self)


_open: weakref.WeakSet[Core] = weakref.WeakSet()


def _close_clients() -> None:
    """Gives locks and sessions back when the program ends, so that nobody waits for their TTL."""
    end = time.monotonic() + EXIT_LIMIT_MS / 1000
    # What a forked child has from its parent is the parent's to give back.
    for core in [core for core in _open if core.process == os.getpid()]:
        left = max(0, int((end - time.monotonic()) * 1000))
        lib.consul_client_close(core.handle.value, left)
        core.handle.close()


atexit.register(_close_clients)
