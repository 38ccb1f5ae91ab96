"""The mean from labels and predictions: against the papers' formulas, and its coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.reference import predicted_reference as reference
from trimtab import stats
from trimtab.errors import StatisticsError
from trimtab.stats.predicted import predicted_mean

TRUTH = 0.6


@pytest.mark.parametrize("judge", ["good", "biased"])
@pytest.mark.parametrize("level", [0.95, 0.99375])
def test_as_in_the_papers_where_items_are_many(judge: str, level: float) -> None:
    data = reference.drawn(judge, 2000, 8000, np.random.default_rng(1))
    found = predicted_mean(*data, level=level)
    value, low, high = reference.powered(*(list(part) for part in data), level)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert f"weighted {reference.weight(*(list(part) for part in data)):.2f}" in found.method
    # Ours is the hull of t and of an interval with some items added, a little wider.
    assert found.low == pytest.approx(low, abs=0.002)
    assert found.high == pytest.approx(high, abs=0.002)
    assert found.n == 2000


@pytest.mark.parametrize(
    ("judge", "n", "others", "narrower"),
    [
        ("good", 20, 100, 0.95),
        ("good", 50, 200, 0.85),
        ("good", 200, 400, 0.85),
        ("biased", 20, 100, 1.1),
        ("biased", 50, 50, 1.02),
        ("biased", 200, 400, 1.0),
        ("useless", 20, 100, 1.02),
        ("useless", 50, 200, 1.02),
        ("useless", 200, 400, 1.01),
        ("contrary", 50, 200, 1.0),
    ],
)
def test_coverage_and_width_beside_labels_alone(judge: str, n: int, others: int, narrower: float) -> None:
    """An interval covers whatever the judge is worth, and is never clearly wider than that of people alone."""
    rng = np.random.default_rng(n)
    replicates = 100 if n == 200 else 200
    missed, width, alone = np.zeros(2), 0.0, 0.0
    for _ in range(replicates):
        labels, predictions, rest = reference.drawn(judge, n, others, rng, TRUTH)
        found = predicted_mean(labels, predictions, rest)
        people = stats.bounded_mean(labels, (0.0, 1.0))
        missed += (found.low > TRUTH, found.high < TRUTH)
        width += found.high - found.low
        alone += people.high - people.low
    assert missed.sum() / replicates <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / replicates)
    assert missed.max() / replicates <= 0.035 + 2 * math.sqrt(0.035 * 0.965 / replicates)
    assert width / alone <= narrower


def test_a_biased_judge_moves_its_own_mean_and_not_the_value() -> None:
    rng = np.random.default_rng(5)
    drawn = [reference.drawn("biased", 60, 100, rng, TRUTH) for _ in range(100)]
    values = [predicted_mean(*data).value for data in drawn]
    assert np.mean([others.mean() for _, _, others in drawn]) > TRUTH + 0.15
    assert abs(np.mean(values) - TRUTH) < 3 * np.std(values) / math.sqrt(len(values))


def test_where_predictions_cannot_help_labels_stand_alone() -> None:
    labels, predictions, others = reference.drawn("good", 40, 400, np.random.default_rng(2))
    people = stats.bounded_mean(labels, (0.0, 1.0))
    for data in (
        (labels, np.full(40, 0.5), others),
        (labels, 1 - predictions, others),
        (labels, predictions, others[:0]),
    ):
        found = predicted_mean(*data)
        assert (found.value, found.low, found.high) == (people.value, people.low, people.high)
        assert "labels alone" in found.method
    assert "labels alone" in predicted_mean(labels[:9], predictions[:9], others).method
    assert "labels alone" not in predicted_mean(labels, predictions, others).method


def test_labels_that_are_all_right_leave_an_interval() -> None:
    """Twenty items on which the judge was never wrong do not show that it never is."""
    labels = np.tile([0.0, 1.0, 1.0, 0.5], 5)
    found = predicted_mean(labels, labels, np.tile([0.0, 1.0], 5000))
    assert found.high - found.low > 0.2


def test_other_bounds_are_the_same_on_their_scale() -> None:
    data = reference.drawn("good", 40, 400, np.random.default_rng(3))
    found, scaled = predicted_mean(*data), predicted_mean(*(10 * part - 3 for part in data), bounds=(-3, 7))
    for name in ("value", "low", "high"):
        assert getattr(scaled, name) == pytest.approx(10 * getattr(found, name) - 3)


def test_undefined_and_refused() -> None:
    assert predicted_mean([], [], [0.5, 1.0]).undefined
    one = predicted_mean([1.0], [1.0], [0.5, 1.0])
    assert one.undefined
    assert math.isnan(one.low)
    with pytest.raises(StatisticsError, match="shapes"):
        predicted_mean([1.0, 0.0], [1.0], [0.5])
    with pytest.raises(StatisticsError, match="not finite"):
        predicted_mean([1.0, math.nan], [1.0, 0.0], [0.5])
    with pytest.raises(StatisticsError, match="bounds"):
        predicted_mean([1.0, 2.0], [1.0, 0.0], [0.5])


def test_bounded_mean_keeps_within_its_bounds() -> None:
    values = np.array([4.0] * 19 + [3.0])
    found = stats.bounded_mean(values, (0.0, 4.0))
    around = stats.interval(values - 2, bounds=(0.0, 2.0))
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == (pytest.approx(around.low + 2), 4.0)
    assert around.high + 2 > 4
    assert stats.bounded_mean([], (0.0, 1.0)).undefined
