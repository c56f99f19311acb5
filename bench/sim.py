# SPDX-License-Identifier: ISC
"""Measures the simulator: `make bench ONLY=sim`. Prints a table and writes the same figures as
JSON. What can't be measured is named on standard error, and the exit status is then 1."""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from lib_qemu import figure, print_table, write_results

LIMIT = 300  # seconds for one run
FAST_SECONDS = 30  # simulated, at 1,000 queries/s
CHECKED_SECONDS = 10
SWEEP_MESSAGES = 1000
EXPLORE_SECONDS = 10  # of each configuration at most


def sim(program, image, *arguments):
    done = subprocess.run([program, "--image", image, *arguments], check=True, capture_output=True,
                          text=True, timeout=LIMIT)
    return json.loads(done.stdout)


def sweep_queries(program, image):
    """How many questions make a scenario of SWEEP_MESSAGES: found by a shorter one."""
    few = 20
    messages = sim(program, image, "--sweep", f"queries={few}")["messages"]
    more = sim(program, image, "--sweep", f"queries={2 * few}")["messages"]
    return few + round((SWEEP_MESSAGES - messages) * few / (more - messages))


def states_explored(program):
    """By the explorer, if it is built, in all of its configurations: (states, states per second)."""
    start = time.monotonic()
    done = subprocess.run([program, "--seconds", str(EXPLORE_SECONDS)], check=True,
                          capture_output=True, text=True, timeout=LIMIT)
    states = sum(int(n) for n in re.findall(r", (\d+) states, \d+\s+transitions", done.stdout))
    if not states:
        raise ValueError("the explorer names no states")
    return states, states / (time.monotonic() - start)


def measure(options):
    image, runs = options.image, range(options.runs)
    fast = [sim(options.fast, image, "--measure", str(FAST_SECONDS), "--every", "100000")
            for _ in runs]
    checked = [sim(options.checked, image, "--measure", str(CHECKED_SECONDS)) for _ in runs]
    queries = sweep_queries(options.checked, image)
    sweeps = [sim(options.checked, image, "--sweep", f"queries={queries}") for _ in runs]
    return [
        figure("seconds_per_second", "s/s", [run["seconds_per_second"] for run in fast]),
        figure("checked_steps_per_second", "steps/s", [run["steps_per_second"] for run in checked]),
        figure("sweep_seconds", "s", [run["seconds"] for run in sweeps]),
        figure("sweep_messages", "messages", [run["messages"] for run in sweeps]),
        figure("sweep_deaths", "deaths", [run["deaths"] for run in sweeps]),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("image", "fast", "checked", "out"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--explore", type=Path)
    parser.add_argument("--runs", default=5, type=int)
    options = parser.parse_args()
    failed = False
    try:
        figures = measure(options)
    except (subprocess.SubprocessError, ValueError) as error:
        print(f"bench/sim.py: {error}", file=sys.stderr)
        return 1
    if options.explore and options.explore.exists():
        try:
            states, rate = states_explored(options.explore)
            figures.append(figure("states_explored", "states", [states]))
            figures.append(figure("states_per_second", "states/s", [rate]))
        except (subprocess.SubprocessError, ValueError) as error:
            print(f"bench/sim.py: states_explored: {error}", file=sys.stderr)
            failed = True
    print_table(figures)
    write_results(figures, options.out)
    return failed


if __name__ == "__main__":
    sys.exit(main())
