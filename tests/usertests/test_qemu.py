# SPDX-License-Identifier: ISC
"""usertests in QEMU: each of its tests is one here. And the tests that must fail do, by name."""

import re
import sys

import pytest

from outcome import ELF, EVERY_ERROR, LAST, LIMIT, ROOT, listed, results

sys.path.insert(0, str(ROOT / "tests/system"))
from machine import Machine, kernel  # pylint: disable=wrong-import-position

NAMES = listed()


def output(settings=""):
    with Machine([*kernel(ELF), "-append", settings], machine="q35",
                 options=["-device", "intel-iommu"]) as machine:
        machine.expect(LAST.pattern, seconds=LIMIT)
        return machine.text


@pytest.fixture(scope="module", name="found")
def one_run():
    return results(output())


@pytest.mark.parametrize("name", NAMES)
def test_usertest(found, name):
    result, why = found.get(name, ("not run", "the image never came to it"))
    assert result == "ok", why


def test_there_are_as_many_as_listed(found):
    assert set(found) - {EVERY_ERROR} == set(NAMES) and len(NAMES) > 300


def test_every_documented_error_was_met(found):
    assert EVERY_ERROR not in found, found[EVERY_ERROR][1]


def test_one_alone():
    assert set(results(output("usertests.only=divide_overflow"))) == {"divide_overflow"}


# What must fail: tests/usertests/planted.c

PLANTED = {
    "fails": "OK instead of MORE",
    "faults": "fault 6,",
    "other_fault": "fault 6 at .*, expected fault 14",
    "other_address": "fault 14 at 0x10000001, expected fault 14",
    "hangs": "cut off after 5 s",
    "waits_for_ever": "cut off after 5 s",
}


@pytest.fixture(scope="module", name="planted")
def planted_run():
    return results(output("usertests.planted"))


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_wrong_fails_by_name(planted, name):
    result, why = planted[name]
    assert result == "FAILED"
    assert re.search(PLANTED[name], why), why


def test_the_others_run_all_the_same(planted):
    assert planted["passes"][0] == planted["passes_after_all"][0] == "ok"
