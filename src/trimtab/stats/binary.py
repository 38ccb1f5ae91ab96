"""Intervals for the difference of two proportions on the same items (0/1 pairs).

`gained` items went from 0 to 1, `lost` from 1 to 0, n in all; the difference is (gained - lost) / n.
"""

import math

from trimtab.stats.distributions import normal_quantile
from trimtab.stats.intervals import Bounds, Family

EDGE = 1.0 - 1e-12


def tango_statistic(gained: int, lost: int, n: int, difference: float) -> float:
    """Score statistic of the hypothesis that the true difference is `difference`, in (-1, 1).

    Tango (1998), "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17, 891-908: section 3, with the loss probability
    under the hypothesis the larger root of a quadratic.
    """
    a = 2.0 * n
    b = -gained - lost + (2.0 * n - gained + lost) * difference
    c = -lost * difference * (1.0 - difference)
    lost_share = (math.sqrt(max(b * b - 4.0 * a * c, 0.0)) - b) / (2.0 * a)
    variance = n * (2.0 * lost_share + difference * (1.0 - difference))
    excess = gained - lost - n * difference
    if variance <= 0.0:
        return math.copysign(math.inf, excess) if excess else 0.0
    return excess / math.sqrt(variance)


def _root(gained: int, lost: int, n: int, z: float) -> float:
    left, right = -EDGE, EDGE
    for _ in range(50):
        middle = (left + right) / 2
        if tango_statistic(gained, lost, n, middle) > z:
            left = middle
        else:
            right = middle
    return (left + right) / 2


def tango(gained: int, lost: int, n: int) -> Family:
    """Tango's score interval: the differences that the score test does not reject."""

    def bounds(alpha: float) -> Bounds:
        z = normal_quantile(1 - alpha)
        return _root(gained, lost, n, z), _root(gained, lost, n, -z)

    return Family((gained - lost) / n, "Tango score", bounds)


def bonett_price(gained: int, lost: int, n: int) -> Family:
    """Adjusted Wald interval: one pseudo-item gained and one lost.

    Bonett and Price (2012), "Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data", J. Educ. Behav. Stat. 37(4), 479-488.
    """
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    centre = up - down
    error = math.sqrt((up + down - centre * centre) / (n + 2))

    def bounds(alpha: float) -> Bounds:
        half = normal_quantile(1 - alpha) * error
        return max(-1.0, centre - half), min(1.0, centre + half)

    return Family((gained - lost) / n, "Bonett-Price", bounds)
