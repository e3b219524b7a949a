"""The clients: they write, read, lock, campaign and watch, and note what became of it."""

from __future__ import annotations

import itertools
import random
import threading
import time
from typing import Any, Callable, Literal, Optional

import consul_ffi
from consul_ffi import Client, ConsulError, SessionSpec

from cluster import PATIENCE_S
from history import FAILED, OK, UNKNOWN, Call, History, Holding

Mode = Literal["consistent", "default", "stale"]

REGISTERS = [f"chaos/register/{number}" for number in range(6)]
WATCHED = [f"chaos/watched/{number}" for number in range(3)]
SHORT_TTL_MS, SHORT_DELAY_MS = 10_000, 1_000


def write_surely(client: Client, key: str, value: str) -> None:
    """Writes a key before there are faults, also where the servers of a busy machine lose their leader
    amid it."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return client.kv.put(key, value)
        except ConsulError:
            if time.monotonic() > end:
                raise


class Recorder:
    """Makes calls and notes them."""

    def __init__(self, history: History, timeout: float) -> None:
        self._history, self._timeout = history, timeout

    def run(self, kind: str, key: str, call: Callable[[], Any], **more: Any) -> Any:
        """Makes a call; what it returned, None after an error. False means that nothing was
        done."""
        answer, outcome, error, index = None, OK, "", 0
        timeout = more.pop("timeout", self._timeout)
        began = time.monotonic()
        try:
            answer = call()
            if answer is False:
                outcome = FAILED
        except ConsulError as problem:
            outcome = UNKNOWN if problem.outcome_unknown else FAILED
            error = f"{problem.name}: {problem}"
        ended = time.monotonic()
        if kind == "read" and answer is not None:
            more["value"], index = answer.text, answer.modify_index
        self._history.calls.append(
            Call(kind, key, began, ended, outcome, timeout, index=index, error=error, **more)
        )
        return answer if outcome == OK else None

    def read(self, client: Client, key: str, mode: Mode) -> Any:
        """Reads a key."""
        return self.run("read", key, lambda: client.kv.get(key, consistency=mode), mode=mode)

    def found(self, key: str, pair: Any, began: float) -> None:
        """Notes what a consistent read of many keys, which began then, said of one of them."""
        value, index = (pair.text, pair.modify_index) if pair else (None, 0)
        now = time.monotonic()
        self._history.calls.append(
            Call("read", key, began, now, OK, now - began, value, index, "consistent")
        )


class Worker(threading.Thread):
    """Takes one step after the other until it is stopped."""

    #: How long it pauses between two steps.
    pause = 0.01

    def __init__(self, client: Client, history: History, timeout: float, name: str) -> None:
        super().__init__(name=name)
        self.client, self.history = client, history
        self.recorder = Recorder(history, timeout)
        self.stopped = threading.Event()
        #: What went wrong in the program itself.
        self.fault: Optional[BaseException] = None
        self.numbers = itertools.count(1)

    def run(self) -> None:
        try:
            while not self.stopped.wait(self.pause):
                self.step()
            self.end()
        except BaseException as error:  # told by whoever joins it
            self.fault = error

    def step(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """What is to be given back."""


class Writer(Worker):
    """The only one who writes its registers: plainly, and now and then by compare-and-set."""

    def __init__(self, *arguments: Any, keys: list[str]) -> None:
        super().__init__(*arguments)
        self._keys = itertools.cycle(keys)

    def step(self) -> None:
        key, number = next(self._keys), next(self.numbers)
        value = f"{self.name}.{number}"
        if number % 4:
            self.recorder.run("put", key, lambda: self.client.kv.put(key, value), value=value)
            return
        found = self.recorder.read(self.client, key, "consistent")
        index = found.modify_index if found else 0
        self.recorder.run("put", key, lambda: self.client.kv.cas(key, value, index), value=value)


class Creator(Worker):
    """Writes keys that nobody has written before."""

    def step(self) -> None:
        number = str(next(self.numbers))
        key = f"chaos/created/{self.name}/{number}"
        self.recorder.run("create", key, lambda: self.client.kv.put(key, number), value=number)


class Reader(Worker):
    """Reads registers, and what is written under the lock."""

    def __init__(self, *arguments: Any, mode: Mode) -> None:
        super().__init__(*arguments)
        self._mode = mode

    def step(self) -> None:
        key = random.choice([*REGISTERS, "chaos/guarded"])
        self.recorder.read(self.client, key, self._mode)


class Locker(Worker):
    """Waits for the lock, works under it for a while, and gives it back."""

    ACQUIRE_S = 5.0

    def step(self) -> None:
        session = SessionSpec(ttl_ms=SHORT_TTL_MS, lock_delay_ms=SHORT_DELAY_MS)
        with_own = self.client.lock("chaos/lock", value=self.name, session=session)
        try:
            wait_ms = int(self.ACQUIRE_S * 1000)
            acquire = self.recorder.run(
                "other", "acquire", lambda: with_own.acquire(wait_ms), timeout=self.ACQUIRE_S
            )
            if acquire:
                self._work(with_own)
        finally:
            with_own.close()

    def _work(self, lock: consul_ffi.Lock) -> None:
        since = until = time.monotonic()
        token, end = lock.fencing_token, since + random.uniform(0.05, 0.4)
        while time.monotonic() < end:
            value = f"{token}.{self.name}.{next(self.numbers)}"
            self.recorder.run(
                "guarded", "chaos/guarded", lambda: lock.put("chaos/guarded", value), value=value
            )
            now = time.monotonic()
            if not lock.is_held:
                break
            # It was held at the moment at which it said so, so before that at `now` too.
            until = now
            time.sleep(0.02)
        self.history.holdings.append(Holding("chaos/lock", self.name, token, since, until))
        self.recorder.run("other", "release", lock.release)


class Candidate(Worker):
    """Campaigns, leads for a while, and lets others lead."""

    pause = 0.02

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._election = self.client.election(
            "chaos/leader",
            value=self.name,
            session_ttl_ms=SHORT_TTL_MS,
            lock_delay_ms=SHORT_DELAY_MS,
        )
        self._term: Optional[Holding] = None

    def step(self) -> None:
        now = time.monotonic()
        if not self._election.is_leader:
            self._close_term()
            self._election.campaign()
            return
        token, after = self._election.fencing_token, time.monotonic()
        if self._term and self._term.token != token:
            self._close_term()
        # It led somewhere between two readings of the clock: from the later one at first, until the
        # earlier one at last.
        since = self._term.since if self._term else after
        self._term = Holding("chaos/leader", self.name, token, since, max(since, now))
        if now - since > 2.0:
            self._resign()

    def _close_term(self) -> None:
        if self._term:
            self.history.holdings.append(self._term)
            self._term = None

    def _resign(self) -> None:
        self._close_term()
        self.recorder.run("other", "resign", self._election.resign)
        # The others first.
        self.stopped.wait(0.3)

    def end(self) -> None:
        self._close_term()
        self._election.close()


class Pulse(Worker):
    """Writes what is watched, but for the moments at which it is held."""

    pause = 0.05

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.beat = threading.Lock()
        self._keys = itertools.cycle(WATCHED)

    def step(self) -> None:
        key, value = next(self._keys), f"pulse.{next(self.numbers)}"
        with self.beat:
            self.recorder.run("put", key, lambda: self.client.kv.put(key, value), value=value)
