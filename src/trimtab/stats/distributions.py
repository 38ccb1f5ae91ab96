"""Normal and Student t quantiles; scipy is imported on first use, because it takes a third of a second."""

import math
from statistics import NormalDist

_NORMAL = NormalDist()


def normal_quantile(p: float) -> float:
    """The p-quantile of the standard normal distribution, 0 < p < 1."""
    return _NORMAL.inv_cdf(p)


def normal_cdf(x: float) -> float:
    """The probability that a standard normal value is at most x."""
    return _NORMAL.cdf(x)


def normal_tail(x: float) -> float:
    """The probability that a standard normal value is above x, exact also where it is tiny."""
    return 0.5 * math.erfc(x / math.sqrt(2))


def t_quantile(p: float, df: float) -> float:
    """The p-quantile of Student's t with `df` > 0 degrees of freedom, 0 < p < 1."""
    from scipy.special import stdtrit

    return float(stdtrit(df, p))


def noncentral_t_cdf(x: float, df: float, shift: float) -> float:
    """The probability that a non-central t value (noncentrality `shift`) is at most x."""
    from scipy.special import nctdtr

    return float(nctdtr(df, shift, x))
