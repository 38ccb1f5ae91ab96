"""Variance of a weighted mean of judgements that are clustered by item and by rater at once.

The model is y_k = mu + a_item + b_rater + e_k with independent parts. For weights w_k that add up to 1, and to the same
sum in each item, the variance of the mean has a part that more items make smaller and one that only more raters do:

    Var = V_item + B,    V_item = s^2(item means) / items
    B = sigma_b^2 S,     S = sum of w_k w_l over pairs of one rater on two items = sum_r W_r^2 - sum_k w_k^2

with W_r the weight of rater r. B is what Cameron, Gelbach and Miller (2011), Journal of Business & Economic Statistics
29(2), 238-249, equation 2.3, call V_rater - V_cell: the sum O of w_k u_k w_l u_l over those pairs, u the residuals.
Residuals of few raters are too small, so that sigma_b^2 is estimated by equating O to its expectation under the model,
where a and e enter by the variance of the mean that they leave, V_item:

    E O = sigma_b^2 (S (1 + sum_r W_r^2) - 2 sum_pairs w_k w_l W_r) - S V_item

and is 0 at least. Degrees of freedom by Satterthwaite (1946), Biometrics Bulletin 2(6), 110-114: the differences of
raters' means show B together with the noise N = s^2(within items) sum_k w_k^2 of their judgements, at most V_item, and
have raters - 1 degrees of freedom; V_item has items - 1.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.distributions import t_quantile
from trimtab.stats.intervals import Array, Family, t_family

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Judgements: values, items and raters as numbers from 0, weights of the same sum for every item; all (n,)."""

    values: Array
    items: Codes
    raters: Codes
    weights: Array

    @property
    def of_items(self) -> Array:
        """The mean of each item's judgements (items,)."""
        sums = np.bincount(self.items, self.weights * self.values)
        return sums.astype(np.float64) * len(sums)

    @property
    def of_raters(self) -> Array:
        """The weight that each rater has in the mean (raters,); they add up to 1."""
        weight = np.bincount(self.raters, self.weights)
        return weight.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Crossed:
    """The variance of a mean in parts: what items give, what raters add, and its degrees of freedom."""

    mean: float
    of_items: float
    of_raters: float
    df: float
    raters: int

    @property
    def variance(self) -> float:
        """Of the mean, for such raters."""
        return self.of_items + self.of_raters

    def family(self) -> Family:
        """The t interval of the mean, for such raters."""
        return t_family(self.mean, math.sqrt(self.variance), self.df, "t by items and raters")

    def reach(self, alpha: float) -> float:
        """How far these raters' mean may lie from that of such raters, on one side, with error `alpha`."""
        return t_quantile(1 - alpha, self.raters - 1) * math.sqrt(self.of_raters)


def crossed(judged: Judged) -> Crossed:
    """The variance of the mean of at least 2 items that at least 2 raters judged."""
    x, w, by_rater = judged.of_items, judged.weights, judged.of_raters
    items, mean = len(x), float(x.mean())
    of_items = float(x.var(ddof=1)) / items
    residual = w * (judged.values - mean)
    observed = float((np.bincount(judged.raters, residual) ** 2).sum() - (residual**2).sum())
    single = float((w**2).sum())
    pairs = float((by_rater**2).sum()) - single
    cubes = float((by_rater**3).sum()) - float(w**2 @ by_rater[judged.raters])
    expected = pairs * (1 + float((by_rater**2).sum())) - 2 * cubes
    of_raters = max(0.0, (observed + pairs * of_items) / expected * pairs) if expected > 0 else 0.0
    seen = of_raters + min(_noise(judged, x), of_items)
    raters = len(by_rater)
    squares = seen**2 / (raters - 1) + of_items**2 / (items - 1)
    df = (of_items + of_raters) ** 2 / squares if squares > 0 else items - 1.0
    return Crossed(mean, of_items, of_raters, df, raters)


def _noise(judged: Judged, x: Array) -> float:
    """The variance of the mean by judgements of one item that differ; infinite where no item has two."""
    free = len(judged.values) - len(x)
    if free == 0:
        return math.inf
    spread = float(((judged.values - x[judged.items]) ** 2).sum())
    return spread / free * float((judged.weights**2).sum())
