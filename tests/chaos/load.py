"""Reads and writes while all is well: one after the other, and at a set rate; by the library, and beside
it by plain sockets."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

from consul_ffi import Client, ConsulError, Queue

import mix
from cluster import Cluster
from mix import Timed


class Library:
    """The load by the library."""

    name = "the library"

    def __init__(self, client: Client) -> None:
        self._client = client

    def turns(self, seconds: float) -> Iterator[Timed]:
        """Reads and writes by turns, each once the one before has ended."""
        kv, key = self._client.kv, mix.KEYS[0]
        calls: list[Callable[[], object]] = [lambda: kv.get(key), lambda: kv.put(key, mix.VALUE)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for is_write, call in enumerate(calls):
                began, ok = time.monotonic(), True
                try:
                    call()
                except ConsulError:
                    # On a busy machine the servers lose their leader without a fault of ours.
                    ok = False
                yield Timed(bool(is_write), began, time.monotonic(), ok)

    def rate(self, seconds: float, per_second: int) -> Iterator[Timed]:
        """Calls that begin at this rate, however long those before take."""
        total = int(seconds * per_second)
        first = time.monotonic() + 0.05
        tickets: list[Any] = []
        ended: dict[int, float] = {}
        with Queue(max_in_flight=100_000) as queue:
            arguments = self._client.on(queue), total, per_second, first, tickets
            starter = threading.Thread(target=_start, args=arguments)
            starter.start()
            while len(ended) < total:
                ticket = queue.next()
                ended[id(ticket)] = time.monotonic()
            starter.join()
        for at, ticket in enumerate(tickets):
            began = first + at / per_second
            yield Timed(mix.is_write(at), began, ended[id(ticket)], ticket.error is None)


def _start(later: Any, total: int, per_second: int, first: float, tickets: list[Any]) -> None:
    for at in range(total):
        time.sleep(max(0.0, first + at / per_second - time.monotonic()))
        key = mix.key(at)
        tickets.append(later.kv.put(key, mix.VALUE) if mix.is_write(at) else later.kv.get(key))


class PlainSockets:
    """The same load by plain.py, to the server that the library begins with."""

    name = "plain sockets"

    def __init__(self, cluster: Cluster, server: str) -> None:
        settings = cluster.settings()
        files = [settings[f"tls_{each}_file"] for each in ("ca", "cert", "key")]
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("plain.py"))]
            + [cluster.host(server), str(cluster.port), *files, settings["token"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def turns(self, seconds: float) -> Iterator[Timed]:
        """As Library.turns."""
        return self._told(f"turns {seconds}")

    def rate(self, seconds: float, per_second: int) -> Iterator[Timed]:
        """As Library.rate."""
        return self._told(f"rate {seconds} {per_second}")

    def _told(self, order: str) -> Iterator[Timed]:
        assert self._process.stdin and self._process.stdout
        print(order, file=self._process.stdin, flush=True)
        return (Timed(*row) for row in json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()
