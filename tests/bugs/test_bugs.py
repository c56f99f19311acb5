# SPDX-License-Identifier: ISC
"""Each planted bug is found by the explorer, and nothing is in the kernel without one.

`make test` builds the programs; one that isn't there has a patch that doesn't apply any more."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import find

BUILD = Path(os.environ["MOTET_BUILD"])


def test_there_are_twenty_two_bugs():
    assert len(find.bugs()) == 22


@pytest.mark.parametrize("name", find.bugs())
def test_planted_bug(name, tmp_path):
    program = find.program_of(BUILD, name)
    assert program.exists(), "the bug can't be planted any more: see 'make bugs'"
    way = tmp_path / "way"
    result = find.search(program, "--save", way)
    assert result.violation and result.status == 1, result.output
    if result.depth:  # else the machine at the start has it
        assert len(way.read_text().splitlines()) == 1 + result.depth


def test_the_kernel_as_it_is():
    result = find.search(find.program_of(BUILD, None))
    assert result.status == 0 and not result.violation, result.output
    assert result.output.count("closed to depth") == 9


@pytest.fixture(name="sources")
def copied_sources(tmp_path):
    for folder in ("kernel", "include", "tests/bugs"):
        shutil.copytree(find.ROOT / folder, tmp_path / folder)
    return tmp_path


def plant(sources, bug):
    return subprocess.run([sources / "tests/bugs/plant", bug, sources / "copy"], check=False,
                          capture_output=True, text=True)


def test_a_bug_is_planted_in_a_copy_only(sources):
    original = (sources / "kernel/cap.c").read_text()
    assert plant(sources, "02").returncode == 0
    assert (sources / "kernel/cap.c").read_text() == original
    assert ".rights = rights," in (sources / "copy/kernel/cap.c").read_text()
    assert plant(sources, "none").returncode == 0
    assert (sources / "copy/kernel/cap.c").read_text() == original


def test_a_patch_that_does_not_fit_is_refused(sources):
    kernel = sources / "kernel/cap.c"
    kernel.write_text(kernel.read_text().replace("parent->rights & rights", "rights & parent->rights"))
    refused = plant(sources, "02")
    assert refused.returncode != 0 and "does not apply" in refused.stderr
    assert plant(sources, "99").returncode != 0
