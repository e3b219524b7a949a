"""What several tests need: clients, key prefixes, other processes, servers that misbehave."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path
from typing import Any, Callable, Iterator

import consul_ffi

ROOT = Path(__file__).resolve().parent.parent.parent

#: How long something that must happen may take on a busy machine.
PATIENCE = 30

_numbers = itertools.count()


def prefix() -> str:
    """A key prefix that no other test uses."""
    return f"python-{os.getpid()}-{next(_numbers)}/"


def acquire_in_vain(contender: consul_ffi.Lock | consul_ffi.Semaphore, ms: int = 50) -> bool:
    """Waits in vain for what others hold, and longer where Consul takes longer to say so."""
    while True:
        try:
            return contender.acquire(ms)
        except consul_ffi.Timeout:
            if ms > 10_000:
                raise
            ms *= 2


class Control:
    """How late this machine is, for tests of time limits on one that does other work too: a thread that
    only sleeps, and adds up what it oversleeps and what a process waits for a processor, as the kernel
    counts it."""

    TICK_S = 0.005

    def __init__(self, process: int) -> None:
        self._tasks = Path(f"/proc/{process}/task")
        self._waited: dict[str, float] = {}
        self._late = 0.0
        self._over = threading.Event()
        self._look()
        self._before = sum(self._waited.values())
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._sleep)
        self._thread.start()

    def _sleep(self) -> None:
        while not self._over.is_set():
            asleep = time.monotonic()
            time.sleep(self.TICK_S)
            over = time.monotonic() - asleep - self.TICK_S
            # Any sleep ends a little late, by the timer's grain; that is no stall.
            if over > self.TICK_S / 2:
                self._late += over
            self._look()

    def _look(self) -> None:
        # Of a thread that has ended, what was seen last stays. Not every kernel counts it.
        with contextlib.suppress(OSError):
            for task in self._tasks.iterdir():
                with contextlib.suppress(OSError):
                    self._waited[task.name] = int((task / "schedstat").read_text().split()[1]) / 1e9

    def stop(self) -> float:
        """The seconds since it began, less what is the machine's fault."""
        took = time.monotonic() - self._began
        self._over.set()
        self._thread.join()
        return took - self._late - (sum(self._waited.values()) - self._before)


def eventually(question: Callable[[], Any]) -> Any:
    """Asks until the answer is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("it never came to it")


def missing(what: str) -> None:
    """Skips a test that lacks something, except in CI, where it must be there."""
    if os.environ.get("CI"):
        raise AssertionError(f"{what} is missing, and CI is set")
    raise unittest.SkipTest(f"{what} is missing")


class ConsulTest(unittest.TestCase):
    """A test with a client, on a real Consul."""

    client: consul_ffi.Client

    def setUp(self) -> None:
        if "CONSUL_HTTP_ADDR" not in os.environ:
            missing("Consul")
        self.client = consul_ffi.Client(timeout_ms=PATIENCE * 1000)
        self.addCleanup(self.client.close, PATIENCE * 1000)

    def wait_no_session(self, name: str) -> None:
        """Waits until no session has this name."""
        eventually(lambda: all(s.name != name for s in self.client.session.list()))


def python(program: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Starts a Python program in a process of its own, SIGINT as in a terminal."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Waits for a process: its exit status, what it wrote, what it complained."""
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, output, errors


@contextlib.contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on a free port that hands each connection to `answer`. Gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def client_of(address: str, **settings: Any) -> consul_ffi.Client:
    """A client of a server that is not the tests' Consul."""
    return consul_ffi.Client(address=address, environment=False, **settings)
