# SPDX-License-Identifier: ISC
"""Lets domains on CPUs with store buffers look for each label that is left out
(tests/bugs/protocol/), and prints by what seed it is found: part of `make sim-bugs`."""

import argparse
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 20000  # for each bug: some thirty times what the last one needs
LIMIT = 120  # seconds for one


@dataclass
class Found:
    """How a search ended."""

    status: int
    seed: int  # 0: nothing was found
    what: str
    seconds: float
    output: str


def bugs():
    return sorted(path.stem for path in (ROOT / "tests/bugs/protocol").glob("*.patch"))


def program_of(build, name):
    return Path(build) / "cpus/bugs" / name / "cpus" if name else Path(build) / "cpus/cpus"


def search(build, name, *options):
    start = time.monotonic()
    done = subprocess.run([program_of(build, name), "--runs", str(RUNS), *options], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT,
                          check=False)
    what = re.search(r"^FAILED: (.*)$", done.stdout, re.MULTILINE)
    seed = re.search(r"^  repeat: .* --seed (\d+) ", done.stdout, re.MULTILINE)
    return Found(done.returncode, int(seed[1]) if seed else 0, what[1] if what else "",
                 time.monotonic() - start, done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=ROOT / "build", type=Path)
    build = parser.parse_args().build.absolute()
    missed = 0
    print(f"\n{'left out':24} {'seed':>6} {'s':>6}  what didn't hold")
    for name in bugs():
        found = search(build, name)
        missed += not found.seed
        print(f"{name:24} {found.seed or '-':>6} {found.seconds:6.2f}  "
              f"{found.what or 'not found'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
