# SPDX-License-Identifier: ISC
"""Heaps: memory comes when it is touched, another domain can serve it, and it is asked back, then
taken by force, when somebody else needs it (docs/paging.md)."""

import pytest

from machine import BUILD, Machine, kernel

BLOCK = 256  # KiB


def heap_of(machine, domain):
    """Held, most, kept, given back, lost, in KiB, as the console's `d` says."""
    machine.type("d")
    line = machine.expect(rf"^  {domain}: .*\n    heap: (\d+) of (\d+) KiB, (\d+) kept; "
                          r"given back (\d+), lost (\d+)$")
    return tuple(map(int, line.groups()))


@pytest.fixture(scope="module")
def heaps():
    """14 blocks for domains that may have 19."""
    with Machine(kernel(BUILD / "images/heap.elf"), settings={"heap.limit": str(14 * BLOCK)}) as machine:
        machine.expect(r"^taker: holds")
        yield machine


def test_memory_is_zero_when_it_is_touched_first_and_when_it_is_used_again(heaps):
    assert heaps.expect(r"^checker: checked (.*)$")[1] == "4 chunks: zero, 0 wrong, refused"


def test_another_domain_serves_more_pages_than_it_has_frames(heaps):
    assert heaps.expect(r"^walker: walked (.*)$")[1] == "64 pages, 0 wrong"
    assert "frames: served 128 pages, took 124 back" in heaps.text


@pytest.mark.parametrize("domain", ["wild", "stray"])
def test_what_is_not_allocated_stops_the_domain(heaps, domain):
    assert heaps.expect(rf"^init: {domain} stopped: page fault writing address .* \(not mapped\)")


def test_memory_is_asked_back_and_given(heaps):
    assert heaps.expect(r"^giver: holds (\d+) chunks$")[1] == "8"
    assert heaps.expect(r"^taker: holds (\d+) chunks$")[1] == "4"
    assert heap_of(heaps, "giver") == (5 * BLOCK, 8 * BLOCK, BLOCK, 3 * BLOCK, 0)
    assert "WRONG" not in heaps.text and "by force" not in heaps.text


def test_a_domain_that_has_nothing_to_give_loses_memory_and_stops_when_it_misses_it():
    with Machine(kernel(BUILD / "images/heap_mute.elf"), settings={"heap.limit": str(8 * BLOCK)}) as machine:
        assert machine.expect(r"^taker: holds (\d+) chunks$")[1] == "2"
        machine.expect(r"^init: miser stopped: page fault reading address .* \(not mapped\)")
        assert machine.text.count("of miser's heap were taken by force, for taker") == 2
        assert heap_of(machine, "miser") == (0, 8 * BLOCK, BLOCK, 0, 2 * BLOCK)


def test_a_domain_that_does_not_hear_loses_memory_when_the_deadline_has_passed():
    with Machine(kernel(BUILD / "images/heap_deaf.elf"), settings={"heap.limit": str(8 * BLOCK)}) as machine:
        machine.expect(r"^init: 256 KiB of miser's heap were taken by force, for taker$")
        machine.expect(r"^init: miser stopped: page fault reading address .* \(not mapped\)")
        assert machine.expect(r"^taker: holds (\d+) chunks$")[1] == "2"


def test_too_little_memory_for_what_is_kept_is_said_at_boot():
    with Machine(kernel(BUILD / "images/heap.elf"), settings={"heap.limit": "1024"}) as machine:
        machine.expect(r"too little memory: \d+ KiB are to be kept for heaps, 1024 are there")
