"""Calibration against scikit-learn, and what it does to confidences that are off."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from trimtab.errors import StatisticsError
from trimtab.records import plain
from trimtab.stats.calibration import Calibrator, crossed, fit
from trimtab.stats.reliability import calibration_error

NAMES = ("one", "two", "three")
METHODS = ("platt", "isotonic")


def marked(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features on unlike scales, of which the second says nothing, and marks."""
    dice = np.random.default_rng(seed)
    rows = dice.normal((-3.0, 100.0, 0.4), (1.0, 20.0, 0.2), (count, 3))
    z = 1.5 * (rows[:, 0] + 3) + 4 * (rows[:, 2] - 0.4) - 0.3
    return rows, (dice.uniform(size=count) < 1 / (1 + np.exp(-z))).astype(float)


def test_platt_scaling_as_by_scikit_learn() -> None:
    rows, good = marked(200, 0)
    found = fit(rows, good, NAMES)
    standard = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    yes, no = good.sum(), (1 - good).sum()
    targets = np.where(good > 0, (yes + 1) / (yes + 2), 1 / (no + 2))
    # Soft targets are each answer once as good and once as not, with these weights.
    stock = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(
        np.vstack([standard, standard]),
        np.repeat([1, 0], len(good)),
        sample_weight=np.concatenate([targets, 1 - targets]),
    )
    np.testing.assert_allclose(found.weights, stock.coef_[0], atol=1e-4)
    assert found.bias == pytest.approx(stock.intercept_[0], abs=1e-4)
    np.testing.assert_allclose(found.probabilities(rows), stock.predict_proba(standard)[:, 1], atol=1e-5)


def test_isotonic_calibration_as_by_scikit_learn() -> None:
    rows, good = marked(150, 1)
    rows = np.vstack([rows, rows[:40]])
    good = np.append(good, 1 - good[:40])
    found = fit(rows, good, NAMES, "isotonic")
    edge = 1 / (len(good) + 2)
    stock = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip").fit(found.scores(rows), good)
    elsewhere = marked(300, 2)[0]
    np.testing.assert_allclose(
        found.probabilities(elsewhere), stock.predict(found.scores(elsewhere)), atol=1e-9
    )


@pytest.mark.parametrize("method", METHODS)
def test_it_mends_confidences_that_are_off(method: str) -> None:
    better = 0
    for seed in range(20):
        dice = np.random.default_rng(seed)
        told = dice.uniform(0.5, 1.0, 600)  # far too sure
        good = (dice.uniform(size=600) < (2 * told - 1) ** 2).astype(float)
        fitted = fit(told[:300, None], good[:300], ("told",), method)
        before = calibration_error(told[300:], good[300:]).value
        after = calibration_error(fitted.probabilities(told[300:, None]), good[300:]).value
        assert after < before
        better += after < before / 2
    assert better == 20


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_rise_with_the_score_and_are_never_certain(method: str) -> None:
    rows, good = marked(80, 4)
    good = (rows[:, 0] > -3).astype(float)  # apart without an error
    found = fit(rows, good, NAMES, method)
    p = found.probabilities(np.array([[-6.0, 100.0, 0.4], [-3.0, 100.0, 0.4], [0.0, 100.0, 0.4]]))
    assert 0 < p[0] < p[1] < p[2] < 1


def test_a_feature_that_never_differs_weighs_nothing() -> None:
    rows, good = marked(60, 5)
    rows[:, 1] = 0.1 + 0.2
    found = fit(rows, good, NAMES)
    assert found.weights[1] == 0
    without = fit(rows[:, [0, 2]], good, ("one", "three"))
    np.testing.assert_allclose(found.probabilities(rows), without.probabilities(rows[:, [0, 2]]), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_numbers_survive_json(method: str) -> None:
    rows, good = marked(60, 6)
    found = fit(rows, good, NAMES, method)
    again = Calibrator.of(json.loads(json.dumps(plain(found))))
    assert again == found
    assert {f.name for f in dataclasses.fields(Calibrator)} >= {"weights", "bias", "knots"}


def test_crossed_probabilities_have_not_seen_their_group() -> None:
    dice = np.random.default_rng(7)
    # Features that say nothing; all answers of a group are alike and share a mark.
    rows = np.repeat(dice.normal(size=(30, 2)), 4, axis=0)
    good = np.repeat(dice.integers(0, 2, 30), 4).astype(float)
    groups = np.repeat(np.arange(30), 4).tolist()
    apart = crossed(rows, good, ("a", "b"), "isotonic", groups=groups, seed=1)
    seen = fit(rows, good, ("a", "b"), "isotonic").probabilities(rows)
    leaky = crossed(rows, good, ("a", "b"), "isotonic", seed=1)
    errors = [float(((p - good) ** 2).mean()) for p in (apart, leaky, seen)]
    assert errors[0] > errors[1]
    assert errors[0] > errors[2]
    np.testing.assert_array_equal(apart, crossed(rows, good, ("a", "b"), "isotonic", groups=groups, seed=1))


def test_what_cannot_be_fitted_is_refused() -> None:
    rows, good = marked(10, 8)
    with pytest.raises(StatisticsError, match="shape"):
        fit(rows, good, ("one",))
    with pytest.raises(StatisticsError, match="finite"):
        fit(np.where(rows > 0, np.nan, rows), good, NAMES)
    with pytest.raises(StatisticsError, match="finite"):
        fit(rows, good / 2, NAMES)
    with pytest.raises(StatisticsError, match="1 groups"):
        crossed(rows, good, NAMES, groups=["a"] * 10)
    with pytest.raises(StatisticsError, match="shape"):
        fit(rows, good, NAMES).probabilities(rows[:, :2])
