"""What the figures have to reach, and whether they do."""

from tables import ROWS, markdown

# What the tests allow a get of this library: counts do not drift.
MAX_SYSTEM_CALLS, MAX_INSTRUCTIONS = 3, 13_500

# ns a read of a live view may take.
MAX_READ_NS = {"c": 50, "lua": 100}
# ns a look-up in a ring may take, by its name in benches/view/ring.c.
MAX_RING_NS = {"ring look-up, 9 nodes": 100, "ring look-up, 1,000 nodes": 200}
# By its name in benches/view/many.c.
MAX_COST = {
    "a change is in a view, after the write's answer": 5,
    "1,000 watches add": 16,
    "100 watches, a connection each, idle: CPU a second": 2,
    "100 watches, taking turns, idle: CPU a second": 2,
}


class Goal:
    """A figure and its bound."""

    def __init__(self, what, measured, bound, least=True, unit=""):
        self.what, self.measured, self.bound, self.least, self.unit = what, measured, bound, least, unit

    def cells(self):
        reached = self.measured >= self.bound if self.least else self.measured <= self.bound
        bound = f"at {'least' if self.least else 'most'} {self.bound}{self.unit}"
        return [self.what, f"{self.measured:.2f}{self.unit}", bound, "yes" if reached else "**no**"]


def each_row(results, name, other, least, rows):
    return [
        Goal(f"{name} / {other}, {ROWS[row]}", results.ratio(name, row, other), least)
        for row in rows if results.has(name, row, other)
    ]


def of_calls(results):
    blocking = [row for row in ROWS if row != "flight"]
    goals = [
        *each_row(results, "c", "libcurl", 1.0, blocking),
        *each_row(results, "c", "floor", 0.95, ["list", "big"]),
        *each_row(results, "lua", "lua-libcurl", 1.0, blocking),
        # On the other rows the agent takes most of the time.
        *each_row(results, "lua", "lua-libcurl-per-call", 2.5, ["get"]),
        *each_row(results, "python", "py-consul", 5.0, ["get"]),
        *each_row(results, "python", "py-consul", 2.5, ["list"]),
    ]
    if results.has("c", "get", "floor"):
        ratio = results.ratio("c", "get", "floor", results.cpus)
        goals.append(Goal("c / floor, CPU of a get", ratio, 1.5, least=False))
    return goals


def of_calls_in_flight(results):
    goals = each_row(results, "lua", "wrk", 0.8, ["flight"])
    if results.has("lua", "flight", "lua"):
        ratio = results.ratio("lua", "flight", "lua", other_row="get")
        goals.append(Goal(f"lua, {ROWS['flight']} / its own get", ratio, 2.3))
    for other in ("libcurl", "node", "py-consul"):
        for name in ("c", "lua", "python"):
            goals += each_row(results, name, other, 1.0, ["flight"])
    return goals


def of_views(views):
    reads = [
        Goal(f"{language}, {name}", figures[language], MAX_RING_NS.get(name, most), least=False, unit=" ns")
        for language, most in MAX_READ_NS.items()
        for name, figures in views.reads_ns.items() if language in figures
    ]
    costs = [
        Goal(name, views.cost[name][0], most, least=False, unit=f" {views.cost[name][1]}")
        for name, most in MAX_COST.items()
    ]
    return reads + costs


def report(results, views):
    goals = of_calls(results) + of_calls_in_flight(results) + (of_views(views) if views else [])
    return markdown(["", "measured", "goal", "reached"], [goal.cells() for goal in goals])


def is_within_limits(system_calls, instructions):
    return system_calls <= MAX_SYSTEM_CALLS and instructions <= MAX_INSTRUCTIONS
