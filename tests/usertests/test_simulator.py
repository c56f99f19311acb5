# SPDX-License-Identifier: ISC
"""usertests in the simulator: each of its tests that needs no hardware is one here, and what must
hold in the whole system is checked after each kernel entry."""

import pytest

from outcome import EVERY_ERROR, LAST, listed, results, run_simulator

NAMES = listed()


@pytest.fixture(scope="module", name="run")
def one_run():
    return run_simulator()


def test_it_came_to_its_end(run):
    assert LAST.search(run[0]) and run[1] == 0, run[0][-2000:]


@pytest.mark.parametrize("name", [name for name, why in NAMES.items() if not why])
def test_usertest(run, name):
    result, why = results(run[0]).get(name, ("not run", "see test_it_came_to_its_end"))
    assert result == "ok", why


def test_no_other_test_ran_and_each_left_out_is_said(run):
    found = results(run[0])
    found.pop(EVERY_ERROR, None)
    assert set(found) == set(NAMES) and len(NAMES) > 300
    assert sum(map(int, LAST.search(run[0]).groups())) == len(NAMES)  # no name is there twice
    assert {name: why for name, (result, why) in found.items() if result == "skipped"} == {
        name: why for name, why in NAMES.items() if why}


def test_every_documented_error_was_met(run):
    assert EVERY_ERROR not in results(run[0]), results(run[0])[EVERY_ERROR][1]


@pytest.mark.parametrize("name, error, what", [
    ("irq_ack_", "BAD_STATE", "irq.ack"),
    ("send_wait_full", "FULL", "send_wait"),
    ("irq_bind_without_right", None, None),  # another test meets it too
    ("thread_resume_without_right", "NO_RIGHT", "thread.resume"),
    ("untyped_retype_", "NO_MEMORY", "untyped.retype"),
])
def test_an_error_without_its_test_is_named(name, error, what):
    text, status = run_simulator(f"usertests.without={name}")
    missing = results(text).get(EVERY_ERROR, (None, ""))[1]
    assert (f"no test met {error} of {what}" in missing) if error else not missing
    assert status == (1 if error else 0)
