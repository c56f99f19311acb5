# SPDX-License-Identifier: ISC
"""Every command, file and change of docs/tutorial-swap.md, word for word and in order."""

import pytest

import tutorial
from machine import ROOT
from scratch import Scratch

SECTIONS = tutorial.sections(ROOT / "docs/tutorial-swap.md")


@pytest.fixture(scope="module")
def follower(tmp_path_factory):
    follower = tutorial.Follower(Scratch(tmp_path_factory.mktemp("tree")))
    yield follower
    follower.close()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title.lower())
def test_section(follower, section):
    """Each goes on where the one before ended."""
    for step in section.steps:
        follower.follow(step)
