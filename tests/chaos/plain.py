"""The load in calm without the library, as a process of its own: what Consul, TLS and the machine take by
themselves. The requests are made beforehand, the connections stay open, and of an answer only its status
and its length are looked at.

    plain.py HOST PORT CA CERTIFICATE KEY TOKEN

Then it obeys lines, and answers each with the calls as a line of JSON:

    turns SECONDS               a read and a write by turns, each once the one before has ended
    rate SECONDS PER_SECOND     calls that begin at this rate, however long those before take
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import sys
import time
from collections import deque
from typing import Iterator

import mix
from mix import Timed

#: As many as the library has at most.
CONNECTIONS = 16


def connect(host: str, port: int, context: ssl.SSLContext) -> socket.socket:
    """A connection that has shaken hands."""
    raw = socket.create_connection((host, port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname=host)


class Link:
    """A connection that carries a call at a time."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def begin(self, request: bytes) -> None:
        """Sends a request."""
        self._socket.sendall(request)

    def end(self) -> bool:
        """Waits for the answer, and says whether it is a good one."""
        answer = b""
        while not _is_whole(answer):
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the server has closed the connection")
            answer += more
        return answer.startswith(b"HTTP/1.1 200 ")

    def close(self) -> None:
        """Ends it."""
        self._socket.close()


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"\r\ncontent-length: ")
    return bool(end) and len(body) >= int(length.partition(b"\r\n")[0])


def request(host: str, token: str, key: str, value: str = "") -> bytes:
    """A read, or a write of a value."""
    return (
        f"{'PUT' if value else 'GET'} /v1/kv/{key} HTTP/1.1\r\nHost: {host}\r\n"
        f"X-Consul-Token: {token}\r\nContent-Length: {len(value)}\r\n\r\n{value}"
    ).encode()


class Plain:
    """Who makes the load."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, token: str) -> None:
        self._reads = [request(host, token, key) for key in mix.KEYS]
        self._writes = [request(host, token, key, mix.VALUE) for key in mix.KEYS]
        self._links = [Link(connect(host, port, context)) for _ in range(CONNECTIONS)]
        for link in self._links:
            # So that what a server tells after the handshake has been read.
            link.begin(self._reads[0])
            link.end()

    def turns(self, seconds: float) -> Iterator[Timed]:
        """Reads and writes by turns."""
        link = self._links[0]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for is_write, requests in ((False, self._reads), (True, self._writes)):
                began = time.monotonic()
                link.begin(requests[0])
                ok = link.end()
                yield Timed(is_write, began, time.monotonic(), ok)

    def rate(self, seconds: float, per_second: int) -> Iterator[Timed]:
        """Calls that begin at this rate; those that find no connection free wait for one."""
        total = int(seconds * per_second)
        first = time.monotonic() + 0.05
        idle, busy = list(self._links), dict[Link, int]()
        begun, ended = 0, 0
        waiting = deque[int]()
        while ended < total:
            while begun < total and first + begun / per_second <= time.monotonic():
                waiting.append(begun)
                begun += 1
            while waiting and idle:
                link, at = idle.pop(), waiting.popleft()
                link.begin((self._writes if mix.is_write(at) else self._reads)[at % len(mix.KEYS)])
                busy[link] = at
            rest = max(0.0, first + begun / per_second - time.monotonic())
            for link in select.select(list(busy), [], [], rest if begun < total else None)[0]:
                ok, at = link.end(), busy.pop(link)
                yield Timed(mix.is_write(at), first + at / per_second, time.monotonic(), ok)
                idle.append(link)
                ended += 1

    def close(self) -> None:
        """Ends its connections."""
        for link in self._links:
            link.close()


def main() -> None:
    host, port, authority, certificate, key, token = sys.argv[1:]
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    plain = Plain(host, int(port), context, token)
    for line in sys.stdin:
        what, seconds, *rate = line.split()
        if what == "turns":
            timed = plain.turns(float(seconds))
        else:
            timed = plain.rate(float(seconds), int(rate[0]))
        print(json.dumps(list(timed)), flush=True)
    plain.close()


if __name__ == "__main__":
    main()
