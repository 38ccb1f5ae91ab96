"""Likelihood metrics: how scores follow from log-probabilities."""

from __future__ import annotations

import math

import pytest

from trimtab.errors import MetricError
from trimtab.measure import find
from trimtab.records import Example, Message


def combined(name: str, example: Example, measured: list[tuple[float, int]], **options: object) -> float:
    metric = find(name, options)
    assert metric.combine is not None
    return metric.combine(example, measured)


def test_nll_weighs_references_by_their_tokens() -> None:
    assert combined("nll", Example((), ("a", "b")), [(-6.0, 2), (-2.0, 6)]) == 1.0


QUESTION = Example((), fields={"choices": ["no", "a long one"], "answer": 1}, id="q")


@pytest.mark.parametrize(
    ("normalise", "measured", "expected"),
    [
        ("none", [(-3.0, 1), (-6.0, 3)], 0.0),
        ("tokens", [(-3.0, 1), (-6.0, 3)], 1.0),
        ("tokens", [(-2.0, 1), (-6.0, 3)], 0.5),
        ("characters", [(-3.0, 1), (-14.0, 3)], 1.0),
        ("characters", [(-3.0, 1), (-16.0, 3)], 0.0),
    ],
)
def test_choice_states_and_uses_its_normalisation(
    normalise: str, measured: list[tuple[float, int]], expected: float
) -> None:
    assert combined("choice", QUESTION, measured, normalise=normalise) == expected
    assert normalise in find("choice", {"normalise": normalise}).limits


def test_minimal_pairs_compare_totals() -> None:
    pair = Example((), fields={"good": "a b", "bad": "a"})
    assert combined("minimal_pair", pair, [(-3.0, 3), (-2.0, 1)]) == 0.0
    assert combined("minimal_pair", pair, [(-3.0, 3), (-2.0, 1)], normalise="tokens") == 1.0
    assert combined("minimal_pair", pair, [(-2.0, 3), (-2.0, 1)]) == 0.5


def test_a_preference_compares_the_chosen_answer_with_the_rejected_one() -> None:
    asked = (Message("user", "q"),)
    pair = Example(asked, ("good one",), fields={"rejected": "bad"})
    assert find("preference").asks(pair) == [(asked, "good one"), (asked, "bad")]  # type: ignore[misc]
    assert combined("preference", pair, [(-3.0, 2), (-2.0, 1)]) == 0.0
    assert combined("preference", pair, [(-3.0, 2), (-2.0, 1)], normalise="tokens") == 1.0
    assert combined("preference", pair, [(-2.0, 2), (-2.0, 1)]) == 0.5
    assert math.isnan(combined("preference", pair, [(-2.0, 2), (math.nan, 1)]))


@pytest.mark.parametrize("item", [Example((), ("a",)), Example((), (), fields={"rejected": "b"})])
def test_a_preference_needs_both_answers(item: Example) -> None:
    assert not find("preference").applies(item)


def test_an_answer_that_is_no_index_is_named() -> None:
    metric = find("choice")
    assert metric.asks is not None
    with pytest.raises(MetricError, match="item 'q': answer is 2, with 2 choices"):
        metric.asks(Example((), fields={"choices": ["a", "b"], "answer": 2}, id="q"))


def test_nothing_to_ask_means_undefined() -> None:
    assert math.isnan(combined("nll", Example(()), []))
