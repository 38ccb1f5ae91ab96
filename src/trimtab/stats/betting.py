"""A confidence sequence by betting: an interval of a mean that may be looked at after every item.

Waudby-Smith and Ramdas (2024), Journal of the Royal Statistical Society B 86(1), 1-27, section 4: the capital process
with predictable plug-in bets, each side by itself. For values x_1, x_2, ... in [0, 1] whose mean, given those before,
is m, somebody who bets lambda_t >= 0, chosen before x_t is seen, has the capital

    K_t(m) = prod_s (1 + lambda_s (x_s - m)),    lambda_s <= 1 / (2 m)

which is a martingale that starts at 1, so that it ever reaches 1 / alpha with probability alpha at most (Ville 1939).
The lower bound is the smallest m at which it has not; the upper bound is that of 1 - x, mirrored.
"""

import math

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.distributions import normal_quantile
from trimtab.stats.intervals import Array, Bounds, Family

# Bets never risk more than this share of the capital; the paper uses one half or three quarters.
MOST_RISKED = 0.5
TINY = 1e-12
MOST_PLANNED = 1_000_000


def betting(x: Array, alpha: float, planned: int = 0) -> Family:
    """Bounds of the mean of x (items,), each in [0, 1], in the order in which the items were drawn.

    The bets are those that serve a bound of error `alpha` best, and best where the planned number of items is reached;
    bounds of another error use them too. Each bound misses with at most its error at whatever item one stops, planned
    or not. An item's value may depend on those before it, its expectation given those may not.
    """
    above, below = bets(x, alpha, planned), bets(1 - x, alpha, planned)

    def bounds(error: float) -> Bounds:
        return lower_bound(x, above, error), 1 - lower_bound(1 - x, below, error)

    return Family(float(x.mean()), "betting", bounds)


def bets(x: Array, alpha: float, planned: int = 0) -> Array:
    """The bet before each item (items,): the paper's predictable plug-in, for one bound.

    lambda_t = sqrt(2 log(1/alpha) / (s_{t-1}^2 T)) with T = the planned items up to there, t log(t+1) beyond, and the
    variance s^2 of the items so far, begun with one item of mean 1/2 and variance 1/4.
    """
    t = np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    return _stake(t, np.concatenate([[0.25], variance[:-1]]), alpha, planned)


def _stake(t: NDArray[np.int64], variance: Array | float, alpha: float, planned: int) -> Array:
    until = np.where(t <= planned, planned, t * np.log(t + 1))
    answer: Array = np.sqrt(2 * math.log(1 / alpha) / (variance * until))
    return answer


def items_to_win(x: Array, mean: float, alpha: float, power: float, planned: int = 0) -> float:
    """How many items such as x (items,) are needed for the lower bound to pass `mean` with probability `power`.

    The first number at which the expected logarithm of the capital, less its normal quantile of `power`, reaches
    log(1 / alpha); an item adds l (m_x - mean) - l^2 E(x - mean)^2 / 2 with variance l^2 var(x), l its bet. Infinite
    beyond a million.
    """
    variance = float(x.var(ddof=1)) + 1 / (4 * len(x))
    gain = float(x.mean()) - mean
    t = np.arange(1, MOST_PLANNED + 1)
    stake = np.minimum(_stake(t, variance, alpha, planned), MOST_RISKED / max(mean, TINY))
    squares = np.cumsum(stake**2)
    expected = gain * np.cumsum(stake) - (variance + gain**2) / 2 * squares
    enough = expected - normal_quantile(power) * np.sqrt(variance * squares) >= math.log(1 / alpha)
    return float(np.argmax(enough) + 1) if enough.any() else math.inf


def lower_bound(x: Array, staked: Array, alpha: float) -> float:
    """The smallest mean in [0, 1] against which the bets `staked` (items,) have not won 1 / alpha.

    Each factor falls as the mean rises, so that the capital does.
    """
    from scipy.optimize import brentq

    wanted = math.log(1 / alpha)

    def lacking(mean: float) -> float:
        return wanted - float(np.log1p(np.minimum(staked, MOST_RISKED / mean) * (x - mean)).sum())

    return float(brentq(lacking, TINY, 1.0, xtol=1e-12)) if lacking(TINY) < 0 else 0.0
