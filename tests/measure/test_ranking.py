"""Recall and reciprocal rank, and that their intervals hold what they say they hold."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import ndcg_score
from statsmodels.stats.proportion import proportion_confint

from trimtab.measure.ranking import mean_share, recall_at, reciprocal_rank


def test_cases_worked_by_hand() -> None:
    found = [["a", "b", "c"], ["b", "b", "a"], [], ["x", "y"]]
    sought = [["a"], ["a", "c"], ["a"], ["y", "y"]]
    assert recall_at(found, sought, 1) == [1, 0, 0, 0]
    assert recall_at(found, sought, 3) == [1, 0.5, 0, 1]
    assert reciprocal_rank(found, sought) == [1, 1 / 3, 0, 0.5]


def test_the_reciprocal_rank_orders_rankings_as_another_measure_does() -> None:
    dice = np.random.default_rng(0)
    names = list("abcdefgh")
    for _ in range(50):
        found = [list(dice.permutation(names)) for _ in range(2)]
        ranks = reciprocal_rank(found, [["c"]] * 2)
        gains = [ndcg_score([[float(n == "c") for n in f]], [np.arange(len(f), 0, -1.0)]) for f in found]
        assert np.sign(ranks[0] - ranks[1]) == np.sign(round(gains[0] - gains[1], 9))


def test_the_interval_covers_and_stays_in_range() -> None:
    dice = np.random.default_rng(1)
    for truth in (0.7, 0.9):
        held = 0
        for _ in range(400):
            values = (dice.random(60) < truth).astype(float)
            estimate = mean_share(values, [""] * 60)
            assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
            held += estimate.low <= truth <= estimate.high
        assert held / 400 >= 0.93


def test_without_a_miss_the_interval_is_wilsons() -> None:
    estimate = mean_share([1.0] * 40, [""] * 40)
    low, high = proportion_confint(40, 40, method="wilson")
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1, low, high))


def test_one_question_gives_no_interval() -> None:
    assert mean_share([1.0], ["a"]).undefined
