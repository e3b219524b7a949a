"""What the figures have to reach, and whether they do."""

from tables import ROWS, markdown

# What the tests allow a get of this library: counts do not drift.
MAX_SYSTEM_CALLS, MAX_INSTRUCTIONS = 4, 39_000


def each_row(results, name, other, least, rows=ROWS):
    return [(f"{name} / {other}, {ROWS[row]}", results.ratio, (name, row, other), least) for row in rows]


def goals(results):
    """(what, how it is computed, of what, at least)"""
    return [
        *each_row(results, "c", "libcurl", 1.0),
        *each_row(results, "c", "floor", 0.95, ["list", "big"]),
        *each_row(results, "lua", "lua-libcurl", 1.0),
        # On the other rows the agent takes most of the time.
        *each_row(results, "lua", "lua-libcurl-per-call", 2.5, ["get"]),
        *each_row(results, "python", "py-consul", 5.0, ["get"]),
        *each_row(results, "python", "py-consul", 2.5, ["list"]),
    ]


def is_measured(results, name, row, other):
    return results.rates(name, row) and results.rates(other, row)


def line(what, measured, bound, reached):
    return [what, f"{measured:.2f}", bound, "yes" if reached else "**no**"]


def report(results):
    lines = []
    for what, compute, of, least in goals(results):
        if is_measured(results, *of):
            ratio = compute(*of)
            lines.append(line(what, ratio, f"at least {least}", ratio >= least))
    if is_measured(results, "c", "get", "floor"):
        ratio = results.ratio("c", "get", "floor", results.cpus)
        lines.append(line("c / floor, CPU of a get", ratio, "at most 1.5", ratio <= 1.5))
    return markdown(["", "measured", "goal", "reached"], lines)


def is_within_limits(system_calls, instructions):
    return system_calls <= MAX_SYSTEM_CALLS and instructions <= MAX_INSTRUCTIONS
