"""How fast reads and writes are while all is well: one after the other, and at a set rate."""

from __future__ import annotations

import threading
import time
from typing import Any, Iterator, NamedTuple

from consul_ffi import Client, Queue

#: At a set rate one call of so many writes.
WRITE_EVERY = 5


class Figures(NamedTuple):
    """Times in milliseconds."""

    what: str
    calls: int
    failed: int
    p50: float
    p99: float


def _figures(what: str, times: list[float], failed: int) -> Figures:
    ordered = sorted(times) or [0.0]

    def part(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    return Figures(what, len(times), failed, part(0.5), part(0.99))


def calm(client: Client, seconds: float) -> Iterator[Figures]:
    """Reads and writes by turns, each once the one before has ended."""
    reads: list[float] = []
    writes: list[float] = []
    client.kv.put("chaos/load/0", "0" * 100)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        client.kv.get("chaos/load/0")
        read = time.monotonic()
        client.kv.put("chaos/load/0", "0" * 100)
        reads.append(read - began)
        writes.append(time.monotonic() - read)
    yield _figures("reads, one after the other", reads, 0)
    yield _figures("writes, one after the other", writes, 0)


def rate(client: Client, seconds: float, per_second: int) -> Iterator[Figures]:
    """Calls that begin at this rate, however long those before take. Each is timed from the moment
    at which it should have begun."""
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
    for what, is_one in ("reads", lambda at: at % WRITE_EVERY), ("writes", _is_write):
        chosen = [at for at in range(total) if is_one(at)]
        times = [ended[id(tickets[at])] - began - at / per_second for at in chosen]
        failed = sum(tickets[at].error is not None for at in chosen)
        yield _figures(f"{what}, {per_second} calls a second", times, failed)


def _is_write(at: int) -> bool:
    return at % WRITE_EVERY == 0


def _start(later: Any, total: int, per_second: int, began: float, tickets: list[Any]) -> None:
    for at in range(total):
        time.sleep(max(0.0, began + at / per_second - time.monotonic()))
        key = f"chaos/load/{at % 100}"
        ticket = later.kv.put(key, "0" * 100) if _is_write(at) else later.kv.get(key)
        tickets.append(ticket)
