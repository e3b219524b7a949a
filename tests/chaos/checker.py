"""Judges a history. Pure: it knows nothing of Consul's state, of threads or of the clock.

    python3 tests/chaos/checker.py HISTORY.json

A write whose outcome is unknown may take effect at any later time, once, or never.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import defaultdict
from itertools import accumulate
from pathlib import Path
from typing import Callable, Iterable, Optional

from history import FAILED, OK, Call, History, Holding

#: How late a call may be where the machine is not.
GRAIN_S = 0.1
#: How long a watch may take once all is well.
CALM_S = 5.0

NEVER = float("inf")


def check(history: History) -> dict[str, list[str]]:
    """What is wrong, by what should be."""
    return {name: list(find(history)) for name, find in CHECKS.items()}


# --- writes and reads --------------------------------------------------------------


def _by_key(calls: Iterable[Call]) -> dict[str, list[Call]]:
    keys: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        keys[call.key].append(call)
    return keys


def _writes(history: History) -> list[Call]:
    return [call for call in history.calls if call.kind in ("put", "create", "guarded")]


def _reads(history: History) -> list[Call]:
    return [call for call in history.calls if call.kind == "read" and call.outcome == OK]


class _Best:
    """The largest number that is known at a time, of numbers that become known one by one."""

    def __init__(self, known: Iterable[tuple[float, float]]) -> None:
        ordered = sorted(known)
        self._times = [time for time, _ in ordered]
        self._largest = list(accumulate((number for _, number in ordered), max))

    def at(self, time: float) -> float:
        found = bisect_right(self._times, time)
        return self._largest[found - 1] if found else -NEVER


def origin(history: History) -> Iterable[str]:
    """What is read was written: before, and by nobody who was told that it certainly was not."""
    written = {(call.key, call.value): call for call in _writes(history)}
    for read in _reads(history):
        if read.value is None:
            continue
        write = written.get((read.key, read.value))
        if write is None:
            yield f"{read.key}: {read.value} was read at {read.ended:.3f}, and never written"
        elif write.began > read.ended:
            yield f"{read.key}: {read.value} was read before it was written"
        elif write.outcome == FAILED:
            yield (
                f"{read.key}: {read.value} was read, whose write had failed for certain "
                f"({write.error})"
            )


def lost(history: History) -> Iterable[str]:
    """A consistent read finds the last acknowledged write, or one that may have come after it."""
    written = _by_key(call for call in _writes(history) if call.kind != "guarded")
    for key, reads in _by_key(_reads(history)).items():
        yield from _lost(key, written.get(key, []), reads)


def _lost(key: str, writes: list[Call], reads: list[Call]) -> Iterable[str]:
    acknowledged = [write for write in writes if write.outcome == OK]
    # What was acknowledged by a time is not older than the write that began last of it.
    newest = _Best((write.ended, write.began) for write in acknowledged)
    # From when on a write has certainly had its effect.
    settled = {write.value: write.ended for write in acknowledged}
    for read in reads:
        if read.value is not None:
            settled[read.value] = min(read.ended, settled.get(read.value, NEVER))
    for read in reads:
        if read.mode != "consistent":
            continue
        expected = newest.at(read.began)
        if expected == -NEVER:
            continue
        if read.value is None:
            yield f"{key}: gone at {read.ended:.3f}, though a write was acknowledged"
        elif settled[read.value] <= expected:
            yield (
                f"{key}: the read of {read.began:.3f} gave {read.value}, older than the write "
                f"that began at {expected:.3f} and was acknowledged"
            )


def order(history: History) -> Iterable[str]:
    """A write takes effect once, and consistent reads never go back."""
    for key, reads in _by_key(_reads(history)).items():
        indexes: dict[Optional[str], int] = {}
        for read in reads:
            if read.value is None:
                continue
            if indexes.setdefault(read.value, read.index) != read.index:
                yield (
                    f"{key}: {read.value} took effect twice, at {indexes[read.value]} and at "
                    f"{read.index}"
                )
        consistent = [read for read in reads if read.mode == "consistent"]
        seen = _Best((read.ended, read.index) for read in consistent)
        for read in consistent:
            if read.index < seen.at(read.began):
                yield f"{key}: index {read.index} at {read.began:.3f}, after {seen.at(read.began)}"


def stale(history: History) -> Iterable[str]:
    """A stale read never fails: at least one server lives at any time."""
    for call in history.calls:
        if call.kind == "read" and call.mode == "stale" and call.outcome != OK:
            yield f"{call.key}: at {call.began:.3f}, for {call.ended - call.began:.3f} s: {call.error}"


# --- locks ---------------------------------------------------------------------------


def _by_lock(history: History) -> dict[str, list[Holding]]:
    locks: dict[str, list[Holding]] = defaultdict(list)
    for holding in sorted(history.holdings, key=lambda holding: holding.since):
        locks[holding.lock].append(holding)
    return locks


def overlap(history: History) -> Iterable[str]:
    """Nobody believes to hold what another one holds."""
    for lock, holdings in _by_lock(history).items():
        last = None
        for holding in holdings:
            if last and holding.since < last.until:
                yield (
                    f"{lock}: {holding.holder} (token {holding.token}) from {holding.since:.3f}, "
                    f"{last.holder} (token {last.token}) until {last.until:.3f}"
                )
            if last is None or holding.until > last.until:
                last = holding


def tokens(history: History) -> Iterable[str]:
    """Fencing tokens grow from holder to holder, and what is written under a lock bears them out:
    the value of a guarded write begins with its token."""
    for lock, holdings in _by_lock(history).items():
        for before, after in zip(holdings, holdings[1:]):
            if after.token <= before.token:
                yield f"{lock}: token {after.token} of {after.holder} after {before.token}"
    guarded = {call.key for call in history.calls if call.kind == "guarded"}
    for key, reads in _by_key(_reads(history)).items():
        if key not in guarded:
            continue
        seen = sorted({(read.index, _token(read.value)) for read in reads if read.value})
        for (_, first), (index, second) in zip(seen, seen[1:]):
            if second < first:
                yield f"{key}: token {second} wrote at {index}, after token {first}"


def _token(value: Optional[str]) -> int:
    return int((value or "0").partition(".")[0])


# --- the rest ------------------------------------------------------------------------


class _Lateness:
    """How much the control threads overslept within a time."""

    def __init__(self, history: History) -> None:
        late = sorted(history.late)
        self._times = [at for at, _ in late]
        self._sums = [0.0, *accumulate(by for _, by in late)]

    def within(self, began: float, ended: float) -> float:
        first, last = bisect_right(self._times, began), bisect_right(self._times, ended)
        return self._sums[last] - self._sums[first]


def blind(history: History) -> Iterable[str]:
    """A watch is equal to Consul within 5 s of calm, and what a thread may oversleep then."""
    lateness = _Lateness(history)
    for calm in history.calms:
        took = "never" if calm.took is None else f"after {calm.took:.1f} s"
        late = lateness.within(calm.began, calm.began + (calm.took or 0))
        if calm.took is None or calm.took - late > CALM_S:
            yield f"{calm.watch}: equal to Consul {took}, after {calm.fault}"


def deadline(history: History) -> Iterable[str]:
    """A call ends with its time, or as much later as sleeping threads were meanwhile."""
    lateness = _Lateness(history)
    for call in history.calls:
        beyond = call.ended - call.began - call.timeout
        if beyond <= GRAIN_S:
            continue
        late = lateness.within(call.began, call.ended)
        if beyond - late > GRAIN_S:
            yield (
                f"{call.kind} {call.key}: {call.ended - call.began:.3f} s of {call.timeout:.3f} s, "
                f"at {call.began:.3f}, control threads overslept {late:.3f} s"
            )


def left(history: History) -> Iterable[str]:
    """Nothing is left at the end."""
    for each in history.left:
        if each.count > each.allowed:
            yield f"{each.what}: {each.count}, {each.allowed} at the beginning"


CHECKS: dict[str, Callable[[History], Iterable[str]]] = {
    "what is read was written": origin,
    "no acknowledged write is lost": lost,
    "a write takes effect once, reads never go back": order,
    "stale reads never fail": stale,
    "no two hold one lock": overlap,
    "fencing tokens only grow": tokens,
    "no watch is blind": blind,
    "no call is past its deadline": deadline,
    "nothing is left": left,
}


def show(found: dict[str, list[str]]) -> int:
    """Prints what was found; how many of the checks found something."""
    for name, violations in found.items():
        print(f"{'FAILED' if violations else 'ok':8}{name}")
        for violation in violations[:10]:
            print(f"          {violation}")
        if len(violations) > 10:
            print(f"          and {len(violations) - 10} more")
    return sum(map(bool, found.values()))


if __name__ == "__main__":
    sys.exit(1 if show(check(History.load(Path(sys.argv[1])))) else 0)
