# SPDX-License-Identifier: ISC
"""Runs all tests and counts them: `make test`.

A suite is a program of build/unit/ (cmocka) or a file tests/*/test_*.py (pytest). Two run at a
time, each with a time limit. The last line is `N passed, N failed`, with `, N skipped` when there
were any; before it stand the skipped tests with their reasons and the failed ones. The exit status
is zero only when something ran and nothing failed.
"""

import argparse
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

TOTAL_SECONDS = 27000  # of suites: each has its share. Two run at a time, most far below it
SYSTEM_WEIGHT = 6  # a share of a suite of system tests, in shares of a unit test
PARALLEL = 2  # suites at a time: more would only disturb each other
GRACE_SECONDS = 15  # for pytest to end its machines and write what it knows
OUTPUT_LINES = 300  # of a failed suite, the last ones

COMMENT = re.compile(r"^# ?")
TAP_PLAN = re.compile(r"^1\.\.(\d+)$")
PYTEST_TEST = re.compile(r"^\S+\.py::(.*\S)")  # with -v, as it begins
PYTEST_RESULT = re.compile(r" (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b.*\[ *\d+%\]$")
PYTEST_PASSED = re.compile(r"^\S+\.py::.* (PASSED|SKIPPED)\b.*\[ *\d+%\]$")
TAP_RESULT = re.compile(r"^(ok|not ok) \d+ (- |# SKIP )(\S+)")


@dataclass
class Result:
    """What one suite gave."""

    passed: int = 0
    failed: list = field(default_factory=list)  # names
    skipped: list = field(default_factory=list)  # (name, reason)
    notes: list = field(default_factory=list)  # (name, text): what tests recorded as "note"
    output: str = ""  # shown when something failed

    @property
    def ran(self):
        return self.passed + len(self.failed)


# Running a program with a limit


class Runner:
    """Runs the suites' processes, each in a process group of its own, and can end them all."""

    def __init__(self):
        self._running = set()
        self._lock = threading.Lock()
        self._stopping = False

    def run(self, command, seconds, environment=()):
        """Returns (what it printed, exit status, whether it ran out of time)."""
        with tempfile.TemporaryFile() as printed:
            with self._lock:
                if self._stopping:
                    return "", 1, False
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, cwd=ROOT,
                    env={**os.environ, **dict(environment)}, start_new_session=True,
                )
                self._running.add(process)
            late = not self._wait(process, seconds)
            if late:
                self._signal(process, signal.SIGINT)
                self._wait(process, GRACE_SECONDS)
            self._signal(process, signal.SIGKILL)  # and whatever it left behind
            process.wait()
            with self._lock:
                self._running.discard(process)
            printed.seek(0)
            return printed.read().decode(errors="replace"), process.returncode, late

    def stop(self):
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for process in running:
            self._signal(process, signal.SIGINT)
        for process in running:
            self._wait(process, GRACE_SECONDS)
            self._signal(process, signal.SIGKILL)

    @staticmethod
    def _wait(process, seconds):
        try:
            process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    @staticmethod
    def _signal(process, number):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass


# Suites


class UnitSuite:
    """A cmocka program."""

    weight = 1

    def __init__(self, source, build):
        self.name = f"unit/{source.stem.removesuffix('_test')}"
        self.source = source
        self._program = build / "unit" / source.stem

    def run(self, runner, seconds, _):
        result = Result()
        if not self._program.exists():
            result.failed.append(self.name)
            result.output = f"{self._program} doesn't exist: run 'make units'"
            return result
        output, status, late = runner.run(
            [str(self._program)], seconds, {"CMOCKA_MESSAGE_OUTPUT": "TAP"})
        self._count(output, result)
        planned = sum(int(m[1]) for line in output.splitlines() if (m := TAP_PLAN.match(line)))
        missing = planned - result.ran - len(result.skipped)
        if late:
            result.failed.append(f"{self.name}: stopped after {seconds:.0f} s")
        elif missing > 0:
            result.failed.append(f"{self.name}: ended with {_status_text(status)} in a test")
        elif (status != 0 or not planned) and not result.failed:
            result.failed.append(f"{self.name}: ended with {_status_text(status)}")
        result.output = output
        return result

    def _count(self, output, result):
        for line in output.splitlines():
            match = TAP_RESULT.match(line)
            if not match:
                continue
            name = f"{self.name}.{match[3]}"
            if match[2] == "# SKIP ":
                result.skipped.append((name, "skips itself, see its source"))
            elif match[1] == "ok":
                result.passed += 1
            else:
                result.failed.append(name)


class PytestSuite:
    """A file of pytest's tests."""

    weight = SYSTEM_WEIGHT

    def __init__(self, source, build):
        self.name = f"{source.parent.name}/{source.stem.removeprefix('test_')}"
        self.source = source
        self._environment = {"MOTET_BUILD": str(build), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, runner, seconds, word):
        result = Result()
        with tempfile.NamedTemporaryFile(suffix=".xml", prefix="motet-test-") as report:
            command = [
                sys.executable, "-m", "pytest", "-v", "--color=no", "--tb=short", "-p",
                "no:cacheprovider", "--rootdir", str(ROOT), "-o", "junit_family=xunit2",
                f"--junitxml={report.name}", *(["-k", word] if word else []), str(self.source),
            ]
            output, status, late = runner.run(command, seconds, self._environment)
            self._count(report.name, result, _interrupted(output) if late else None)
        output = "\n".join(line for line in output.splitlines() if not PYTEST_PASSED.match(line))
        if late:
            result.failed.append(f"{self.name}: stopped after {seconds:.0f} s")
        elif status == 5 and word:  # no test of that name
            pass
        elif status != 0 and not result.failed or not result.ran and not result.skipped:
            result.failed.append(f"{self.name}: pytest ended with {_status_text(status)}")
        result.output = output
        return result

    def _count(self, path, result, interrupted):
        try:
            cases = xml.etree.ElementTree.parse(path).iter("testcase")
        except xml.etree.ElementTree.ParseError:
            return  # pytest didn't get that far
        outcome = {}  # a test that fails and then fails to clean up is there twice
        for case in cases:
            if not case.get("name"):
                continue  # the one that was interrupted
            name = f"{self.name}.{case.get('name')}"
            result.notes += [(case.get("name"), one.get("value")) for one in case.iter("property")
                             if one.get("name") == "note"]
            if case.find("failure") is not None or case.find("error") is not None:
                outcome[name] = "failed"
            elif (skipped := case.find("skipped")) is not None:
                outcome.setdefault(name, (name, skipped.get("message", "no reason given")))
            else:
                outcome.setdefault(name, "passed")
        if interrupted:
            outcome[f"{self.name}.{interrupted}"] = "failed"
        for name, what in outcome.items():
            if what == "failed":
                result.failed.append(name)
            elif what == "passed":
                result.passed += 1
            else:
                result.skipped.append(what)


def _interrupted(output):
    """The test that pytest was in when it was stopped: named, without a result."""
    last = None
    for line in output.splitlines():
        if match := PYTEST_TEST.match(line):
            last = None if PYTEST_RESULT.search(line) else match[1]
    return last


def _status_text(status):
    if status >= 0:
        return f"exit status {status}"
    return signal.Signals(-status).name


def find_suites(build):
    units = sorted((ROOT / "tests/unit").glob("*_test.c"))
    files = sorted((ROOT / "tests").glob("*/test_*.py"), key=lambda path: -path.stat().st_size)
    # What probably takes longest comes first: it decides when the last one ends.
    return [PytestSuite(path, build) for path in files] + [UnitSuite(path, build) for path in units]


def choose(suites, word):
    """The suites whose name contains WORD, else those with tests of such a name: (suite, word)."""
    if not word:
        return [(suite, None) for suite in suites]
    chosen = [(suite, None) for suite in suites if word in suite.name]
    if chosen:
        return chosen
    test = re.compile(rf"^(?:static void |def )\w*{re.escape(word)}\w*\(", re.MULTILINE)
    return [(suite, word) for suite in suites
            if test.search(suite.source.read_text(encoding="utf-8"))]


# Reporting


def report_suite(suite, result, seconds):
    count = f"{result.passed} passed"
    if result.failed:
        count += f", {len(result.failed)} failed"
    if result.skipped:
        count += f", {len(result.skipped)} skipped"
    print(f"  {suite.name:<28} {count:<32} {seconds:7.1f} s", flush=True)
    for name, text in result.notes:
        print(f"    {name}: {text}", flush=True)
    if not result.failed:
        return
    lines = [COMMENT.sub("", line) for line in result.output.splitlines()]
    if len(lines) > OUTPUT_LINES:
        print(f"    ... ({len(lines) - OUTPUT_LINES} lines before)")
        lines = lines[-OUTPUT_LINES:]
    for line in lines:
        print(f"    {line}")
    sys.stdout.flush()


def report_skipped(skipped):
    """By reason, since many tests lack the same thing."""
    reasons = {}
    for name, reason in skipped:
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        print(f"\nskipped: {reason}:")
        for name in names:
            print(f"  {name}")


def report_all(results, complaint):
    skipped = [one for result in results for one in result.skipped]
    failed = [name for result in results for name in result.failed] + complaint
    report_skipped(skipped)
    if failed:
        print("\nfailed:")
        for name in failed:
            print(f"  {name}")
    passed = sum(result.passed for result in results)
    last = f"{passed} passed, {len(failed)} failed"
    if skipped:
        last += f", {len(skipped)} skipped"
    print(f"\n{last}", flush=True)
    return bool(passed) and not failed


# Together


def run_all(chosen, limits, runner):
    """Yields (suite, result, seconds) as they end."""
    waiting, done = queue.SimpleQueue(), queue.SimpleQueue()
    for one in chosen:
        waiting.put(one)

    def work():
        while True:
            try:
                suite, word = waiting.get_nowait()
            except queue.Empty:
                return
            start = time.monotonic()
            try:
                result = suite.run(runner, limits[suite], word)
            except Exception as error:  # the others go on, and somebody waits for this one
                result = Result(failed=[f"{suite.name}: can't be run"], output=str(error))
            done.put((suite, result, time.monotonic() - start))

    for _ in range(PARALLEL):
        threading.Thread(target=work, daemon=True).start()
    for _ in chosen:
        yield done.get()


def stop_on_signal(number, _):
    raise KeyboardInterrupt(signal.Signals(number).name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"), help="where things were built")
    parser.add_argument("--only", metavar="WORD", help="only suites, or else tests, named so")
    parser.add_argument("--suite", metavar="NAME", action="append", default=[],
                        help="only this suite; may be repeated")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop_on_signal)

    suites = [suite for suite in find_suites((ROOT / options.build).resolve())
              if not options.suite or suite.name in options.suite]
    total = sum(suite.weight for suite in suites)
    limits = {suite: TOTAL_SECONDS * suite.weight / total for suite in suites}
    chosen = choose(suites, options.only)
    runner, results, complaint = Runner(), [], []
    if not chosen:
        print(f"no suite and no test has '{options.only}' in its name")
    try:
        for suite, result, seconds in run_all(chosen, limits, runner):
            results.append(result)
            report_suite(suite, result, seconds)
    except KeyboardInterrupt:
        runner.stop()
        complaint.append("stopped before the end")
    good = report_all(results, complaint)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
