"""How a native client ends that nobody knows any more.

What it made was freed before, and is given back in the background; the client is freed when that is done.
All this happens wherever Python collects garbage, so that nothing here waits or takes a lock.
"""

from __future__ import annotations

import os
import time
from ctypes import addressof, byref, c_void_p

from . import _abi
from ._async import Async
from ._library import lib

#: How long giving back may take, as long as `Client.close` lets it.
_LIMIT_MS = 5000

#: Clients that are being closed, each with the queue in which its end arrives.
_leaving: list[tuple[int | None, int | None]] = []


class Departure:
    """Frees a client; where it has made something to give back, after that was given back."""

    __slots__ = ("gives_back",)

    def __init__(self) -> None:
        self.gives_back = False

    def __call__(self, client: int | None) -> None:
        sweep()
        if not self.gives_back or not _begin(client):
            lib.consul_client_free(client)


def _begin(client: int | None) -> bool:
    """Begins to close a client; False when it could not."""
    queue = c_void_p()
    if lib.consul_queue_new(byref(queue)) != _abi.CONSUL_OK:
        return False
    request = Async(queue.value, 0)
    status = lib.consul_client_close_async(client, _LIMIT_MS, addressof(request))
    if status != _abi.CONSUL_PENDING:
        lib.consul_queue_free(queue.value)
        return False
    _leaving.append((client, queue.value))
    return True


def sweep(end: float = 0) -> None:
    """Frees the clients that were closed, and waits for the others until this moment of
    `time.monotonic`."""
    for each in list(_leaving):
        (client, queue), event = each, c_void_p()
        left = max(0, int((end - time.monotonic()) * 1000))
        if lib.consul_queue_next(queue, left, byref(event)) == _abi.CONSUL_NO_CHANGE:
            continue
        lib.consul_event_free(event.value)
        try:
            _leaving.remove(each)
        except ValueError:  # another thread was here
            continue
        lib.consul_client_free(client)
        lib.consul_queue_free(queue)


# In a forked child they are the parent's.
os.register_at_fork(after_in_child=_leaving.clear)
