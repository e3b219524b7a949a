"""What a run has to say: nothing but what its history holds.

    python3 tests/chaos/report.py HISTORY.json
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Sequence

from history import FAILED, KILL_LEADER, OK, UNKNOWN, Call, Fault, History, Load


def fault_line(fault: Fault, history: History) -> str:
    """One fault."""
    after = _first_write(history, fault)
    probed = "" if fault.probed is None else f"probe {fault.probed - fault.began:.2f} s, "
    write = "none" if after is None else f"{after:.2f} s"
    return (
        f"{fault.name} ({fault.server}): {probed}write {write}, "
        f"healed {fault.healed - fault.began:.1f} s, well {fault.well - fault.began:.1f} s, "
        f"watches {_watches(history, fault)}"
    )


def _watches(history: History, fault: Fault) -> str:
    """How long the last of all watches took once all was well again."""
    calms = [calm for calm in history.calms if calm.began >= fault.well]
    first = min((calm.began for calm in calms), default=None)
    took = [calm.took for calm in calms if calm.began == first]
    if not took or None in took:
        return "never"
    return f"{max(each for each in took if each is not None):.1f} s later"


def _first_write(history: History, fault: Fault) -> float | None:
    """How long after a fault the first write began and succeeded."""
    ends = [
        call.ended
        for call in history.calls
        if call.kind in ("put", "create") and call.outcome == OK and call.began >= fault.began
    ]
    return min(ends) - fault.began if ends else None


def show(history: History) -> None:
    """All figures, goals beside them."""
    faults = history.faults
    took = f", in {faults[-1].well - faults[0].began:.0f} s" if faults else ""
    print(f"\nfaults: {len(faults)}{took}")
    for name, count in sorted(Counter(fault.name for fault in history.faults).items()):
        print(f"  {count:4}  {name}")
    for name, why in history.not_run.items():
        print(f"  not run: {name}: {why}")

    print("\noperations")
    print(f"  {'':14}{OK:>9}{FAILED:>9}{UNKNOWN:>9}")
    for kind in sorted({_kind(call) for call in history.calls}):
        outcomes = Counter(call.outcome for call in history.calls if _kind(call) == kind)
        print(f"  {kind:14}" + "".join(f"{outcomes[it]:9}" for it in (OK, FAILED, UNKNOWN)))
    print(f"  {len(history.holdings)} times held a lock or led")

    _show_kills(history)
    _show_loads(history)
    late = [by for _, by in history.late]
    print(
        f"\ncontrol threads overslept {max(late, default=0):.3f} s at most, {sum(late):.1f} s in all"
    )


def _show_loads(history: History) -> None:
    print("\nlatency in calm, in ms (goal at 1,000 a second: P99 under 5)")
    for where in dict.fromkeys(load.where for load in history.loads):
        here = [load for load in history.loads if load.where == where]
        print(f"\n  {where}")
        _show_calls(here)
        began, ended = min(load.began for load in here), max(load.ended for load in here)
        late = [by * 1000 for at, by in history.late if began <= at <= ended]
        print(
            f"  meanwhile threads that only sleep woke late {len(late)} times, "
            f"by {max(late, default=0):.1f} at most"
        )


def _show_calls(loads: list[Load]) -> None:
    whom = list(dict.fromkeys(load.by for load in loads))
    print(f"  {'':34}" + "".join(f"{by:>20}" for by in whom))
    print(f"  {'':34}" + f"{'P50':>10}{'P99':>10}" * len(whom))
    for what in dict.fromkeys(load.what for load in loads):
        by_each = ([load for load in loads if (load.what, load.by) == (what, by)] for by in whom)
        print(f"  {what:34}" + "".join(map(_latency, by_each)))
    print(f"  of {len(loads):,} calls {sum(not load.ok for load in loads)} failed")


def _latency(loads: list[Load]) -> str:
    times = sorted((load.ended - load.began) * 1000 for load in loads)
    return f"{_part(times, 0.5):10.2f}{_part(times, 0.99):10.2f}"


def _part(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _kind(call: Call) -> str:
    return call.key if call.kind == "other" else f"{call.mode} {call.kind}".strip()


def _show_kills(history: History) -> None:
    kills = [fault for fault in history.faults if fault.name == KILL_LEADER and fault.probed]
    writes = [(fault, _first_write(history, fault)) for fault in kills]
    found = [(fault.probed or 0.0, fault.began, after) for fault, after in writes if after]
    if not found:
        return
    after_probe = [began + after - probed for probed, began, after in found]
    print(
        f"\nafter {len(found)} kills of the leader "
        f"(raft_multiplier {history.setting.raft_multiplier}), median and worst, in s"
    )
    for what, values, goal in (
        ("a plain write succeeds at a server", [probed - began for probed, began, _ in found], ""),
        ("the library's first write succeeds", [after for _, _, after in found], "goal: 30"),
        ("which is later than the plain one by", after_probe, "goal: 1"),
    ):
        print(f"  {what:38} {median(values):7.2f} {max(values):7.2f}  {goal}")


def show_faults(history: History) -> None:
    """A line for each fault, as the run has printed it."""
    for number, fault in enumerate(history.faults, 1):
        print(f"{number:3}/{len(history.faults)} {fault_line(fault, history)}")


if __name__ == "__main__":
    recorded = History.load(Path(sys.argv[1]))
    show_faults(recorded)
    show(recorded)
