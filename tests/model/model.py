# SPDX-License-Identifier: ISC
"""Checks the model of channels and doorbells, then that each of its labels is needed: `make model`.

Without what a label stands for, some property must fail; docs/model.md has the table that is
printed here."""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests/model/channel.pml"
SOURCES = sorted([*ROOT.glob("ipc/*.[ch]"), *ROOT.glob("libos/*.[ch]")])
LIMIT = 3600  # seconds for one search: the largest takes two minutes on an idle machine
MEMORY = 6000  # MB
PARALLEL = 2
DEPTH = 1_000_000

PAIR, ECHO, TWICE, HOLD = ("-DMODES=7", "-DMODES=1", "-DMODES=2", "-DMODES=4")
# What is searched completely. The last field: only by `make model`, since it takes minutes.
SEARCHES = {
    "pair, batches of 1": ((PAIR, "-DBATCH=1", "-DMESSAGES=4"), False),
    "pair, batches of 2": ((PAIR, "-DBATCH=2", "-DMESSAGES=4"), False),
    "chain, batches of 1": (("-DCHAIN", "-DMODES=8", "-DBATCH=1"), True),
    "chain, batches of 2": (("-DCHAIN", "-DMODES=8", "-DBATCH=2"), False),
    "planned, batches of 1": (("-DSTOP", PAIR, "-DBATCH=1"), True),
    "planned, batches of 2": (("-DSTOP", PAIR, "-DBATCH=2"), False),
    "crash, echo": (("-DCRASH", ECHO, "-DBATCH=2"), False),
    "crash, hold": (("-DCRASH", HOLD, "-DBATCH=1"), True),
    "crash, twice, 2 messages": (("-DCRASH", TWICE, "-DBATCH=1", "-DMESSAGES=2"), True),
    "crash, batches of 1": (("-DCRASH", PAIR, "-DBATCH=1"), True),
    "crash, batches of 2": (("-DCRASH", PAIR, "-DBATCH=2"), True),
    "pair, 6 messages": ((PAIR, "-DBATCH=2", "-DMESSAGES=6"), True),
    "chain, 4 messages": (("-DCHAIN", "-DMODES=8", "-DBATCH=2", "-DMESSAGES=4"), True),
}
# In these nobody may go round for ever.
CYCLES = {
    "pair, batches of 1": (PAIR, "-DBATCH=1"),
    "pair, batches of 2": (PAIR, "-DBATCH=2"),
}
# Where the loss of a label shows first: the pair with batches of 1, or what is named here.
CHAIN = ("-DCHAIN", "-DMODES=8", "-DBATCH=2")
CRASH = ("-DCRASH", PAIR, "-DBATCH=2")
SHOWN_BY = {
    "CURRENT_BEFORE_RECEIVE": CRASH,
    "OFFER_AGAIN": (PAIR, "-DBATCH=2"),
    "ONE_BELL_OWED": CHAIN,
    "START_AT_DONE": CRASH,
    "START_WITH_NEWS": CRASH,
}


@dataclass
class Search:
    """What one run of Spin's verifier said."""

    complete: bool  # all states, none of them wrong
    states: int
    violation: str
    seconds: float
    output: str


def labels_of_model():
    return set(re.findall(r"WITHOUT_([A-Z_]+)", MODEL.read_text(encoding="utf-8"))) - {"LABEL"}


def labels_of_sources():
    """Label: the places that carry it."""
    found = {}
    for path in SOURCES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for label in re.findall(r"/\* \[([A-Z_]+)\]", line):
                if label != "LABEL":
                    found.setdefault(label, []).append(f"{path.relative_to(ROOT)}:{number}")
    return found


def verify(flags, cycles=False, quick="-O1"):
    """Makes the verifier of a variant and runs it. `quick`: what to tell its compiler."""
    with tempfile.TemporaryDirectory(prefix="motet-model-") as folder:
        def run(*command, **how):
            return subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, **how)
        made = run("spin", "-a", *flags, MODEL)
        if made.returncode or "Error" in made.stdout:
            return Search(False, 0, "", 0, made.stdout)
        # Spin's own program has warnings of gcc's that are nobody's here.
        made = run("gcc", quick, "-w", "-DNP" if cycles else "-DSAFETY", "-DCOLLAPSE",
                   "-DVECTORSZ=2048", f"-DMEMLIM={MEMORY}", "-o", "pan", "pan.c")
        if made.returncode:
            return Search(False, 0, "", 0, made.stdout)
        start = time.monotonic()
        done = run("./pan", f"-m{DEPTH}", *(["-l"] if cycles else []), timeout=LIMIT)
        seconds = time.monotonic() - start
    states = re.search(r"^ *([0-9.e+]+) states, stored", done.stdout, re.MULTILINE)
    wrong = re.search(r"^pan:\d+: (.*?)(?: \(at depth|$)", done.stdout, re.MULTILINE)
    complete = ("errors: 0" in done.stdout and not wrong and bool(states)
                and "max search depth too small" not in done.stdout
                and "Search not completed" not in done.stdout)
    return Search(complete, int(float(states[1])) if states else 0, wrong[1] if wrong else "",
                  seconds, done.stdout)


def without(label):
    flags = SHOWN_BY.get(label, (PAIR, "-DBATCH=1"))
    return verify((*flags, f"-DWITHOUT_{label}"), quick="-O0")


def searches(whole):
    return {name: flags for name, (flags, long) in SEARCHES.items() if whole or not long}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="only what `make test` runs")
    options = parser.parse_args()
    good = True
    with ThreadPoolExecutor(PARALLEL) as pool:
        wanted = searches(not options.short)
        for name, found in zip(wanted, pool.map(verify, wanted.values())):
            good &= found.complete
            print(f"{name:28} {found.states:>10} states {found.seconds:6.1f} s  "
                  f"{'all hold' if found.complete else found.violation or 'NOT COMPLETE'}",
                  flush=True)
        for name, found in zip(CYCLES, pool.map(lambda flags: verify(flags, True), CYCLES.values())):
            good &= found.complete
            print(f"{name + ', cycles':28} {found.states:>10} states {found.seconds:6.1f} s  "
                  f"{'none' if found.complete else found.violation or 'NOT COMPLETE'}", flush=True)
        labels, places = sorted(labels_of_model()), labels_of_sources()
        print(f"\n{'without':24} {'states':>8}  what fails")
        for label, found in zip(labels, pool.map(without, labels)):
            good &= bool(found.violation)
            print(f"{label:24} {found.states:>8}  {found.violation or 'NOTHING'}", flush=True)
    for label in sorted(set(labels) ^ set(places)):
        good = False
        print(f"{label}: {'not in the code' if label in labels else places[label]}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
