"""What happened: every operation with its times and its outcome, as the checker reads it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Optional

#: How often a control thread wakes.
TICK_S = 0.005

OK = "ok"
#: Certainly nothing was changed.
FAILED = "failed"
#: It may have been done, or may be done at any later time.
UNKNOWN = "unknown"

#: The fault that is measured most closely.
KILL_LEADER = "kill the leader"


@dataclass(frozen=True)
class Call:
    """A call of the library. All times are of one clock, in seconds."""

    #: "put" (one writer a key), "create" (one write a key), "guarded" (held by a lock), "read", "other".
    kind: str
    key: str
    began: float
    ended: float
    outcome: str
    timeout: float
    #: What was written or read; no value is written twice. None: there is no such key.
    value: Optional[str] = None
    #: The index of the write that was read, 0 where there was none.
    index: int = 0
    #: "consistent", "default" or "stale", of a read.
    mode: str = ""
    error: str = ""


@dataclass(frozen=True)
class Holding:
    """A time in which somebody believed to hold a lock, or to lead."""

    lock: str
    holder: str
    token: int
    since: float
    until: float


@dataclass(frozen=True)
class Calm:
    """How long a watch took to be equal to Consul once all was well; None: it never was."""

    watch: str
    fault: str
    began: float
    took: Optional[float]


@dataclass(frozen=True)
class Left:
    """What is left at the end, and what may be."""

    what: str
    count: int
    allowed: int


@dataclass(frozen=True)
class Fault:
    """A fault, from the moment at which it was made until all was well again."""

    name: str
    server: str
    began: float
    healed: float
    well: float
    #: When a plain write first succeeded at any server; only measured where a leader is killed.
    probed: Optional[float] = None


@dataclass(frozen=True)
class Load:
    """A call of the measurement in calm, timed from the moment at which it should have begun."""

    what: str
    began: float
    ended: float
    ok: bool
    #: Who made it.
    by: str
    #: What the cluster is like that it was made on.
    where: str


@dataclass(frozen=True)
class Setting:
    """What ran."""

    seed: int = 0
    raft_multiplier: int = 0
    library: str = ""


@dataclass
class History:
    """All of it. Appending to a list is one step, so threads need no lock."""

    setting: Setting = Setting()
    loads: list[Load] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    calms: list[Calm] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    #: The moments at which a control thread woke too late, and by how much.
    late: list[tuple[float, float]] = field(default_factory=list)
    #: Faults that could not be made here, and why.
    not_run: dict[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Writes it down as JSON."""
        path.write_text(json.dumps(asdict(self)))

    @staticmethod
    def load(path: Path) -> History:
        """Reads what was written down."""
        told = json.loads(path.read_text())
        return History(
            setting=Setting(**told["setting"]),
            loads=[Load(**row) for row in told["loads"]],
            calls=[Call(**row) for row in told["calls"]],
            holdings=[Holding(**row) for row in told["holdings"]],
            calms=[Calm(**row) for row in told["calms"]],
            left=[Left(**row) for row in told["left"]],
            faults=[Fault(**row) for row in told["faults"]],
            late=[(at, by) for at, by in told["late"]],
            not_run=told["not_run"],
        )


class Control:
    """Threads that only sleep, and note by how much they overslept: as late as the machine lets a
    thread be. Two of them, for a call wakes two: the library's I/O thread, and the one that waits."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(2)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            asleep = time.monotonic()
            time.sleep(TICK_S)
            awake = time.monotonic()
            overslept = awake - asleep - TICK_S
            # Any sleep ends a little late, by the timer's grain.
            if overslept > TICK_S / 2:
                self._history.late.append((awake, overslept))

    def close(self) -> None:
        """Ends them."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
