"""Reads and writes while all is well: one after the other, and at a set rate."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Iterator

from consul_ffi import Client, ConsulError, Queue

from history import Load

#: At a set rate one call of so many writes.
WRITE_EVERY = 5


def calm(client: Client, seconds: float) -> Iterator[Load]:
    """Reads and writes by turns, each once the one before has ended."""
    calls: list[tuple[str, Callable[[], object]]] = [
        ("reads", lambda: client.kv.get("chaos/load/0")),
        ("writes", lambda: client.kv.put("chaos/load/0", "0" * 100)),
    ]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for what, call in calls:
            began, ok = time.monotonic(), True
            try:
                call()
            except ConsulError:
                # On a busy machine the servers lose their leader without a fault of ours.
                ok = False
            yield Load(f"{what}, one after the other", began, time.monotonic(), ok)


def rate(client: Client, seconds: float, per_second: int) -> Iterator[Load]:
    """Calls that begin at this rate, however long those before take."""
    total = int(seconds * per_second)
    began = time.monotonic() + 0.05
    tickets: list[Any] = []
    ended: dict[int, float] = {}
    with Queue(max_in_flight=100_000) as queue:
        arguments = client.on(queue), total, per_second, began, tickets
        starter = threading.Thread(target=_start, args=arguments)
        starter.start()
        while len(ended) < total:
            ticket = queue.next()
            ended[id(ticket)] = time.monotonic()
        starter.join()
    for at, ticket in enumerate(tickets):
        what = f"{'writes' if _is_write(at) else 'reads'}, {per_second} calls a second"
        yield Load(what, began + at / per_second, ended[id(ticket)], ticket.error is None)


def _is_write(at: int) -> bool:
    return at % WRITE_EVERY == 0


def _start(later: Any, total: int, per_second: int, began: float, tickets: list[Any]) -> None:
    for at in range(total):
        time.sleep(max(0.0, began + at / per_second - time.monotonic()))
        key = f"chaos/load/{at % 100}"
        ticket = later.kv.put(key, "0" * 100) if _is_write(at) else later.kv.get(key)
        tickets.append(ticket)
