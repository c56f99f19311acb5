# SPDX-License-Identifier: ISC
"""tests/run.py, on a project of a few tests that pass, fail, crash, hang or are skipped."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from machine import LIMIT, ROOT

PASSING = "1..2\nok 1 - one\nok 2 - two\n"


class Project:
    def __init__(self, folder):
        self.folder = folder
        for name in ("tests/unit", "tests/system", "build/unit"):
            (folder / name).mkdir(parents=True)
        self.limit(600)

    def limit(self, seconds):
        """For all suites together."""
        text = (ROOT / "tests/run.py").read_text(encoding="utf-8")
        for name, value in (("TOTAL_SECONDS", seconds), ("GRACE_SECONDS", 3)):
            text, found = re.subn(rf"^{name} = \d+", f"{name} = {value}", text, flags=re.M)
            assert found == 1
        (self.folder / "tests/run.py").write_text(text, encoding="utf-8")

    def unit(self, name, printed, then="exit 0"):
        """A program as cmocka makes them."""
        (self.folder / f"tests/unit/{name}_test.c").write_text(
            "static void one_thing(void **state)\n", encoding="utf-8")
        program = self.folder / f"build/unit/{name}_test"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}END\n{then}\n", encoding="utf-8")
        program.chmod(0o755)

    def system(self, name, text):
        path = self.folder / f"tests/system/test_{name}.py"
        path.write_text(text, encoding="utf-8")

    def run(self, *words):
        """Exit status and lines."""
        done = subprocess.run(
            [sys.executable, str(self.folder / "tests/run.py"), "--build", "build", *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT * 2)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_all_pass(project):
    project.unit("a", PASSING)
    project.system("b", "def test_it(): pass\n")
    status, lines = project.run()
    assert (status, lines[-1]) == (0, "3 passed, 0 failed")
    assert any(line.split()[:3] == ["unit/a", "2", "passed"] for line in lines)


def test_failures_are_shown_and_named(project):
    project.unit("a", "1..2\nok 1 - one\nnot ok 2 - two\n# 0x1 != 0x2\n# a.c:8: error: Failure!\n",
                 "exit 1")
    project.system("b", "def test_it():\n    print('as it was')\n    assert 1 == 2\n"
                        "def test_other(): pass\n")
    status, lines = project.run()
    assert (status, lines[-1]) == (1, "2 passed, 2 failed")
    for line in ("  unit/a.two", "  system/b.test_it", "    a.c:8: error: Failure!",
                 "    as it was"):
        assert line in lines


def test_skipped_tests_are_named_with_their_reason(project):
    project.unit("a", "1..2\nok 1 - one\nnot ok 2 # SKIP two\n")
    project.system("b", "import pytest\n@pytest.mark.skip('no such thing here')\n"
                        "def test_it(): pass\n")
    status, lines = project.run()
    assert (status, lines[-1]) == (0, "1 passed, 0 failed, 2 skipped")
    at = lines.index("skipped: no such thing here:")
    assert lines[at + 1] == "  system/b.test_it"
    assert "  unit/a.two" in lines


@pytest.mark.parametrize("then", ["kill -SEGV $$", "exit 0"])
def test_crash_in_a_test(project, then):
    """With tests that were announced and never reported."""
    project.unit("a", "1..3\nok 1 - one\n", then)
    status, lines = project.run()
    assert (status, lines[-1]) == (1, "1 passed, 1 failed")
    ended = "SIGSEGV" if "SEGV" in then else "exit status 0"
    assert f"  unit/a: ended with {ended} in a test" in lines


def test_failure_outside_of_a_test(project):
    """A sanitizer's report at the end, say."""
    project.unit("a", PASSING, "echo leak >&2; exit 23")
    status, lines = project.run()
    assert (status, lines[-1]) == (1, "2 passed, 1 failed")
    assert "    leak" in lines and "  unit/a: ended with exit status 23" in lines


def test_program_that_is_not_built(project):
    project.unit("a", PASSING)
    project.unit("b", PASSING)
    (project.folder / "build/unit/b_test").unlink()
    status, lines = project.run()
    assert (status, lines[-1]) == (1, "2 passed, 1 failed")


def test_file_that_does_not_load(project):
    project.unit("a", PASSING)
    project.system("b", "import no_such_module\n")
    status, lines = project.run()
    assert (status, lines[-1]) == (1, "2 passed, 1 failed")


def test_time_limit(project):
    """What hangs is ended with its children; what it had done by then counts."""
    project.limit(16)  # in shares of 1 and 6: two seconds and more
    project.unit("a", "1..2\nok 1 - one\n", f"echo $$ >{project.folder}/pid; sleep 1000")
    project.system("b", "import time\ndef test_it(): pass\ndef test_other(): time.sleep(1000)\n")
    start = time.monotonic()
    status, lines = project.run()
    assert time.monotonic() - start < 40
    assert (status, lines[-1]) == (1, "2 passed, 3 failed")
    assert "  system/b.test_other" in lines  # the test that hung
    assert "  unit/a: stopped after 2 s" in lines
    assert "  system/b: stopped after 14 s" in lines
    pid = (project.folder / "pid").read_text(encoding="ascii").strip()
    left = Path(f"/proc/{pid}/cmdline")
    assert not left.exists() or not left.read_bytes()


def test_nothing_runs(project):
    status, lines = project.run()
    assert (status, lines[-1]) == (1, "0 passed, 0 failed")


def test_only(project):
    project.unit("apple", PASSING)
    project.unit("pear", PASSING)
    project.system("plum", "def test_stone(): pass\ndef test_skin(): pass\n")
    assert project.run("--only", "apple")[1][-1] == "2 passed, 0 failed"
    assert project.run("--only", "system/")[1][-1] == "2 passed, 0 failed"
    assert project.run("--only", "stone")[1][-1] == "1 passed, 0 failed"
    assert project.run("--only", "one_thing")[1][-1] == "4 passed, 0 failed"
    status, lines = project.run("--only", "banana")
    assert status == 1 and lines[0] == "no suite and no test has 'banana' in its name"
