# SPDX-License-Identifier: ISC
"""The production sources of channels and loop on CPUs with store buffers: all holds, and nothing
that carries a label can be left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import find

sys.path.append(str(find.ROOT / "tests/model"))
import model  # pylint: disable=wrong-import-position

BUILD = Path(os.environ["MOTET_BUILD"])


def test_all_holds():
    found = find.search(BUILD, None)
    assert found.status == 0 and f"{find.RUNS} runs" in found.output, found.output


def test_each_label_has_its_bug():
    assert set(find.bugs()) == set(model.labels_of_sources())


@pytest.mark.parametrize("name", find.bugs())
def test_without(name):
    program = find.program_of(BUILD, name)
    assert program.exists(), f"the bug can't be planted any more: see 'make {program}'"
    found = find.search(BUILD, name)
    assert found.status == 1 and found.seed, found.output
    again = subprocess.run([program, "--seed", str(found.seed)], text=True, capture_output=True,
                           check=False)
    assert f"FAILED: {found.what}\n" in again.stdout
