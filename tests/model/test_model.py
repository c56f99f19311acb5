# SPDX-License-Identifier: ISC
"""The protocol of channels and doorbells holds in all states of the model."""

import pytest

import model


@pytest.mark.parametrize("name", model.searches(False))
def test_all_states_hold(name, record_property):
    found = model.verify(model.searches(False)[name])
    record_property("note", f"{found.states} states, all that there are")
    assert found.complete, found.output
    assert found.states > 1000


@pytest.mark.parametrize("name", model.CYCLES)
def test_nobody_goes_round_for_ever(name):
    found = model.verify(model.CYCLES[name], cycles=True)
    assert found.complete, found.output


def test_a_search_that_does_not_end_is_not_a_proof():
    found = model.verify((*model.CHAIN, "-DMESSAGES=nonsense"))
    assert not found.complete and not found.violation
