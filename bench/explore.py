# SPDX-License-Identifier: ISC
"""Measures the search of the kernel's states (docs/explore.md): `make bench-explore`.

Each configuration is searched for some seconds, one after the other, all invariants checked in
each state. Prints a table and writes the same figures as JSON.
"""

import argparse
import re
import subprocess
from pathlib import Path

from lib_qemu import figure, print_table, write_results

ROUNDS = 5
SECONDS = 4  # of one configuration in one round

CLOSED = re.compile(r"(?:closed to depth|no state beyond depth) (\d+).*?, (\d+) states, (\d+) "
                    r"transitions.*, ([\d.]+) s,", re.DOTALL)


def sample(explore, configuration):
    """Depth closed, states per second, transitions per second."""
    done = subprocess.run([explore, "--config", configuration, "--seconds", str(SECONDS)],
                          check=True, capture_output=True, text=True)
    depth, states, transitions, seconds = CLOSED.search(done.stdout).groups()
    return int(depth), int(states) / float(seconds), int(transitions) / float(seconds)


def measure(explore):
    listed = subprocess.run([explore, "--list"], check=True, capture_output=True, text=True)
    for name in (line.split()[0] for line in listed.stdout.splitlines()):
        samples = [sample(explore, name) for _ in range(ROUNDS)]
        yield figure(f"depth_{name}", "steps", [depth for depth, _, _ in samples])
        yield figure(f"states_{name}", "1/s", [states for _, states, _ in samples])
        yield figure(f"transitions_{name}", "1/s", [transitions for _, _, transitions in samples])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--explore", type=Path, required=True, help="the program")
    parser.add_argument("--out", type=Path, required=True, help="the file of figures")
    options = parser.parse_args()
    figures = list(measure(options.explore))
    figures.append(figure("states_explored", "1/s", [one["median"] for one in figures
                                                     if one["name"].startswith("states_")]))
    print_table(figures)
    write_results(figures, options.out)


if __name__ == "__main__":
    main()
