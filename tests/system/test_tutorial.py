# SPDX-License-Identifier: ISC
"""Every command, file and change of docs/tutorial-server.md, word for word and in order."""

from machine import ROOT
from tutorial import each, follow, follower, formatted, scratch, sections

assert follower and scratch  # fixtures

SECTIONS = sections(ROOT / "docs/tutorial-server.md")


@each(SECTIONS)
def test_section(follower, section):  # pylint: disable=redefined-outer-name
    follow(follower, section)


def test_what_is_there_at_the_end_is_formatted(follower, scratch):  # pylint: disable=redefined-outer-name,unused-argument
    good, said = formatted(scratch, SECTIONS)
    assert good, said
