"""Prediction-powered inference of a mean, written out from the papers in plain loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean."""
    return sum(values) / len(values)


def covariance(one: Sequence[float], other: Sequence[float]) -> float:
    """With n - 1."""
    pairs = zip(one, other, strict=True)
    return sum((a - mean(one)) * (b - mean(other)) for a, b in pairs) / (len(one) - 1)


def weight(labels: Sequence[float], predictions: Sequence[float], others: Sequence[float]) -> float:
    """PPI++, power tuning for a mean: the weight of least variance, within 0..1."""
    every = [*predictions, *others]
    share = len(labels) / len(others)
    return min(1.0, max(0.0, covariance(labels, predictions) / ((1 + share) * covariance(every, every))))


def powered(
    labels: Sequence[float], predictions: Sequence[float], others: Sequence[float], level: float
) -> tuple[float, float, float]:
    """Value and normal interval: PPI++, for a mean."""
    w = weight(labels, predictions, others)
    corrected = [y - w * f for y, f in zip(labels, predictions, strict=True)]
    value = mean(corrected) + w * mean(others)
    variance = covariance(corrected, corrected) / len(labels) + w**2 * covariance(others, others) / len(
        others
    )
    half = float(stats.norm.ppf(0.5 + level / 2)) * math.sqrt(variance)
    return value, value - half, value + half
