"""Counts: the share of rows that have something, and tables of two groups by whether rows have it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from trimtab.errors import StatisticsError
from trimtab.records import NAN, Estimate
from trimtab.stats.distributions import normal_quantile
from trimtab.stats.levels import alpha_from_level

# Outside of so many standard deviations around its mean a hypergeometric count has no probability that a double holds.
_REACH = 60
# Tables whose probabilities differ by less are equally likely, but for rounding.
_EQUAL = 1e-7


def wilson(count: int, n: int, *, level: float = 0.95) -> Estimate:
    """The share count / n of independent rows, with Wilson's score interval, two-sided.

    Source: Wilson 1927, equation as in Brown, Cai and DasGupta 2001, section 3.1.1. Undefined for n = 0.

    Raises:
        StatisticsError: count is not within 0..n.
    """
    _check((count, n - count))
    method = "Wilson"
    if n == 0:
        return Estimate(NAN, NAN, NAN, level, 0, method, "no rows")
    z = normal_quantile(1 - alpha_from_level(level))
    share, weight = count / n, z * z / n
    centre = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half), level, n, method)


def log_odds_ratio(one: tuple[int, int], other: tuple[int, int], *, level: float = 0.95) -> Estimate:
    """The natural logarithm of the odds ratio of two groups; above 0: the first has it more often.

    Half a row is added to each cell, which keeps it finite (Haldane 1956; Anscombe 1956); the standard error is the
    root of the sum of the cells' inverses (Woolf 1955; Gart 1966). Too narrow where cells are almost empty and the
    groups of very unlike size: decide by `fisher`, not by whether the interval holds 0.

    Args:
        one, other: rows of a group with it, and without it.

    Raises:
        StatisticsError: a negative count.
    """
    cells = (*one, *other)
    _check(cells)
    a, b, c, d = (count + 0.5 for count in cells)
    value = math.log(a * d / (b * c))
    half = normal_quantile(1 - alpha_from_level(level)) * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return Estimate(value, value - half, value + half, level, sum(cells), "Woolf, half a row added")


def fisher(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Two-sided p value of Fisher's exact test that two groups have something equally often.

    The sum of the hypergeometric probabilities of all tables with these margins that are at most as likely as this
    one. Source: Fisher 1934; two-sided as in Agresti 2013, section 3.5.3.

    Raises:
        StatisticsError: a negative count.
    """
    _check((*one, *other))
    from scipy.special import gammaln  # a third of a second, which `import trimtab` shall not take

    first, second, have = sum(one), sum(other), one[0] + other[0]
    total = first + second
    if not (first and second and 0 < have < total):
        return 1.0
    mean = first * have / total
    sd = math.sqrt(mean * (second / total) * (total - have) / max(1, total - 1))
    low = max(0, have - second, math.floor(mean - _REACH * sd) - 1)
    high = min(first, have, math.ceil(mean + _REACH * sd) + 1)
    if not low <= one[0] <= high:
        return 0.0
    k = np.arange(low, high + 1, dtype=np.float64)
    logs = -sum(gammaln(x + 1) for x in (k, first - k, have - k, second - have + k))
    logs -= logs.max()
    weights = np.exp(logs)
    as_rare = logs <= logs[one[0] - low] + _EQUAL
    return min(1.0, float(weights[as_rare].sum() / weights.sum()))


def sign_test(count: int, n: int) -> float:
    """Two-sided p value that of n independent draws `count` or so come out one way if both ways are equally likely.

    Twice the smaller tail of the binomial distribution with share 1/2, at most 1; 1 for n = 0.

    Raises:
        StatisticsError: count is not within 0..n.
    """
    _check((count, n - count))
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(count, n - count), n, 0.5))) if n else 1.0


def binomial_test(count: int, n: int, share: float) -> float:
    """One-sided p value that of n independent draws `count` or more come out if each does with probability `share`.

    The exact upper tail of the binomial distribution; 1 for n = 0.

    Raises:
        StatisticsError: count is not within 0..n.
    """
    _check((count, n - count))
    from scipy.special import bdtrc

    return float(bdtrc(count - 1, n, share)) if count else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted for their number: at most a share alpha of families has any false one below alpha.

    Source: Holm 1979, section 3, as adjusted p values, in the order given.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def _check(cells: Sequence[int]) -> None:
    if any(count < 0 for count in cells):
        raise StatisticsError(f"counts {tuple(cells)} are not all at least 0", "count rows")
