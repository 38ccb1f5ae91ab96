"""From features of an answer to the probability that it is good; a fit that is a handful of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from trimtab.errors import StatisticsError
from trimtab.stats.clustered import cluster_codes
from trimtab.stats.intervals import Array

Method = Literal["platt", "isotonic"]
RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A fitted calibration: numbers only.

    The score of an answer is z = bias + sum_j weights_j (x_j - centre_j) / spread_j. Its probability of being good
    is 1 / (1 + exp(-z)), or, where there are knots, the straight line between the two of them around z.

    Attributes:
        features: names of x (k,).
        centre, spread, weights: (k,).
        knots: pairs (z, probability), both ascending; empty for Platt scaling.
        items: answers that it was fitted on.
    """

    features: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    knots: tuple[tuple[float, float], ...] = ()
    items: int = 0

    def scores(self, rows: Array) -> Array:
        """z of answers by their features (n, k) -> (n,)."""
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise StatisticsError(
                f"features of shape {rows.shape}, expected (answers, {len(self.features)})",
                f"give a column for each of {', '.join(self.features)}",
            )
        standard = (rows - np.array(self.centre)) / np.array(self.spread)
        z: Array = standard @ np.array(self.weights) + self.bias
        return z

    def probabilities(self, rows: Array) -> Array:
        """Probability of being good, by features (n, k) -> (n,), in [0, 1]."""
        z = self.scores(rows)
        if self.knots:
            places, values = zip(*self.knots, strict=True)
            stepped: Array = np.interp(z, places, values)
            return stepped
        smooth: Array = _logistic(z)
        return smooth

    @classmethod
    def of(cls, record: dict[str, Any]) -> Calibrator:
        """From its own fields as JSON has them."""
        lists = {key: tuple(record[key]) for key in ("features", "centre", "spread", "weights")}
        knots = tuple((float(z), float(p)) for z, p in record["knots"])
        return cls(**lists, bias=record["bias"], knots=knots, items=record["items"])


def fit(rows: Array, good: Array, features: Sequence[str], method: Method = "platt") -> Calibrator:
    """Fit a calibration to answers of which it is known whether they are good.

    Platt scaling is a logistic regression on the standardised features with a ridge penalty of 1/2 |weights|^2 and
    Platt's targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2) instead of 1 and 0, so that it stays finite where the two
    kinds are apart. Source: Platt 1999, Probabilistic outputs for support vector machines; several features
    instead of one and the ridge are our addition. Isotonic calibration is the non-decreasing step function of that
    score with the least squared error, kept within 1 / (n + 2) of 0 and 1. Source: Zadrozny and Elkan 2002.

    Args:
        rows: features (n, k), finite.
        good: (n,), 1 for good and 0 for not.

    Raises:
        StatisticsError: fewer than 2 answers, shapes that do not fit, a value that is not finite.
    """
    rows, good = np.asarray(rows, dtype=np.float64), np.asarray(good, dtype=np.float64)
    _check(rows, good, features)
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    # A feature that never differs tells nothing, and may differ by rounding alone.
    spread = np.where(spread > 1e-12 * np.maximum(1.0, np.abs(centre)), spread, np.inf)
    standard = (rows - centre) / spread
    spread = np.where(np.isfinite(spread), spread, 1.0)
    weights, bias = _regression(standard, _targets(good))
    found = Calibrator(
        tuple(features), _floats(centre), _floats(spread), _floats(weights), bias, items=len(rows)
    )
    if method == "platt":
        return found
    knots = _steps(standard @ weights + bias, good)
    return Calibrator(
        found.features, found.centre, found.spread, found.weights, found.bias, knots, found.items
    )


def crossed(
    rows: Array,
    good: Array,
    features: Sequence[str],
    method: Method = "platt",
    *,
    groups: Sequence[object] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Array:
    """Probability of each answer by a calibration that was fitted without it, (n,): for honest figures.

    Args:
        groups: (n,), answers that stay on one side; each its own when not given.
        folds: parts, fewer where there are fewer groups.

    Raises:
        StatisticsError: fewer than 2 groups, or as for `fit`.
    """
    rows, good = np.asarray(rows, dtype=np.float64), np.asarray(good, dtype=np.float64)
    codes = cluster_codes(groups, len(rows)) if groups is not None else np.arange(len(rows))
    count = int(codes.max(initial=-1)) + 1
    if count < 2:
        raise StatisticsError(f"{count} groups of answers cannot be parted", "calibrate on at least two")
    part = np.random.default_rng(seed).permutation(count)[codes] % min(folds, count)
    found = np.empty(len(rows))
    for number in np.unique(part):
        held = part == number
        found[held] = fit(rows[~held], good[~held], features, method).probabilities(rows[held])
    return found


def _check(rows: Array, good: Array, features: Sequence[str]) -> None:
    if rows.shape != (len(good), len(features)) or len(good) < 2:
        raise StatisticsError(
            f"features of shape {rows.shape} and {len(good)} marks, for {len(features)} names",
            "give at least two answers, a row for each, and a column for each feature",
        )
    if not (np.isfinite(rows).all() and np.isin(good, (0.0, 1.0)).all()):
        raise StatisticsError("features must be finite and marks 0 or 1", "leave answers without a score out")


def _targets(good: Array) -> Array:
    yes = float(good.sum())
    no = len(good) - yes
    return np.where(good > 0, (yes + 1) / (yes + 2), 1 / (no + 2))


def _regression(x: Array, targets: Array) -> tuple[Array, float]:
    """Weights (k,) and bias that minimise the logistic loss plus the ridge penalty, which is strictly convex."""
    from scipy.optimize import minimize

    def loss(parameters: Array) -> tuple[float, Array]:
        weights = parameters[:-1]
        z = x @ weights + parameters[-1]
        residual = _logistic(z) - targets
        value = float((np.logaddexp(0.0, z) - targets * z).sum() + RIDGE / 2 * weights @ weights)
        return value, np.append(x.T @ residual + RIDGE * weights, residual.sum())

    start = np.zeros(x.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9})
    return found.x[:-1], float(found.x[-1])


def _steps(z: Array, good: Array) -> tuple[tuple[float, float], ...]:
    """Ends of the steps of the isotonic regression of marks on scores; equal scores count as one."""
    from scipy.optimize import isotonic_regression

    places, inverse, counts = np.unique(z, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, good) / counts
    values = isotonic_regression(means, weights=counts).x
    edge = 1 / (len(z) + 2)
    values = np.clip(values, edge, 1 - edge)
    inner = np.zeros(len(values), dtype=bool)
    inner[1:-1] = (values[1:-1] == values[:-2]) & (values[1:-1] == values[2:])
    return tuple((float(z), float(p)) for z, p in zip(places[~inner], values[~inner], strict=True))


def _logistic(z: Array) -> Array:
    found: Array = 0.5 * (1.0 + np.tanh(0.5 * z))
    return found


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
