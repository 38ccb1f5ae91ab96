"""A mean from few labels and many predictions of them: prediction-powered inference.

Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), "Prediction-powered inference", Science 382, 669-674;
Angelopoulos, Duchi and Zrnic (2023), "PPI++: efficient prediction-powered inference", arXiv 2311.01453. With labels Y
and predictions f on n items, and predictions f' on N others of the same kind,

    value  = mean(Y) - w mean(f) + w mean(f')
    w      = cov(Y, f) / ((1 + n / N) var(f, f')), kept in 0..1      PPI++, example 6.1 and section 6

Whatever the predictions are worth, the value is about right on average: a bias of theirs is in both means of them. The
weight w, chosen for the shortest interval, makes useless ones count for nothing.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from trimtab.errors import StatisticsError
from trimtab.records import Estimate
from trimtab.stats.distributions import normal_quantile
from trimtab.stats.intervals import Array
from trimtab.stats.onesample import bounded_mean
from trimtab.stats.paired import Range, interval

# Below, a weight would follow the noise of the labels.
LEAST_LABELS = 10
METHOD = "prediction-powered mean"


def predicted_mean(
    labels: ArrayLike,
    predictions: ArrayLike,
    others: ArrayLike,
    *,
    level: float = 0.95,
    bounds: Range = (0.0, 1.0),
    seed: int = 0,
) -> Estimate:
    """The mean label of items, most of which have a prediction only.

    The labelled items must be a random sample of all. Each of the two means that make the value gets its interval by
    the kind of data (`interval`); the distances of their bounds are added as squares (Zou and Donner 2008,
    Statistics in Medicine 27, 1693-1702), the first one widened by the root of (n-1)/(n-2), for the
    weight was fitted.

    Args:
        labels: (n,), one an item: several judgements of an item are averaged first.
        predictions: (n,) of the same items.
        others: (N,) predictions for items without a label.
        bounds: lowest and highest possible label and prediction.
        seed: of the bootstrap.

    Returns:
        n counts labels. Where predictions cannot help (n below 10, no others, or a weight of 0) it is the interval of
        the labels alone, and its method says so. Undefined for n < 2.

    Raises:
        StatisticsError: shapes that do not fit, values that are not finite, or beyond the bounds.
    """
    y, f, rest = _checked(labels, predictions, others, bounds)
    n, weight = len(y), power_weight(y, f, rest)
    if not weight:
        alone = bounded_mean(y, bounds, level=level, seed=seed)
        return dataclasses.replace(alone, method=f"{METHOD}, of labels alone; {alone.method}")
    middle, half = (bounds[0] + bounds[1]) / 2, (bounds[1] - bounds[0]) / 2
    corrected = (y - middle) - weight * (f - middle)
    near = interval(corrected, level=level, bounds=(0.0, half * (1 + weight)), seed=seed)
    far = bounded_mean(rest, bounds, level=level, seed=seed)
    value = near.value + weight * far.value + (1 - weight) * middle
    widened = math.sqrt((n - 1) / (n - 2))
    below = math.hypot(widened * (near.value - near.low), weight * (far.value - far.low))
    above = math.hypot(widened * (near.high - near.value), weight * (far.high - far.value))
    return Estimate(
        value,
        max(bounds[0], value - below),
        min(bounds[1], value + above),
        level,
        n,
        f"{METHOD}, predictions weighted {weight:.2f}",
    )


def power_weight(labels: Array, predictions: Array, others: Array) -> float:
    """How far predictions count, 0 to 1: what makes the interval shortest; arrays as in `predicted_mean`.

    0 with fewer than 10 labels, without other items, or where predictions do not clearly rise with labels: a
    correlation below 1.64 / sqrt(n), which one of twenty useless predictors passes, would add noise alone.
    """
    n, unlabelled = len(labels), len(others)
    if n < LEAST_LABELS or unlabelled < 2:
        return 0.0
    (label, both), (_, prediction) = np.cov(labels, predictions)
    spread = float(np.concatenate([predictions, others]).var(ddof=1))
    if both <= normal_quantile(0.95) * math.sqrt(label * prediction / n):
        return 0.0
    return min(1.0, float(both) / ((1 + n / unlabelled) * spread))


def _checked(
    labels: ArrayLike, predictions: ArrayLike, others: ArrayLike, bounds: Range
) -> tuple[Array, Array, Array]:
    y, f, rest = (np.asarray(values, dtype=np.float64) for values in (labels, predictions, others))
    if not (y.ndim == f.ndim == rest.ndim == 1 and len(y) == len(f)):
        raise StatisticsError(
            f"labels, predictions and others have shapes {y.shape}, {f.shape} and {rest.shape}",
            "give (n,), (n,) of the same items, and (N,)",
        )
    every = np.concatenate([y, f, rest])
    if not np.isfinite(every).all():
        raise StatisticsError(
            "a label or prediction is not finite",
            "leave out items without a label; a prediction that is missing may be any fixed value",
        )
    least, most = bounds
    if not least < most or (len(every) and not (least <= every.min() and every.max() <= most)):
        raise StatisticsError(
            f"bounds {bounds} do not hold all labels and predictions", "give the lowest and highest possible"
        )
    return y, f, rest
