"""The faults. Each is a context: it is made, it lasts for the block, and it is healed."""

from __future__ import annotations

import argparse
import random
import signal
import time
from contextlib import contextmanager
from typing import Callable, ContextManager, Iterator, NamedTuple

from cluster import NAMES, Cluster, why_not_parted
from history import KILL_LEADER

#: Which faults, where and for how long. Nobody else asks it, so a seed says it all.
chance = random.Random()


class Made(NamedTuple):
    """A fault that was made."""

    server: str
    began: float


Make = Callable[[Cluster], ContextManager[Made]]


def _follower(cluster: Cluster) -> str:
    leader = cluster.leader()
    return chance.choice([name for name in NAMES if name != leader])


def _any(_cluster: Cluster) -> str:
    return chance.choice(NAMES)


def _killed(choose: Callable[[Cluster], str], how: signal.Signals = signal.SIGKILL) -> Make:
    @contextmanager
    def make(cluster: Cluster) -> Iterator[Made]:
        name = choose(cluster)
        began = time.monotonic()
        cluster.signal(name, how)
        try:
            yield Made(name, began)
        finally:
            cluster.start(name)

    return make


@contextmanager
def _two_killed(cluster: Cluster) -> Iterator[Made]:
    names = [cluster.leader(), _follower(cluster)]
    began = time.monotonic()
    for name in names:
        cluster.signal(name, signal.SIGKILL)
    try:
        yield Made(" and ".join(names), began)
    finally:
        for name in names:
            cluster.start(name)


def _frozen(choose: Callable[[Cluster], str]) -> Make:
    @contextmanager
    def make(cluster: Cluster) -> Iterator[Made]:
        name = choose(cluster)
        began = time.monotonic()
        cluster.signal(name, signal.SIGSTOP)
        try:
            yield Made(name, began)
        finally:
            cluster.signal(name, signal.SIGCONT)

    return make


def _door(mode: str, *numbers: float) -> Make:
    @contextmanager
    def make(cluster: Cluster) -> Iterator[Made]:
        name = _any(cluster)
        began = time.monotonic()
        cluster.door(name, mode, chance.choice(numbers or (0,)))
        try:
            yield Made(name, began)
        finally:
            cluster.door(name, "pass")

    return make


@contextmanager
def _all_slow(cluster: Cluster) -> Iterator[Made]:
    began = time.monotonic()
    for name in NAMES:
        cluster.door(name, "slow", 0.05)
    try:
        yield Made("all", began)
    finally:
        for name in NAMES:
            cluster.door(name, "pass")


def _parted(choose: Callable[[Cluster], str]) -> Make:
    @contextmanager
    def make(cluster: Cluster) -> Iterator[Made]:
        name = choose(cluster)
        began = time.monotonic()
        cluster.part(name)
        try:
            yield Made(name, began)
        finally:
            cluster.join()

    return make


#: By name; what they are called in the report.
FAULTS: dict[str, Make] = {
    KILL_LEADER: _killed(Cluster.leader),
    "kill a follower": _killed(_follower),
    "kill the leader and a follower": _two_killed,
    "freeze the leader": _frozen(Cluster.leader),
    "freeze a follower": _frozen(_follower),
    "restart the leader": _killed(Cluster.leader, signal.SIGTERM),
    "restart a follower": _killed(_follower, signal.SIGTERM),
    "slow one": _door("slow", 0.02, 0.2, 1.0),
    "slow all": _all_slow,
    "hold the way to one": _door("hold"),
    "reset the ways to one": _door("refuse"),
    "cut answers of one": _door("cut", 100, 2000, 5000),
    "part the leader": _parted(Cluster.leader),
    "part a follower": _parted(_follower),
}

_PARTED = ("part the leader", "part a follower")
_SHORT = [KILL_LEADER, "reset the ways to one", "freeze a follower", "part the leader"]
#: Medians over the kills of a leader take some.
_KILLS = 12


def plan(given: argparse.Namespace) -> tuple[list[str], dict[str, str]]:
    """The faults to make, in their order; and those that cannot be made here, and why."""
    why = why_not_parted()
    not_run = {name: why for name in _PARTED} if why else {}
    if given.only:
        wanted = [given.only] * given.faults
    elif given.short:
        wanted = _SHORT
    else:
        wanted = _long(given.faults, not_run)
    return [name for name in wanted if name not in not_run], not_run


def _long(count: int, not_run: dict[str, str]) -> list[str]:
    others = [name for name in FAULTS if name != KILL_LEADER and name not in not_run]
    kills = min(_KILLS, count)
    chosen = [KILL_LEADER] * kills
    chosen += [others[at % len(others)] for at in range(count - kills)]
    chance.shuffle(chosen)
    return chosen
