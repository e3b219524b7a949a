"""Runs every contestant on every row, round by round, and writes the tables."""

import argparse
import datetime
import os
import subprocess
import sys
import urllib.request

import contestants
import targets
import views
from contestants import BENCHES, ROOT, Missing
from tables import ROWS, Results, counts, replace

PAGE = ROOT / "docs" / "performance.md"
COUNTED = {"floor": "c-floor", "c": "c-ours", "libcurl": "c-libcurl"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def put(key, value):
    url = f"{os.environ['CONSUL_HTTP_ADDR']}/v1/kv/{key}"
    urllib.request.urlopen(urllib.request.Request(url, data=value, method="PUT")).close()


def write_keys():
    """What the rows read: as every contestant checks it."""
    put("bench/small", b"12345")
    for number in range(1000):
        put(f"bench/list/key-{number:04}", b"%04d" % number * 16)
    put("bench/big", b"0123456789abcdef" * (256 * 1024 // 16))


def prepare(chosen):
    """The programs that can take part, and why the others cannot."""
    programs, missing = {}, {}
    for contestant in chosen:
        say(f"bench: preparing {contestant.name}")
        try:
            programs[contestant.name] = contestant.prepare()
        except Missing as why:
            missing[contestant.name] = str(why)
            say(f"bench: {contestant.name} does not take part: {why}")
    return programs, missing


def measure(programs, rows, labels, rounds, seconds):
    results = Results(labels)
    for number in range(1, rounds + 1):
        say(f"bench: round {number} of {rounds}")
        for row in ROWS:
            for name, program in programs.items():
                if row in rows[name]:
                    results.add(name, row, program.run(row, "seconds", seconds))
    return results


def count(programs):
    """System calls and user instructions a get, of the programs that are in C."""
    names = [name for name in COUNTED if name in programs]
    paths = [programs[name].command[0] for name in names]
    done = subprocess.run(
        ["sh", BENCHES / "count.sh", *paths], stdout=subprocess.PIPE, text=True, check=True
    )
    figures = [line.split() for line in done.stdout.splitlines()]
    return {name: (float(line[1]), float(line[2])) for name, line in zip(names, figures, strict=True)}


def machine():
    return f"{os.cpu_count()} cores"


def page(results, counted, viewed, missing, labels, options):
    about = (
        f"{datetime.date.today()}, {options.rounds} rounds of {options.seconds} s for each program and row, "
        f"{options.machine or machine()}."
    )
    parts = [about, "**Calls a second**", results.speed(), "**Ratio to the floor**", results.ratios()]
    parts += ["**Client CPU a call in µs, user and system (ratio to the floor)**", results.cpu()]
    if counted:
        parts += ["**Counted**", counts(counted, labels)]
    if viewed:
        parts += ["**Live views and rings: ns a call, 1,000 keys and 1,000 instances**", viewed.reads()]
        parts += ["**Watches**", viewed.costs()]
    parts += ["**Goals**", targets.report(results, viewed)]
    parts += [f"Not measured: {labels[name]}: {why}." for name, why in missing.items()]
    return "\n\n".join(parts)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each program, row and round")
    parser.add_argument("--only", nargs="*", help="names of contestants; the floor and this library from C always are")
    parser.add_argument("--own", action="store_true", help="the floor and this library alone: no downloads")
    parser.add_argument("--no-views", action="store_true", help="leave out live views and watches: they take a minute")
    parser.add_argument("--machine", help="what to say about the machine")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(ROOT)}")
    return parser.parse_args()


def main():
    options = arguments()
    chosen = [
        each for each in contestants.ALL
        if each.name in ("floor", "c")
        or not (options.own and each.peer) and (not options.only or each.name in options.only)
    ]
    programs, missing = prepare(chosen)
    labels = {each.name: getattr(programs.get(each.name), "label", each.label) for each in chosen}
    write_keys()
    rows = {each.name: each.rows for each in chosen}
    results = measure(programs, rows, labels, options.rounds, options.seconds)
    counted = count(programs)
    viewed = None if options.no_views else views.measure()
    text = page(results, counted, viewed, missing, labels, options)
    print(text)
    if options.write:
        PAGE.write_text(replace(PAGE.read_text(), "figures", text))
        say(f"bench: written to {PAGE.relative_to(ROOT)}")
    if not targets.is_within_limits(*counted["c"]):
        sys.exit("bench: a get costs more than the tests allow")


main()
