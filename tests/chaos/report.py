"""What a run has to say."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Iterable

from faults import KILL_LEADER
from history import FAILED, OK, UNKNOWN, Call, Fault, History
from load import Figures


def fault_line(fault: Fault, history: History, watches: float) -> str:
    """One fault."""
    after = _first_write(history, fault)
    probed = "" if fault.probed is None else f"probe {fault.probed - fault.began:.2f} s, "
    write = "none" if after is None else f"{after:.2f} s"
    return (
        f"{fault.name} ({fault.server}): {probed}write {write}, "
        f"healed {fault.healed - fault.began:.1f} s, well {fault.well - fault.began:.1f} s, "
        f"watches {watches:.1f} s later"
    )


def _first_write(history: History, fault: Fault) -> float | None:
    """How long after a fault the first write began and succeeded."""
    ends = [
        call.ended
        for call in history.calls
        if call.kind in ("put", "create") and call.outcome == OK and call.began >= fault.began
    ]
    return min(ends) - fault.began if ends else None


def show(history: History, figures: Iterable[Figures], multiplier: int) -> None:
    """All figures, goals beside them."""
    print(f"\nfaults: {len(history.faults)}")
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

    _show_kills(history, multiplier)
    print("\nlatency in calm, in ms (goal at 1,000 a second: P99 under 5)")
    for each in figures:
        print(
            f"  {each.what:34} P50 {each.p50:7.2f}  P99 {each.p99:7.2f}  "
            f"of {each.calls}, {each.failed} failed"
        )
    late = [by for _, by in history.late]
    print(
        f"\ncontrol threads overslept {max(late, default=0):.3f} s at most, {sum(late):.1f} s in all"
    )


def _kind(call: Call) -> str:
    return call.key if call.kind == "other" else f"{call.mode} {call.kind}".strip()


def _show_kills(history: History, multiplier: int) -> None:
    kills = [fault for fault in history.faults if fault.name == KILL_LEADER and fault.probed]
    writes = [(fault, _first_write(history, fault)) for fault in kills]
    found = [(fault.probed or 0.0, fault.began, after) for fault, after in writes if after]
    if not found:
        return
    after_probe = [began + after - probed for probed, began, after in found]
    print(
        f"\nafter {len(found)} kills of the leader (raft_multiplier {multiplier}), median and worst, in s"
    )
    for what, values, goal in (
        ("a plain write succeeds at a server", [probed - began for probed, began, _ in found], ""),
        ("the library's first write succeeds", [after for _, _, after in found], "goal: 30"),
        ("which is later than the plain one by", after_probe, "goal: 1"),
    ):
        print(f"  {what:38} {median(values):7.2f} {max(values):7.2f}  {goal}")
