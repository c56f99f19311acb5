# SPDX-License-Identifier: ISC
"""Each planted bug is found by the explorer, and nothing is in the kernel without one.

`make test` builds the programs; one that isn't there has a patch that doesn't apply any more."""

import os
from pathlib import Path

import pytest

import find

BUILD = Path(os.environ["MOTET_BUILD"])


def test_there_are_twenty_bugs():
    assert len(find.bugs()) == 20


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
    assert result.output.count("closed to depth") == 7
