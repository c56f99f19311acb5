# SPDX-License-Identifier: ISC
"""Flips bits of running servers in the simulator: `make faults`. Each run is a seed: the same one gives
the same faults. What must hold is checked by the simulator after each run's steps; docs/faults.md. Prints
what came of it, and writes it as JSON."""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

BUILD = Path(os.environ.get("MOTET_BUILD", Path(__file__).resolve().parents[2] / "build"))
SIM = BUILD / "sim/checked/sim"
BUNDLE = BUILD / "images/dns_restart.bundle"
FLIPS = 100  # of a run
RUNS = 20  # of a process
SECONDS = 600  # for these
LINE = re.compile(r"^(\d+) flips, (\d+) stops, (\d+) wrong answers, (\d+) of (\d+) answered"
                  r"(, reported dead)?: --seed (\d+)", re.MULTILINE)


def command(seed, runs):
    return [SIM, "--image", BUNDLE, "--seed", str(seed), "--runs", str(runs), "--calm", "--every",
            "1000", "--no-shrink", "queries=3000", "rate=1000", f"flips={FLIPS}", "flip_every=150"]


def run(seed, runs):
    """What was said of each run, and what went wrong: the seed and why. Goes on behind a failure."""
    lines, failed = [], []
    while runs:
        done = subprocess.run(command(seed, runs), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=SECONDS, check=False)
        here = LINE.findall(done.stdout)
        lines += here
        if not done.returncode:
            break
        ran = max(1, len(here))
        why = re.search(r"^FAILED at step \d+: (.*)$", done.stderr, re.MULTILINE)
        failed.append((seed + ran - 1, why[1] if why else f"the simulator ended with {done.returncode}"))
        seed, runs = seed + ran, runs - ran
    return lines, failed


def faults(options):
    lines, failed, seed, done = [], [], options.seed, 0
    while done < options.faults:  # a run that ends early has fewer than FLIPS
        runs = min(RUNS, -(-(options.faults - done) // FLIPS))
        more, wrong = run(seed, runs)
        lines += more
        failed += wrong
        seed += runs
        done = sum(int(one[0]) for one in lines)
        if sys.stderr.isatty():
            print(f"\r{done} of {options.faults}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return lines, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", default=100000, type=int, help="(%(default)s)")
    parser.add_argument("--seed", default=1, type=int, help="of the first run (%(default)s)")
    parser.add_argument("--out", type=Path, default=BUILD / "faults/sim.json")
    options = parser.parse_args()
    lines, failed = faults(options)
    flips, stops, wrong = (sum(int(one[n]) for one in lines) for n in range(3))
    given_up = [int(one[6]) for one in lines if one[5]]
    told = {"runs": len(lines), "faults": flips, "stops": stops, "wrong_answers": wrong,
            "given_up": given_up, "failed": failed}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"{flips} faults in {len(lines)} runs: {stops} stops of servers that were hit, of which "
          f"{stops - len(given_up)} began anew; {wrong} wrong answers; {len(failed)} runs failed")
    for seed, why in failed:
        print(f"  {why}: {' '.join(os.path.relpath(word) if os.sep in str(word) else word for word in command(seed, 1))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
