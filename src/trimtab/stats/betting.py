"""A confidence sequence by betting: an interval of a mean that may be looked at after every item.

Waudby-Smith and Ramdas (2024), Journal of the Royal Statistical Society B 86(1), 1-27: the capital process of section
4.1 with the predictable plug-in bets of section 4.4. For values x_1, x_2, ... in [0, 1] whose mean, given those
before, is m, somebody who bets a share lambda_t >= 0, chosen before x_t is seen, has the capital

    K_t(m) = prod_s (1 + lambda_s (x_s - m)),    lambda_s <= 1 / (2 m)

which is a martingale that starts at 1, so that it ever reaches 1 / alpha with probability alpha at most (Ville 1939).
The lower bound is the smallest m at which it has not; the upper bound is that of 1 - x, mirrored.
"""

import math

import numpy as np

from trimtab.stats.intervals import Array, Bounds, Family

# Bets never risk more than this share of the capital; section 4.4 of the paper uses one half or three quarters.
MOST_RISKED = 0.5
BISECTIONS = 50


def betting(x: Array, alpha: float) -> Family:
    """Bounds of the mean of x (items,), each in [0, 1], in the order in which the items were drawn.

    The bets are those that serve a bound of error `alpha` best; bounds of another error use them too. Each bound
    misses with at most its error at whatever item one stops. An item's value may depend on those before it, its
    expectation given those may not.
    """
    above, below = bets(x, alpha), bets(1 - x, alpha)

    def bounds(error: float) -> Bounds:
        return lower_bound(x, above, error), 1 - lower_bound(1 - x, below, error)

    return Family(float(x.mean()), "betting", bounds)


def bets(x: Array, alpha: float) -> Array:
    """The predictable plug-in bet before each item (items,): equation 26 of the paper, for one bound.

    lambda_t = sqrt(2 log(1/alpha) / (s_{t-1}^2 t log(t+1))), with mean and variance of the items so far, each begun
    with half an item: mean 1/2, variance 1/4.
    """
    t = np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    answer: Array = np.sqrt(2 * math.log(1 / alpha) / (before * t * np.log(t + 1)))
    return answer


def lower_bound(x: Array, staked: Array, alpha: float) -> float:
    """The smallest mean in [0, 1] against which the bets `staked` (items,) have not won 1 / alpha.

    Each factor falls as the mean rises, so that the capital does, and bisection finds it.
    """
    wanted = math.log(1 / alpha)
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if np.log1p(np.minimum(staked, MOST_RISKED / middle) * (x - middle)).sum() >= wanted:
            low = middle
        else:
            high = middle
    return low
