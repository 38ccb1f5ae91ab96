"""The mean so far of differences whose expectation may change from row to row, with bounds that hold at every row.

Choe and Ramdas (2023), Comparing sequential forecasters, Operations Research, theorem 2: for d_1, d_2, ... in
[-c/2, c/2] with expectations mu_1, mu_2, ... given those before, and guesses g_t made before d_t,

    | mean(d_1..d_t) - mean(mu_1..mu_t) | <= u(V_t) / t for all t, with probability 1 - 2 alpha,
    V_t = sum_s (d_s - g_s)^2.

u is the stitched boundary of Howard, Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49(2), equation 10, with
s = 1.4, eta = 2 and scale c; g_t is the mean of those before.
"""

from __future__ import annotations

import math

import numpy as np

from trimtab.errors import StatisticsError
from trimtab.records import Estimate
from trimtab.stats.intervals import Array
from trimtab.stats.levels import alpha_from_level

_S, _ETA = 1.4, 2.0
_METHOD = "empirical Bernstein, at every row"


def boundary(variance: Array, alpha: float, scale: float) -> Array:
    """u (n,) at each intrinsic time V (n,), in units of the sum; V counts from scale^2 on."""
    from scipy.special import zeta

    v = np.maximum(variance / scale**2, 1.0)
    length = _S * np.log(np.log(_ETA * v)) + math.log(float(zeta(_S)) / (alpha * math.log(_ETA) ** _S))
    k1 = (_ETA**0.25 + _ETA**-0.25) / math.sqrt(2)
    k2 = (math.sqrt(_ETA) + 1) / 2
    answer: Array = scale * (np.sqrt(k1**2 * v * length + (k2 * length) ** 2) + k2 * length)
    return answer


def running_mean(d: Array, span: float, level: float = 0.95) -> tuple[Array, Array, Array]:
    """The mean (n,) of d (n,) after each row, and its lower and upper bounds (n,).

    span: no |d| is larger. All bounds hold together with probability `level`, of the mean of expectations so far.

    Raises:
        StatisticsError: a difference beyond the span, or one that is no number.
    """
    alpha = alpha_from_level(level)
    if d.ndim != 1 or not (np.abs(d) <= span).all():
        raise StatisticsError(
            f"differences of shape {d.shape}, some not within +-{span:g}",
            "name the range of a score as it is",
        )
    t = np.arange(1, len(d) + 1)
    mean = np.cumsum(d) / t
    guessed = np.concatenate([[0.0], mean[:-1]])[: len(d)]
    half = boundary(np.cumsum((d - guessed) ** 2), alpha, 2 * span) / t
    return mean, np.maximum(mean - half, -span), np.minimum(mean + half, span)


def last(mean: Array, low: Array, high: Array, level: float) -> Estimate:
    """What `running_mean` says after its last row; undefined where there was none."""
    if not len(mean):
        nan = math.nan
        return Estimate(nan, nan, nan, level, 0, _METHOD, "no rows")
    return Estimate(float(mean[-1]), float(low[-1]), float(high[-1]), level, len(mean), _METHOD)
