"""Interval families for the mean of n independent differences.

A family gives both bounds for any one-sided error alpha, so that the p value can invert the very interval
that decides. alpha above 0.5 gives a lower bound above the centre, which p values above 0.5 need.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.records import Estimate
from trimtab.stats.distributions import normal_quantile, t_quantile
from trimtab.stats.levels import alpha_from_level

Array = NDArray[np.float64]
Bounds = tuple[float, float]

CHUNK_CELLS = 4_000_000
TAIL_REPLICATES = 25
LEAST_REPLICATES = 1999
SMALLEST_ALPHA = 1e-12


@dataclass(frozen=True, slots=True)
class Family:
    """`bounds(alpha)` is (low, high), each missing the truth with probability alpha, 0 < alpha < 1."""

    value: float
    method: str
    bounds: Callable[[float], Bounds]

    def estimate(self, level: float, n: int) -> Estimate:
        """The two-sided interval at `level`, from n items."""
        low, high = self.bounds(alpha_from_level(level))
        return Estimate(self.value, low, high, level, n, self.method)


def p_value(family: Family, threshold: float) -> float:
    """One-sided p value of "the difference is at most `threshold`": the alpha at which low touches it.

    Bisection on the logit of alpha; a bootstrap keeps its replicates, so the bound is monotone in alpha
    and the p value cannot fall below 1 / (replicates + 1). Smallest answer 1e-12.
    """
    left = math.log(SMALLEST_ALPHA)
    right = -left
    for _ in range(60):
        middle = (left + right) / 2
        if family.bounds(1 / (1 + math.exp(-middle)))[0] > threshold:
            right = middle
        else:
            left = middle
    return 1 / (1 + math.exp(-right))


def hull(*families: Family) -> Family:
    """The smallest interval that holds all of them; centred where the first is."""

    def bounds(alpha: float) -> Bounds:
        lows, highs = zip(*(family.bounds(alpha) for family in families), strict=True)
        return min(lows), max(highs)

    names = [family.method for family in families]
    return Family(families[0].value, f"hull of {', '.join(names[:-1])} and {names[-1]}", bounds)


def t_family(value: float, standard_error: float, df: float, method: str = "t") -> Family:
    """value +- t(df) * standard error."""

    def bounds(alpha: float) -> Bounds:
        half = t_quantile(1 - alpha, df) * standard_error
        return value - half, value + half

    return Family(value, method, bounds)


def student(d: Array) -> Family:
    """Student's t interval for the mean of d (items,)."""
    n = len(d)
    return t_family(float(d.mean()), float(d.std(ddof=1)) / math.sqrt(n), n - 1)


def pseudo_pairs(alpha: float) -> float:
    """How many pseudo-items to add at each end of the range: 1, and above level 0.95 z^2 / z(0.975)^2.

    One at each end is Bonett and Price's choice for 95%; a bound that looks further out needs more, as
    in Agresti and Coull (1998), The American Statistician 52, 119-126, where z^2 items are added in all.
    """
    return max(1.0, (normal_quantile(1 - alpha) / normal_quantile(0.975)) ** 2)


def plus_two(d: Array, span: float) -> Family:
    """t interval for d (items,) with w pseudo-items added at +span and w at -span, w = `pseudo_pairs`.

    All differences lie in +-span; the pseudo-items stand for the rare large changes that were not seen.
    For 0/1 pairs at 95% centre and standard error are nearly those of Bonett and Price (2012).
    """
    n, total, squares = len(d), float(d.sum()), float((d**2).sum())

    def bounds(alpha: float) -> Bounds:
        w = pseudo_pairs(alpha)
        items = n + 2 * w
        centre = total / items
        variance = ((squares + 2 * w * span**2) / items - centre**2) / (items - 1)
        half = t_quantile(1 - alpha, items - 1) * math.sqrt(variance)
        return centre - half, centre + half

    return Family(total / n, "plus-two", bounds)


def no_change(value: float, span: float, items: float) -> Family:
    """Differences that are all equal to `value` and lie in +-span: a share z^2/(n+z^2) may be unseen.

    The score bound of Wilson (1927) for a share observed as 0 of n, with every unseen difference at the
    end of the range; +-span z^2/(n+z^2) when value is 0. `items` may be an effective number.
    """

    def bounds(alpha: float) -> Bounds:
        z = normal_quantile(1 - alpha)
        share = math.copysign(z * z / (items + z * z), z)
        return value - (span + value) * share, value + (span - value) * share

    return Family(value, NO_CHANGE, bounds)


NO_CHANGE = "score bound for no variation"
UNSEEN = "no variation: bounded by what may be unseen"


def replicates_for(alpha: float) -> int:
    """Bootstrap replicates with at least 25 beyond each tail at one-sided error `alpha`."""
    return max(LEAST_REPLICATES, math.ceil(TAIL_REPLICATES / alpha))


def resample_counts(n: int, replicates: int, rng: np.random.Generator) -> Array:
    """How often each of n units is drawn in each of n draws with replacement -> (replicates, n)."""
    cells = rng.integers(0, n, (replicates, n)) + n * np.arange(replicates)[:, None]
    return np.bincount(cells.ravel(), minlength=replicates * n).reshape(replicates, n).astype(np.float64)


def studentised(rows: Array, replicates: int, rng: np.random.Generator) -> Array:
    """Sorted bootstrap replicates of t = (mean* - mean) / se* for each row.

    rows (data sets, items) -> (data sets, replicates); one set of resamples serves all rows. A resample
    without variance counts as infinite, on the side of its mean. Memory is bounded by chunks.
    """
    sets, n = rows.shape
    centred = rows - rows.mean(axis=1, keepdims=True)
    tiny = 1e-12 * centred.var(axis=1)
    moments = np.concatenate([centred, centred**2]).T
    result = np.empty((replicates, sets))
    step = max(1, CHUNK_CELLS // n)
    for start in range(0, replicates, step):
        b = min(step, replicates - start)
        sums = resample_counts(n, b, rng) @ moments / n
        mean, variance = sums[:, :sets], sums[:, sets:] - sums[:, :sets] ** 2
        usable = variance > tiny
        error = np.sqrt(np.where(usable, variance, 1.0) / (n - 1))
        result[start : start + b] = np.where(usable, mean / error, np.copysign(np.inf, mean))
    result.sort(axis=0)
    return result.T


def bootstrap_t(d: Array, replicates: Array) -> Family:
    """Studentised bootstrap interval for the mean of d (items,), given sorted `studentised` replicates."""
    error = float(d.std(ddof=1)) / math.sqrt(len(d))
    return studentised_family(float(d.mean()), error, replicates, "bootstrap-t")


def studentised_family(value: float, error: float, replicates: Array, method: str) -> Family:
    """low = value - q(1-alpha) error, high = value - q(alpha) error, from sorted replicates of t.

    Efron and Tibshirani (1993), An Introduction to the Bootstrap, equation 12.22. The q-quantile of B
    replicates is the q (B+1)-th in order, interpolated; beyond the first and last the bound is infinite.
    """
    count = len(replicates)

    def quantile(q: float) -> float:
        place = q * (count + 1)
        below = math.floor(place)
        if below < 1 or place > count:
            return math.copysign(math.inf, q - 0.5)
        low = float(replicates[below - 1])
        if below == place:
            return low
        high = float(replicates[below])
        return low if low == high else low + (place - below) * (high - low)

    def bounds(alpha: float) -> Bounds:
        return value - quantile(1 - alpha) * error, value - quantile(alpha) * error

    return Family(value, method, bounds)
