# SPDX-License-Identifier: ISC
"""Runs fuzz targets: `make fuzz`, `make fuzz-bugs`; tests/fuzz/test_fuzz.py calls it too.

A target starts from the inputs in tests/fuzz/corpus/NAME (and, for `calls`, those of seeds.py), and
keeps what it finds in build/fuzz/corpus/NAME. An input that fails is made smaller and stays in
build/fuzz/NAME-failure, with the command that repeats it.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import calls_def
import seeds

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/bugs"))
import find  # noqa: E402  (the planted bugs)

LENGTH_MAX = {"calls": 800, "device": 1000, "frames": 2000, "query": 600, "zone": 600,
              "settings": 2100, "requests": 400, "master": 1000, "elf": 1500, "loader": 1000,
              "manifest": 3000, "reassembly": 500}
GRACE = 60  # seconds beyond its limit that a target may take: the start, one slow input
BUG_SECONDS = 60
MINIMIZE_SECONDS = 20
SEED = 1

STAT = re.compile(r"^stat::(\w+): +(\d+)$", re.M)
COVERAGE = re.compile(r"cov: (\d+) ft: \d+ corp: (\d+)/")


@dataclass
class Run:
    """What one run of a target gave."""

    failed: bool
    output: str
    seconds: float
    executed: int = 0
    edges: int = 0
    inputs: int = 0


def targets():
    return sorted(path.name[: -len("_fuzz.c")] for path in (ROOT / "tests/fuzz").glob("*_fuzz.c"))


def starting_points(build, name):
    """The folders that a target starts from; the first one gets what it finds."""
    folders = [build / "fuzz/corpus" / name, ROOT / "tests/fuzz/corpus" / name]
    folders[0].mkdir(parents=True, exist_ok=True)
    if name == "calls":
        folders.append(build / "fuzz/seeds")
        seeds.write(folders[-1])
    return folders


def run(program, folders, name, *, seconds=None, runs=None, artifact=None, reached=None,
        progress=False):
    command = [program, "-print_final_stats=1", "-len_control=0", f"-seed={SEED}", "-timeout=30",
               f"-max_len={LENGTH_MAX[name]}"]
    command += [f"-max_total_time={seconds}"] if seconds else []
    command += [f"-runs={runs}"] if runs is not None else []
    command += [f"-exact_artifact_path={artifact}"] if artifact else []
    environment = {**os.environ, **({"MOTET_FUZZ_REACHED": str(reached)} if reached else {})}
    start = time.monotonic()
    process = subprocess.Popen([*command, *folders], stdout=subprocess.DEVNULL, text=True,
                               stderr=subprocess.PIPE, env=environment, errors="replace")
    output = []
    for line in process.stderr:
        output.append(line)
        if progress and line.startswith("#") and sys.stderr.isatty():
            print(f"\r{name}: {line.strip()[:100]:<100}", end="", file=sys.stderr, flush=True)
    status = process.wait()
    result = Run(status != 0, "".join(output), time.monotonic() - start)
    stats = dict(STAT.findall(result.output))
    result.executed = int(stats.get("number_of_executed_units", 0))
    if found := COVERAGE.findall(result.output):
        result.edges, result.inputs = map(int, found[-1])
    return result


def minimized(program, name, artifact):
    """The failing input, smaller if that can be done in a while."""
    smaller = artifact.with_name(artifact.name + "-small")
    subprocess.run([program, "-minimize_crash=1", f"-max_total_time={MINIMIZE_SECONDS}",
                    f"-exact_artifact_path={smaller}", artifact], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=MINIMIZE_SECONDS + GRACE)
    return smaller if smaller.exists() else artifact


def reason(output):
    """The line that says what failed."""
    for line in output.splitlines():
        if re.search(r"panic:|ERROR: |runtime error|Assertion|^\[.*FAILED|not equal|!=", line):
            return line.strip()
    return output.strip().splitlines()[-1] if output.strip() else "it ended without a word"


def fuzz(build, name, seconds):
    program, artifact = build / "fuzz" / name, build / f"fuzz/{name}-failure"
    result = run(program, starting_points(build, name), name, seconds=seconds, artifact=artifact,
                 progress=True)
    rate = result.executed / max(result.seconds, 0.001)
    print(f"\r{name:<10} {result.executed:>10} executed {rate:>9.0f}/s {result.edges:>6} edges "
          f"{result.inputs:>6} inputs {result.seconds:>7.0f} s", flush=True)
    if result.failed:
        print(f"  FAILED: {reason(result.output)}")
        print(f"  repeat: {program} {minimized(program, name, artifact)}")
    return not result.failed


def unreached(build, reached):
    """Documented errors that no input of the corpus and the seeds meets."""
    reached.unlink(missing_ok=True)
    result = run(build / "fuzz/calls", starting_points(build, "calls"), "calls", runs=0,
                 reached=reached)
    assert not result.failed, result.output
    met = {tuple(line.split()) for line in reached.read_text(encoding="utf-8").splitlines()}
    return sorted(calls_def.DOCUMENTED - met)


def find_bug(build, bug, folder):
    """From the seeds and the corpus, without what long runs have found."""
    program, artifact = build / "fuzz/bugs" / bug / "calls", folder / bug
    points = starting_points(build, "calls")[1:]
    fresh = folder / f"{bug}-found"
    fresh.mkdir(parents=True, exist_ok=True)
    return run(program, [fresh, *points], "calls", seconds=BUG_SECONDS, artifact=artifact)


def bugs(build):
    folder, found = build / "fuzz/bugs", 0
    for bug in find.bugs():
        result = find_bug(build, bug, folder)
        found += result.failed
        said = reason(result.output) if result.failed else "NOT FOUND"
        print(f"{bug:<30} {result.seconds:5.1f} s  {said}", flush=True)
    print(f"{found} of {len(find.bugs())} bugs found within {BUG_SECONDS} s each")
    return found == len(find.bugs())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"), help="where things were built")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--only", choices=targets(), help="this target alone")
    parser.add_argument("--bugs", action="store_true", help="find the planted bugs")
    arguments = parser.parse_args()
    build = (ROOT / arguments.build).resolve()
    if arguments.bugs:
        raise SystemExit(not bugs(build))
    names = [arguments.only] if arguments.only else targets()
    good = [fuzz(build, name, max(1, arguments.seconds // len(names))) for name in names]
    missing = unreached(build, build / "fuzz/reached") if "calls" in names else []
    if "calls" in names:
        print(f"documented errors met: {len(calls_def.DOCUMENTED) - len(missing)} of "
              f"{len(calls_def.DOCUMENTED)}{''.join(f', not {a} {b}' for a, b in missing)}")
    raise SystemExit(not all(good) or bool(missing))


if __name__ == "__main__":
    main()
