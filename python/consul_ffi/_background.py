"""What goes on when nobody waits for it: the end of a client that nobody knows any more, and of what was
acquired for somebody who is gone.

It begins wherever Python collects garbage, so that nothing here waits or takes a lock.
"""

from __future__ import annotations

import os
import time
from ctypes import addressof, byref, c_void_p
from functools import partial
from typing import Callable

from . import _abi
from ._async import Async
from ._library import lib

#: How long giving back may take, as long as `Client.close` lets it.
_LIMIT_MS = 5000

#: The queues in which ends arrive, each with the client that is freed then, if it is one's end.
_under_way: list[tuple[int | None, int | None]] = []


class Departure:
    """Frees a client; where it has made something to give back, after that was given back."""

    __slots__ = ("gives_back",)

    def __init__(self) -> None:
        self.gives_back = False

    def __call__(self, client: int | None) -> None:
        sweep()
        if not self.gives_back or not begin(partial(_close, client), client):
            lib.consul_client_free(client)


def _close(client: int | None, request: int) -> int:
    return lib.consul_client_close_async(client, _LIMIT_MS, request)


def begin(call: Callable[[int], int], client: int | None = None) -> bool:
    """Begins a call, which takes the address of its `Async`; False when it does not begin. A client is
    freed at its end."""
    queue = c_void_p()
    if lib.consul_queue_new(byref(queue)) != _abi.CONSUL_OK:
        return False
    request = Async(queue.value, 0)
    if call(addressof(request)) != _abi.CONSUL_PENDING:
        lib.consul_queue_free(queue.value)
        return False
    _under_way.append((client, queue.value))
    return True


def sweep(end: float = 0) -> None:
    """Frees what has ended, and waits for the rest until this moment of `time.monotonic`."""
    for each in list(_under_way):
        (client, queue), event = each, c_void_p()
        left = max(0, int((end - time.monotonic()) * 1000))
        if lib.consul_queue_next(queue, left, byref(event)) == _abi.CONSUL_NO_CHANGE:
            continue
        lib.consul_event_free(event.value)
        try:
            _under_way.remove(each)
        except ValueError:  # another thread was here
            continue
        lib.consul_client_free(client)
        lib.consul_queue_free(queue)


# In a forked child that is the parent's.
os.register_at_fork(after_in_child=_under_way.clear)
