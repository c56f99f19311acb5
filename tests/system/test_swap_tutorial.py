# SPDX-License-Identifier: ISC
"""Every command and change of the tutorial in docs/swap.md, word for word and in order."""

import tutorial
from machine import ROOT
from scratch import Scratch

TITLE = "Making your own server swappable"


def test_a_server_of_ones_own_is_swapped(tmp_path):
    section, = (one for one in tutorial.sections(ROOT / "docs/swap.md") if one.title == TITLE)
    scratch = Scratch(tmp_path)
    follower = tutorial.Follower(scratch)
    try:
        for step in section.steps:
            follower.follow(step)
    finally:
        follower.close()
    done = scratch.run("clang-format", "--dry-run", "-Werror", "servers/counter/counter.c")
    assert done.returncode == 0, done.stdout
