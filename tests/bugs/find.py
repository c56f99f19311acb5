# SPDX-License-Identifier: ISC
"""Whether the explorer finds each planted bug, and nothing in the kernel without one: `make bugs`.

Each program build/bugs/NN-name/explore is the explorer with one bug in its kernel. It searches all
configurations up to a number of states and stops at the first violation.
"""

import argparse
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STATES = 60000  # of each configuration: 20 times what the last bug needs
SECONDS = 120  # for all of them: some twenty times what it takes
PARALLEL = 2

VIOLATION = re.compile(r"^(\w+): .*\n  VIOLATION: (.*)\n  depth (\d+), (\d+) states", re.MULTILINE)


@dataclass
class Search:
    """What one run of the explorer said."""

    status: int  # 0: nothing is wrong, 1: something is
    output: str
    seconds: float
    configuration: str = ""
    violation: str = ""
    depth: int = 0
    states: int = 0


def bugs():
    """Names (NN-what) of all bugs, and the sentence about each."""
    patches = sorted((ROOT / "tests/bugs").glob("[0-9][0-9]-*.patch"))
    return {path.stem: path.read_text(encoding="utf-8").splitlines()[1] for path in patches}


def search(program, *options):
    start = time.monotonic()
    done = subprocess.run([program, "--states", str(STATES), *options], timeout=SECONDS, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    result = Search(done.returncode, done.stdout, time.monotonic() - start)
    if match := VIOLATION.search(done.stdout):
        result.configuration, result.violation = match[1], match[2]
        result.depth, result.states = int(match[3]), int(match[4])
    return result


def program_of(build, name):
    return build / "bugs" / name / "explore" if name else build / "explore/explore"


def report(name, result):
    if not result.violation:
        print(f"{name:<30} NOT FOUND, {result.seconds:.1f} s", flush=True)
        return
    what = result.violation.replace("assertion failed: ", "")
    print(f"{name:<30} {result.configuration:<8} depth {result.depth} {result.states:>7} states "
          f"{result.seconds:5.1f} s  {what}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"), help="where things were built")
    build = (ROOT / parser.parse_args().build).resolve()
    names, found = list(bugs()), 0
    with ThreadPoolExecutor(PARALLEL) as pool:
        for name, result in zip(names, pool.map(lambda n: search(program_of(build, n)), names)):
            report(name, result)
            found += bool(result.violation)
    clean = search(program_of(build, None))
    print(f"the kernel as it is: {clean.violation or 'nothing found'}, {clean.seconds:.1f} s")
    print(f"{found} of {len(names)} bugs found")
    raise SystemExit(0 if found == len(names) and clean.status == 0 else 1)


if __name__ == "__main__":
    main()
