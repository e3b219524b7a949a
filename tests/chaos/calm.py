"""How long reads and writes take while all is well: on a cluster as it stands, and on one whose servers
take as little from each other as three on one machine can."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

from consul_ffi import Client

import mix
from cluster import NAMES, Cluster
from history import Control, History, Load
from load import Library, PlainSockets
from workers import write_surely

#: A file system in memory, where there is one, and how much of it three servers may come to.
MEMORY, ROOM = Path("/dev/shm"), 100 << 20


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    seconds: float
    per_second: int


SHORT, LONG = Plan(1, 0.5, 200), Plan(10, 1.0, 1000)


def measure(cluster: Cluster, history: History, plan: Plan) -> None:
    """Measures on this cluster. The library and the plain sockets take turns, so that what else the machine
    does comes to both."""
    settings, where = cluster.settings(direct=True), _where(cluster)
    with Client(environment=False, timeout_ms=10_000, **settings) as client:
        for key in mix.KEYS:
            write_surely(client, key, mix.VALUE)
        plain = PlainSockets(cluster, NAMES[0])
        with closing(plain), closing(Control(history)):
            for number in range(1 + plan.rounds):
                loads = list(_round([Library(client), plain], plan, where))
                # The first one opens connections.
                if number > 0:
                    history.loads += loads


def _where(cluster: Cluster) -> str:
    data = f"data on {filesystem(cluster.folder)}"
    if cluster.cores:
        return f"as if each server had a machine: {data}, GOMAXPROCS={cluster.cores}"
    return f"as they are, all on one machine: {data}"


def _round(whom: list[Library | PlainSockets], plan: Plan, where: str) -> Iterator[Load]:
    for who in whom:
        for timed in who.turns(plan.seconds / 2):
            yield Load(f"{_kind(timed)}, one after the other", *timed[1:], who.name, where)
    for who in whom:
        for timed in who.rate(plan.seconds, plan.per_second):
            what = f"{_kind(timed)}, {plan.per_second:,} calls a second"
            yield Load(what, *timed[1:], who.name, where)


def _kind(timed: mix.Timed) -> str:
    return "writes" if timed.is_write else "reads"


# --- apart -------------------------------------------------------------------------


def why_not_apart() -> Optional[str]:
    """Why servers cannot be taken apart here; None when they can."""
    if not MEMORY.is_dir() or filesystem(MEMORY) != "tmpfs":
        return f"{MEMORY} is no file system in memory"
    if shutil.disk_usage(MEMORY).free < ROOM:
        return f"{MEMORY} has less than {ROOM >> 20} MB"
    return None


@contextmanager
def apart(raft_multiplier: int) -> Iterator[Cluster]:
    """A cluster whose servers share neither a disk nor, as far as Go can be told, the cores: as three
    machines do not."""
    cores = max(1, len(os.sched_getaffinity(0)) // len(NAMES))
    folder = Path(tempfile.mkdtemp(prefix="consul-ffi-chaos-", dir=MEMORY))
    try:
        cluster = Cluster(folder / "cluster", raft_multiplier, cores)
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


def filesystem(folder: Path) -> str:
    """What kind of file system a folder is on."""
    kind, longest = "", -1
    for row in Path("/proc/self/mounts").read_text().splitlines():
        _, point, its_kind, *_ = row.split()
        # Of two at one point the later one is seen.
        if folder.resolve().is_relative_to(point) and len(point) >= longest:
            kind, longest = its_kind, len(point)
    return kind
