# SPDX-License-Identifier: ISC
"""A short search of each configuration, and the explorer itself: it tells when merging is unsound,
and repeats what it found."""

import os
import re
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ["MOTET_BUILD"])
EXPLORE = BUILD / "explore/explore"
SECONDS = 150

# How deep each configuration is searched: some 100,000 states, a second or two each.
CLOSED = {"ipc": 3, "time": 6, "memory": 3, "derive": 2, "tables": 2, "irq": 3, "all": 2,
          "trace": 2, "dma": 2}


def explore(*options, program=EXPLORE):
    return subprocess.run([program, *options], timeout=SECONDS, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_all_configurations_are_searched_here():
    names = [line.split()[0] for line in explore("--list").stdout.splitlines()]
    assert names == list(CLOSED)


@pytest.mark.parametrize("name", CLOSED)
def test_every_state_near_the_start(name):
    result = explore("--config", name, "--depth", str(CLOSED[name]))
    assert result.returncode == 0, result.stdout
    assert f"closed to depth {CLOSED[name]}, " in result.stdout


@pytest.mark.parametrize("name", CLOSED)
def test_merged_states_have_the_same_successors(name):
    result = explore("--config", name, "--states", "5000", "--verify", "3")
    assert result.returncode == 0, result.stdout
    compared = re.search(r"compared with their twins: (\d+), all alike", result.stdout)
    assert int(compared[1]) >= 50


def test_the_same_search_twice_is_the_same():
    def counts():
        return re.findall(r"closed to .*transitions \(.*?\)|depth 0, 1, ...: .*|longest .*",
                          explore("--config", "irq", "--depth", "2").stdout)
    assert counts() == counts() and len(counts()) == 3


@pytest.mark.parametrize("left_out,configuration", [("deadlines", "time"), ("memory", "memory")])
def test_unsound_merging_is_noticed(left_out, configuration):
    result = explore("--config", configuration, "--states", "40000", "--verify", "1",
                     program=BUILD / f"explore/unsound-{left_out}/explore")
    assert result.returncode == 1
    assert "merged states have different successors" in result.stdout


def test_a_violation_is_repeated_from_its_file(tmp_path):
    way = tmp_path / "way"
    planted = BUILD / "bugs/12-page-not-cleared/explore"
    found = explore("--config", "memory", "--save", way, program=planted)
    assert found.returncode == 1 and "is_zero(page)" in found.stdout
    repeated = explore("--replay", way, program=planted)
    assert repeated.returncode < 0  # it ends as a panic does, where gdb stops
    assert "captable.delete" in repeated.stdout and "is_zero(page)" in repeated.stdout
    without = explore("--replay", way)
    assert without.returncode == 0 and "nothing is wrong here" in without.stdout


def test_a_file_that_is_no_way_is_refused(tmp_path):
    other = tmp_path / "other"
    other.write_text("something else\n")
    assert explore("--replay", other).returncode == 2


def test_memory_is_bounded():
    result = explore("--config", "time", "--memory", "0.01")
    assert result.returncode == 0 and "(memory used up)" in result.stdout
    assert float(re.search(r"([\d.]+) MiB", result.stdout)[1]) <= 0.01 * 1024 + 1


def test_every_call_and_operation_succeeds_somewhere():
    result = explore("--states", "40000")
    assert result.returncode == 0 and "never succeeded" not in result.stdout
    assert re.search(r"succeeded: (\d+) of \1;", result.stdout)
