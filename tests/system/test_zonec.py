# SPDX-License-Identifier: ISC
"""The zone compiler: a wrong master file gets one message that names file and line; a right one
becomes a database."""

import re
import subprocess

import pytest

from machine import BUILD, ROOT

ZONEC = BUILD / "tools/zonec"
BAD = sorted((ROOT / "tests/zones/bad").glob("*.zone"))
GOOD = sorted((ROOT / "tests/zones").glob("*.zone")) + sorted((ROOT / "zones").glob("*.zone"))


def zonec(*words):
    return subprocess.run([ZONEC, *map(str, words)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_wrong_file_is_refused_with_the_place(path, tmp_path):
    wanted = re.search(r"^; expect: (.*)$", path.read_text(), re.MULTILINE)[1]
    done = zonec("-o", tmp_path / "out.zdb", path)
    assert done.returncode != 0
    assert f"{path}:{wanted}" in done.stderr or wanted in done.stderr, done.stderr
    assert str(path) in done.stderr
    assert not (tmp_path / "out.zdb").exists()


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_right_file_becomes_a_database(path, tmp_path):
    done = zonec("-o", tmp_path / "out.zdb", path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.zdb").stat().st_size > 0


def test_an_output_that_exists_survives_an_error(tmp_path):
    out = tmp_path / "out.zdb"
    out.write_text("old")
    assert zonec("-o", out, BAD[0]).returncode != 0
    assert out.read_text() == "old"


def test_the_same_files_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        assert zonec("-o", tmp_path / name, *GOOD).returncode == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_file_is_named():
    done = zonec("-o", "/dev/null", "/nonexistent/x.example.zone")
    assert done.returncode != 0
    assert "/nonexistent/x.example.zone" in done.stderr


def test_help():
    done = zonec("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: zonec ")
