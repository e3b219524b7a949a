"""Figures as Markdown, and their place in docs/performance.md."""

from statistics import median

ROWS = {
    "get": "get",
    "put": "put",
    "get32": "get, 32 threads",
    "flight": "get, 32 in flight, one thread",
    "list": "list of 1,000 keys",
    "big": "256 KB value",
}


def markdown(head, lines):
    ruler = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ruler, *lines])


def rate(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"


class Results:
    """What every program did in every round: `add(name, row, (calls, seconds, cpu))`."""

    def __init__(self, labels):
        self.labels = labels
        self.measured = {}

    def add(self, name, row, measurement):
        self.measured.setdefault((name, row), []).append(measurement)

    def rates(self, name, row):
        return [calls / seconds for calls, seconds, _ in self.measured.get((name, row), [])]

    def has(self, name, row, other):
        return bool(self.rates(name, row) and self.rates(other, row))

    def cpus(self, name, row):
        """Microseconds of CPU a call."""
        return [cpu / calls * 1e6 for calls, _, cpu in self.measured.get((name, row), [])]

    def ratio(self, name, row, other, figure=None, other_row=None):
        """The median of the rounds' ratios: what a round had to share, its two programs shared."""
        figure = figure or self.rates
        pairs = zip(figure(name, row), figure(other, other_row or row), strict=True)
        return median(mine / theirs for mine, theirs in pairs)

    def table(self, cell):
        head = ["", *ROWS.values()]
        lines = []
        for name, label in self.labels.items():
            cells = [cell(name, row) if self.rates(name, row) else "–" for row in ROWS]
            lines.append([label, *cells])
        return markdown(head, lines)

    def speed(self):
        return self.table(lambda name, row: rate(median(self.rates(name, row))))

    def ratios(self):
        return self.table(lambda name, row: f"{self.ratio(name, row, 'floor'):.2f}")

    def cpu(self):
        return self.table(
            lambda name, row: f"{median(self.cpus(name, row)):,.1f} ({self.ratio(name, row, 'floor', self.cpus):.2f})"
        )


def counts(figures, labels):
    """`figures`: name -> (system calls, user instructions) a get."""
    lines = [[labels[name], f"{calls:.2f}", f"{instructions:,.0f}"] for name, (calls, instructions) in figures.items()]
    return markdown(["", "system calls a get", "user instructions a get"], lines)


def replace(text, name, content):
    """Puts content between `<!-- name -->` and `<!-- /name -->`."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"there is no place marked {begin.strip()}")
    return f"{before}{begin}\n{content}\n\n{end}{after}"
