# SPDX-License-Identifier: ISC
"""Every command, file and change of docs/tutorial-driver.md, word for word and in order."""

import pytest

import tutorial
from machine import ROOT
from scratch import Scratch

SECTIONS = tutorial.sections(ROOT / "docs/tutorial-driver.md")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return Scratch(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def follower(scratch):
    follower = tutorial.Follower(scratch)
    yield follower
    follower.close()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title.lower())
def test_section(follower, section):
    """Each goes on where the one before ended."""
    for step in section.steps:
        follower.follow(step)


def test_what_is_there_at_the_end_is_formatted(follower, scratch):
    paths = {step.path for section in SECTIONS for step in section.steps if step.kind in ("c", "diff")}
    done = scratch.run("clang-format", "--dry-run", "-Werror",
                       *(path for path in sorted(paths) if path.endswith((".c", ".h"))))
    assert done.returncode == 0, done.stdout
