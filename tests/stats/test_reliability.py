"""Measures of confidence against second implementations, and their intervals by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from tests.reference import confidence_reference as reference
from trimtab.errors import StatisticsError
from trimtab.stats.reliability import aurc, bin_of, brier, calibration_error, reliability, risk_coverage

PAIRS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.35, 0.5, 0.7, 0.99, 1.0]), st.sampled_from([0.0, 1.0])),
    min_size=2,
    max_size=6,
)


def drawn(count: int, seed: int, power: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidences, outcomes, and the true probabilities: confidence ** power."""
    dice = np.random.default_rng(seed)
    p = dice.uniform(0.05, 0.95, count)
    truth = p**power
    return p, (dice.uniform(size=count) < truth).astype(float), truth


@given(PAIRS, st.integers(1, 4))
def test_as_by_their_definitions(pairs: list[tuple[float, float]], bins: int) -> None:
    p, y = (np.array(column) for column in zip(*pairs, strict=True))
    assert brier(p, y) == pytest.approx(reference.brier(p, y))
    assert brier(p, y) == pytest.approx(brier_score_loss(y, p, pos_label=1))
    assert aurc(p, y) == pytest.approx(reference.aurc(p, y))
    assert calibration_error(p, y, bins=bins).value == pytest.approx(
        reference.calibration_error(p, y, bins), abs=1e-12
    )


def test_larger_sets_too() -> None:
    p, y, _ = drawn(500, 3, 2.0)
    for bins in (1, 7, 10, 600):
        expected = reference.calibration_error(p, y, bins)
        assert calibration_error(p, y, bins=bins).value == pytest.approx(expected)
    assert np.bincount(bin_of(p, 10)).tolist() == [50] * 10
    assert set(bin_of(np.full(9, 0.5), 3)) == {0}


def test_risk_falls_with_a_confidence_that_knows_and_not_with_one_that_does_not() -> None:
    p, y, _ = drawn(4000, 0)
    coverage, risk = risk_coverage(p, y)
    assert coverage[-1] == 1
    assert risk[-1] == pytest.approx(1 - y.mean())
    assert risk[400] < risk[2000] < risk[-1]
    assert aurc(p, y) < risk[-1] - 0.1
    assert aurc(np.full(len(y), 0.5), y) == pytest.approx(risk[-1])
    assert aurc(1 - p, y) > risk[-1] + 0.1


@pytest.mark.parametrize(("power", "bins", "size"), [(1.0, 10, 1), (2.0, 5, 1), (2.0, 10, 4)])
def test_the_interval_of_the_calibration_error_covers(power: float, bins: int, size: int) -> None:
    rounds, covered = 150, 0
    for number in range(rounds):
        dice = np.random.default_rng(1000 + number)
        p = np.repeat(dice.uniform(0.05, 0.95, 120 // size), size)
        # Outcomes of a group stand or fall together.
        y = np.repeat(dice.uniform(size=120 // size), size) < p**power
        truth = sum(abs(float((p**power - p)[bin_of(p, bins) == b].sum())) for b in range(bins)) / len(p)
        groups = np.repeat(np.arange(120 // size), size).tolist()
        found = calibration_error(p, y.astype(float), groups=groups, bins=bins, seed=number)
        covered += found.low <= truth <= found.high
    # 0.95 less three standard errors of 150 rounds.
    assert covered / rounds > 0.95 - 3 * np.sqrt(0.95 * 0.05 / rounds)


def test_a_large_miscalibration_is_told_from_none() -> None:
    p, y, _ = drawn(1500, 1, 3.0)
    assert calibration_error(p, y).low > 0.1
    p, y, _ = drawn(1500, 1)
    assert calibration_error(p, y).low == 0


def test_all_of_them_at_once() -> None:
    p, y, _ = drawn(300, 2)
    found = reliability(p, y)
    assert found.brier.value == pytest.approx(brier(p, y))
    assert found.brier.low < found.brier.value < found.brier.high
    assert found.error == calibration_error(p, y)
    assert found.aurc == aurc(p, y)
    assert found.curve[-1] == (1.0, pytest.approx(found.risk))
    assert len(found.curve) == 50


def test_what_is_no_confidence_is_refused() -> None:
    for p, y in (([0.5], [0.5]), ([1.5], [1.0]), ([0.5, 0.5], [1.0]), ([], [])):
        with pytest.raises(StatisticsError):
            brier(np.array(p), np.array(y))
    with pytest.raises(StatisticsError, match="0 bins"):
        calibration_error(np.array([0.5]), np.array([1.0]), bins=0)
    alone = calibration_error(np.array([0.5, 0.6]), np.array([1.0, 0.0]), groups=["a", "a"])
    assert alone.undefined == "fewer than 2 groups of answers"
