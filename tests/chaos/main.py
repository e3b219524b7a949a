"""A cluster of three servers under faults, clients of the library on it, and a judgement.

    tests/chaos/run.sh [OPTION]...

The options: --help.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from random import randrange
from typing import Any, Optional

import consul_ffi
from consul_ffi import Client

import calm
import checker
import faults
import report
from cluster import NAMES, Cluster
from history import KILL_LEADER, Control, Fault, History, Left, Setting
from watchers import Watchers
from workers import (
    REGISTERS,
    Candidate,
    Creator,
    Locker,
    Pulse,
    Reader,
    Recorder,
    Worker,
    Writer,
    write_surely,
)

TIMEOUT_S = 10.0
#: Where all that happened is kept when a check has found something.
FOUND = Path(__file__).resolve().parents[2] / "target" / "chaos-history.json"
#: A session whose making nobody heard of lives for twice its TTL.
END_S = 60.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description="A cluster under faults.")
    parser.add_argument("--short", action="store_true", help="a few faults, for `make test`")
    parser.add_argument("--faults", type=int, default=54, help="how many, 54 otherwise")
    parser.add_argument("--only", choices=list(faults.FAULTS), help="this fault alone")
    parser.add_argument("--raft-multiplier", type=int, help="1 to 10; Consul's 5 otherwise")
    parser.add_argument("--seed", type=int, default=randrange(1 << 32))
    parser.add_argument("--history", type=Path, help="where to write all that happened")
    given = parser.parse_args()
    if given.raft_multiplier is None:
        given.raft_multiplier = 1 if given.short else 5
    return given


class Run:
    """One run on one cluster."""

    def __init__(self, cluster: Cluster, given: argparse.Namespace, history: History) -> None:
        self.cluster, self.given, self.history = cluster, given, history

    def all(self) -> None:
        """Everything, until nothing is left."""
        self._warm_up()
        before = _left()
        calm.measure(self.cluster, self.history, calm.SHORT if self.given.short else calm.LONG)
        with closing(Control(self.history)):
            clients = [self._client(first) for first in range(3)]
            self._under_faults(clients)
            self._read_all(clients[0])
            for client in clients:
                client.close()
        self._note_left(before)

    def _client(self, first: int = 0) -> Client:
        settings = self.cluster.settings(first)
        return Client(environment=False, timeout_ms=int(TIMEOUT_S * 1000), **settings)

    def _warm_up(self) -> None:
        """What the library starts once for the process is there afterwards."""
        with self._client() as client:
            write_surely(client, "chaos/warm", "")
            client.watch.key("chaos/warm").wait_ready(120_000).close()

    # --- faults ----------------------------------------------------------------

    def _under_faults(self, clients: list[Client]) -> None:
        workers = self._workers(clients)
        pulse = workers[0]
        assert isinstance(pulse, Pulse)
        watchers = Watchers(self.cluster, clients, self.history, pulse)
        for worker in workers:
            worker.start()
        names, not_run = faults.plan(self.given)
        self.history.not_run |= not_run
        try:
            for number, name in enumerate(names, 1):
                fault = self._fault(name)
                watchers.judge(name)
                line = report.fault_line(fault, self.history)
                print(f"{number:3}/{len(names)} {line}", flush=True)
                # Everybody works again before the next one.
                time.sleep(0.3 if self.given.short else faults.chance.uniform(0.5, 2))
        finally:
            for worker in workers:
                worker.stopped.set()
            for worker in workers:
                worker.join()
            watchers.close()
        for worker in workers:
            if worker.fault:
                raise worker.fault

    def _workers(self, clients: list[Client]) -> list[Worker]:
        def made(kind: Any, client: int, name: str, **more: Any) -> Worker:
            worker: Worker = kind(clients[client], self.history, TIMEOUT_S, name, **more)
            return worker

        return [
            made(Pulse, 0, "pulse"),
            made(Writer, 0, "writer0", keys=REGISTERS[:3]),
            made(Writer, 1, "writer1", keys=REGISTERS[3:]),
            made(Creator, 1, "creator1"),
            made(Creator, 2, "creator2"),
            made(Reader, 0, "consistent", mode="consistent"),
            made(Reader, 1, "default", mode="default"),
            made(Reader, 2, "stale", mode="stale"),
            *(made(Locker, each, f"locker{each}") for each in range(3)),
            *(made(Candidate, each, f"candidate{each}") for each in range(3)),
        ]

    def _fault(self, name: str) -> Fault:
        cluster, probed = self.cluster, None
        with faults.FAULTS[name](cluster) as made:
            if name == KILL_LEADER:
                probed = _first_probe(cluster)
            time.sleep(
                faults.chance.uniform(0.5, 1) if self.given.short else faults.chance.uniform(1, 8)
            )
        healed = time.monotonic()
        cluster.await_well()
        fault = Fault(name, made.server, made.began, healed, time.monotonic(), probed)
        self.history.faults.append(fault)
        return fault

    # --- the end -----------------------------------------------------------------

    def _read_all(self, client: Client) -> None:
        """Reads everything that was written, by consistent reads."""
        recorder = Recorder(self.history, TIMEOUT_S)
        for key in REGISTERS:
            recorder.read(client, key, "consistent")
        began = time.monotonic()
        there = {
            pair.key: pair for pair in client.kv.list("chaos/created/", consistency="consistent")
        }
        created = {call.key for call in self.history.calls if call.kind == "create"}
        for key in created | set(there):
            recorder.found(key, there.get(key), began)

    def _note_left(self, before: dict[str, int]) -> None:
        end = time.monotonic() + END_S
        while True:
            sessions = len(self.cluster.sessions())
            now = _left()
            over = [what for what in now if now[what] > before[what]]
            if (not sessions and not over) or time.monotonic() > end:
                break
            time.sleep(0.1)
        self.history.left = [Left(what, now[what], before[what]) for what in now]
        self.history.left.append(Left("sessions", sessions, 0))


def _first_probe(cluster: Cluster) -> Optional[float]:
    """When a plain write first succeeds, each server being asked again and again."""
    found: list[float] = []
    over = threading.Event()

    def probe(name: str) -> None:
        while not over.is_set():
            if cluster.writes(name, timeout=10):
                found.append(time.monotonic())
                over.set()
            over.wait(0.05)

    threads = [threading.Thread(target=probe, args=(name,)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return min(found, default=None)


def _left() -> dict[str, int]:
    """What the process has."""
    return {
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "objects of the library": consul_ffi.live_handles(),
    }


def _measure_apart(history: History, given: argparse.Namespace) -> None:
    """Before the servers of the faults are there."""
    why = calm.why_not_apart()
    if why:
        history.not_run["servers apart, in calm"] = why
        return
    with calm.apart(given.raft_multiplier) as cluster:
        calm.measure(cluster, history, calm.LONG)


def main() -> int:
    given = arguments()
    faults.chance.seed(given.seed)
    # So that everything is stopped then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="consul-ffi-chaos-"))
    print(
        f"seed {given.seed}, raft_multiplier {given.raft_multiplier}, {consul_ffi.library_path}",
        flush=True,
    )
    history = History(Setting(given.seed, given.raft_multiplier, str(consul_ffi.library_path)))
    try:
        if not given.short:
            _measure_apart(history, given)
        cluster = Cluster(folder / "cluster", given.raft_multiplier)
        try:
            Run(cluster, given, history).all()
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)
    report.show(history)
    found = checker.check(history)
    print()
    bad = checker.show(found)
    kept = given.history or (FOUND if bad else None)
    if kept:
        history.save(kept)
        print(f"all that happened is in {kept}")
    result = os.environ.get("STAGE_RESULT")
    if result:
        Path(result).write_text(f"{len(found) - bad} {bad}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
