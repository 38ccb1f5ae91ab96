"""Prediction-powered inference of a mean, written out from the papers in plain loops, and a judge of known quality."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean."""
    return sum(values) / len(values)


def covariance(one: Sequence[float], other: Sequence[float]) -> float:
    """With n - 1."""
    pairs = zip(one, other, strict=True)
    return sum((a - mean(one)) * (b - mean(other)) for a, b in pairs) / (len(one) - 1)


def weight(labels: Sequence[float], predictions: Sequence[float], others: Sequence[float]) -> float:
    """PPI++, example 6.1: the weight of least variance, within 0..1."""
    every = [*predictions, *others]
    share = len(labels) / len(others)
    return min(1.0, max(0.0, covariance(labels, predictions) / ((1 + share) * covariance(every, every))))


def powered(
    labels: Sequence[float], predictions: Sequence[float], others: Sequence[float], level: float
) -> tuple[float, float, float]:
    """Value and normal interval: PPI++, algorithm 1 for a mean."""
    w = weight(labels, predictions, others)
    corrected = [y - w * f for y, f in zip(labels, predictions, strict=True)]
    value = mean(corrected) + w * mean(others)
    variance = covariance(corrected, corrected) / len(labels) + w**2 * covariance(others, others) / len(
        others
    )
    half = float(stats.norm.ppf(0.5 + level / 2)) * math.sqrt(variance)
    return value, value - half, value + half


def drawn(
    judge: str, n: int, others: int, rng: np.random.Generator, win: float = 0.6
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of n items, and a judge's predictions for them and for others; the mean label is win.

    good: right four times of five, else guessing. useless: guessing. biased: right seven times of ten, else always
    for the candidate, and a tie becomes a win. contrary: always the other one.
    """
    size = n + others
    labels = rng.choice([0.0, 0.5, 1.0], size, p=[0.9 - win, 0.2, win - 0.1])
    guess = rng.choice([0.0, 0.5, 1.0], size, p=[0.3, 0.4, 0.3])
    luck = rng.uniform(size=size)
    predictions = {
        "good": np.where(luck < 0.8, labels, guess),
        "useless": guess,
        "biased": np.where(luck < 0.7, np.minimum(1.0, np.ceil(labels)), 1.0),
        "contrary": 1 - labels,
    }[judge]
    return labels[:n], predictions[:n], predictions[n:]
