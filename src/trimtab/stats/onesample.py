"""One sample: the mean of values within bounds, and a test against a known mean with a known standard deviation."""

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike

from trimtab.errors import StatisticsError
from trimtab.records import NAN, Comparison, Estimate
from trimtab.stats.distributions import normal_cdf, normal_quantile
from trimtab.stats.levels import alpha_from_level
from trimtab.stats.outcome import PLANNED_POWER
from trimtab.stats.paired import Range, interval


def bounded_mean(values: ArrayLike, bounds: Range, *, level: float = 0.95, seed: int = 0) -> Estimate:
    """The mean of values (items,) that lie within bounds (low, high), with its interval by the kind of data.

    `interval` of the distances from the middle of the bounds, which are at most half their width.

    Raises:
        StatisticsError: values of another shape or beyond the bounds.
    """
    middle, half = (bounds[0] + bounds[1]) / 2, (bounds[1] - bounds[0]) / 2
    around = interval(
        np.asarray(values, dtype=np.float64) - middle, level=level, bounds=(0.0, half), seed=seed
    )
    if around.undefined:
        return around
    low, high = max(bounds[0], middle + around.low), min(bounds[1], middle + around.high)
    return dataclasses.replace(around, value=middle + around.value, low=low, high=high)


def z_test(values: ArrayLike, *, mean: float, sd: float, level: float = 0.95) -> Comparison:
    """One-sided z test that the values (items,) come from a population with a mean above `mean`.

    z = (average - mean) / (sd / sqrt(n)), p = P(Z > z), for a standard deviation known beforehand. For
    41, 39, 42, 38, 40 against 37 with sd 3.2 given: z 2.10, p 0.018. The sample's own sd is 1.58, half of
    what is given; when the sd is not truly known, use `compare` or `interval`, which estimate it.

    difference: average - mean, with its two-sided interval at `level`; better if low > 0, worse if high < 0,
    else inconclusive. The z value is in the notes.
    """
    alpha = alpha_from_level(level)
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise StatisticsError(f"values have shape {scores.shape}, not (items,)", "give one number per item")
    if not (0 < sd < math.inf and math.isfinite(mean)):
        raise StatisticsError(f"mean {mean} or sd {sd} is not a usable number", "sd is known and above 0")
    n = len(scores)
    method = "z with the sd given"
    if n < 1 or not np.isfinite(scores).all():
        reason = f"{n} items" if n < 1 else "some items have no finite score"
        return Comparison(Estimate(NAN, NAN, NAN, level, n, method, reason), NAN, "undefined", None, NAN)
    value, error = float(scores.mean()) - mean, sd / math.sqrt(n)
    z = normal_quantile(1 - alpha)
    difference = Estimate(value, value - z * error, value + z * error, level, n, method)
    need = None
    outcome = "better" if difference.low > 0 else "worse" if difference.high < 0 else "inconclusive"
    if outcome == "inconclusive" and value > 0:
        need = max(n + 1, math.ceil(((z + normal_quantile(PLANNED_POWER)) * sd / value) ** 2))
    return Comparison(
        difference,
        normal_cdf(-value / error),
        outcome,  # type: ignore[arg-type]
        need,
        (z + normal_quantile(PLANNED_POWER)) * error,
        0.0,
        mean,
        float(scores.mean()),
        (f"z = {value / error:.2f}",),
    )
