# SPDX-License-Identifier: ISC
"""Lets the simulator look for each bug planted in libOS and servers, and prints by what seed, after
how many steps and seconds it is found: `make sim-bugs`."""

import argparse
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SEEDS = 100  # tried for each bug
# What shows itself rarely is looked for where it is likelier: the rest is drawn as ever.
SCENARIOS = {
    "02-one-kind-of-news": ["slots=3", "burst=150"],
    "10-used-length-believed": ["card_lies=20000"],
    "11-used-slot-not-checked": ["card_lies=20000"],
}
# While init prints: the machine has little to do, and the clock jumps meanwhile.
SCENARIOS["26-standing-still-is-paid-for"] = ["jumps=1", "queries=20", "rate=20000", "card_lies=0"]
DEATHS = ["kill=60", "kills=6", "kill_every=100", "card_lies=0"]
DEATH_BUGS = ("20-a-new-life-takes-old-words", "21-the-dead-keeps-buffers", "22-accepted-too-early")
SCENARIOS |= dict.fromkeys((*DEATH_BUGS, "25-not-asked-again"), DEATHS)
# A frame comes while the driver begins anew: many do.
SCENARIOS["29-cleared-before-it-is-silent"] = ["rate=500000", "burst=1", "queries=50000", "kill=60", "kills=8",
                                               "kill_every=1000", "card_lies=0"]
# What only a hostile peer shows is looked for beside one: composition, and runs are long.
IMAGES = {
    "14-frame-reference-unchecked": "rogue",
    "15-query-length-unchecked": "rogue_alone",
    "16-index-unchecked": "rogue",
    "17-done-unchecked": "rogue",
    "18-count-unchecked": "rogue",
}
IMAGES |= dict.fromkeys(DEATH_BUGS, "dns_restart")
# Drivers of other devices, beside a server that checks them.
IMAGES |= {
    "23-a-byte-given-twice": "entropy_check",
    "24-answered-before-it-is-done": "block_check",
    "25-not-asked-again": "block_check",
    "26-standing-still-is-paid-for": "block_check",
    "27-a-torn-reading-believed": "clock_check",
    "28-room-for-one-more": "console_check",
    "29-cleared-before-it-is-silent": "dns-e1000",
}
LIMIT = 60  # seconds for one


@dataclass
class Found:
    """How a run ended."""

    status: int
    seed: int  # of the failing run; 0: none failed
    step: int
    what: str
    seconds: float
    output: str


def bugs():
    return sorted(path.stem for path in Path(__file__).parent.glob("[0-9][0-9]-*.patch"))


def program_of(build, name):
    return Path(build) / "sim/bugs" / name / "sim"


def search(build, name, *more):
    """Without shrinking: that takes longer than finding."""
    image = Path(build) / f"images/{IMAGES.get(name, 'dns')}.bundle"
    command = [program_of(build, name), "--image", image, "--runs",
               str(SEEDS), "--no-shrink", *SCENARIOS.get(name, ()), *more]
    start = time.monotonic()
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT,
                          cwd=Path(build).parent)
    failed = re.search(r"^FAILED at step (\d+): (.*)$", done.stderr, re.MULTILINE)
    seed = re.search(r"repeat: .* --seed (\d+) ", done.stderr)
    return Found(done.returncode, int(seed[1]) if seed else 0, int(failed[1]) if failed else 0,
                 failed[2] if failed else "", time.monotonic() - start, done.stdout + done.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=ROOT / "build", type=Path)
    build = parser.parse_args().build.absolute()
    missed = 0
    print(f"{'bug':32} {'seed':>5} {'step':>8} {'s':>6}  what didn't hold")
    for name in bugs():
        found = search(build, name)
        missed += not found.seed
        print(f"{name:32} {found.seed or '-':>5} {found.step:>8} {found.seconds:6.2f}  "
              f"{found.what or 'not found'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
