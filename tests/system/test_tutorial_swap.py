# SPDX-License-Identifier: ISC
"""Every command, file and change of docs/tutorial-swap.md, word for word and in order."""

from machine import ROOT
from tutorial import each, formatted, sections

SECTIONS = sections(ROOT / "docs/tutorial-swap.md")


@each(SECTIONS)
def test_section(follower, section):
    follower.follow(section)


def test_what_is_there_at_the_end_is_formatted(follower, tree):
    good, said = formatted(tree, SECTIONS)
    assert good, said
