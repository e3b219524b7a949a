"""What reading a live view or a ring takes, and what watches cost: the figures of benches/view."""

import os
import subprocess
import sys

from contestants import BENCHES, LIBRARY
from tables import markdown

LANGUAGES = {"c": "C", "lua": "LuaJIT"}


class Views:
    """`reads_ns`: by what is read, then by language, ns a call. `cost`: by its name, value and unit."""

    def __init__(self, lines):
        self.reads_ns, self.cost = {}, {}
        for kind, name, figure, unit in lines:
            if kind in LANGUAGES:
                self.reads_ns.setdefault(name, {})[kind] = float(figure)
            else:
                self.cost[name] = (float(figure), unit)

    def reads(self):
        lines = []
        for name, figures in self.reads_ns.items():
            cells = [f"{figures[language]:.1f}" if language in figures else "–" for language in LANGUAGES]
            lines.append([name, *cells])
        return markdown(["", *LANGUAGES.values()], lines)

    def costs(self):
        return markdown(["", "measured"], [[name, f"{figure:.2f} {unit}"] for name, (figure, unit) in self.cost.items()])


def measure():
    print("bench: live views and watches", file=sys.stderr, flush=True)
    done = subprocess.run(
        ["sh", BENCHES / "view" / "view.sh"],
        env={**os.environ, "CONSUL_FFI_TARGET": str(LIBRARY.parent)},
        stdout=subprocess.PIPE, text=True, timeout=300, check=True,
    )
    return Views(line.split("\t") for line in done.stdout.splitlines())
