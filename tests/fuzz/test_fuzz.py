# SPDX-License-Identifier: ISC
"""A short run of every fuzz target from its corpus; what the system calls' target reaches; the
planted bugs."""

import os
from pathlib import Path

import pytest

import calls_def
import run
from run import find

BUILD = Path(os.environ["MOTET_BUILD"])
RUNS = {"calls": 1500, "device": 700, "frames": 300, "query": 20000, "zone": 20000,
        "settings": 40000, "requests": 40000, "master": 5000, "elf": 100000,
         "loader": 200000, "manifest": 1500, "reassembly": 30000}  # seconds each


@pytest.mark.parametrize("name", run.targets())
def test_short_run(name, tmp_path):
    corpus = run.ROOT / "tests/fuzz/corpus" / name
    assert any(corpus.iterdir())
    points = [tmp_path, *run.starting_points(BUILD, name)[1:]]
    result = run.run(BUILD / "fuzz" / name, points, name, runs=RUNS[name],
                     artifact=tmp_path.with_name(f"{name}-failure"))
    assert not result.failed, result.output[-3000:]
    assert result.executed >= RUNS[name]


def test_every_documented_error_is_met(tmp_path):
    assert len(calls_def.DOCUMENTED) > 90
    assert not (missing := run.unreached(BUILD, tmp_path / "reached")), missing


@pytest.mark.parametrize("bug", find.bugs())
def test_planted_bug_is_found_within_a_minute(bug, tmp_path):
    assert (BUILD / "fuzz/bugs" / bug / "calls").exists(), "it can't be planted: make fuzz-bugs"
    result = run.find_bug(BUILD, bug, tmp_path)
    assert result.failed and "kernel: panic: " in result.output, result.output[-3000:]
    assert result.seconds < run.BUG_SECONDS + run.GRACE


def test_a_failing_input_is_made_smaller_and_repeats(tmp_path):
    bug = next(iter(find.bugs()))
    program = BUILD / "fuzz/bugs" / bug / "calls"
    points = run.starting_points(BUILD, "calls")[1:]
    result = run.run(program, [tmp_path, *points], "calls", seconds=run.BUG_SECONDS,
                     artifact=tmp_path.with_name("failure"))
    small = run.minimized(program, "calls", tmp_path.with_name("failure"))
    assert small.stat().st_size <= tmp_path.with_name("failure").stat().st_size
    again = run.run(program, [small], "calls")
    assert again.failed and run.reason(again.output) == run.reason(result.output)
