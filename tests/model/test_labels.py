# SPDX-License-Identifier: ISC
"""Code and model of channels and doorbells have the same labels, and what carries one can't be left out
of the model."""

import pytest

import model


def test_code_and_model_have_the_same_labels():
    assert set(model.labels_of_sources()) == model.labels_of_model()


def test_each_label_stands_at_one_place():
    assert not {label: places for label, places in model.labels_of_sources().items()
                if len(places) != 1}


@pytest.mark.parametrize("label", sorted(model.labels_of_model()))
def test_without(label):
    found = model.without(label)
    assert found.violation, found.output
