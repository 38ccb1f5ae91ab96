"""Second implementations of what is read from judgements: matrices, one bet at a time, plain loops."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize


def crossed(values: np.ndarray, items: np.ndarray, raters: np.ndarray) -> tuple[float, float, float]:
    """(variance by items, what raters add, degrees of freedom) from matrices; equal weights within an item."""
    n = len(values)
    weight = np.array([1 / (len(set(items)) * np.sum(items == item)) for item in items])
    residuals = np.eye(n) - np.ones((n, 1)) @ weight[None]
    same_rater = (raters[:, None] == raters[None]) * 1.0
    same_item = (items[:, None] == items[None]) * 1.0
    # Judgements of one rater on two items, each with its weight.
    pairs = weight[:, None] * weight[None] * same_rater * (1 - same_item)
    seen = float((residuals @ values) @ pairs @ (residuals @ values))
    of_unit = float(np.trace(residuals.T @ pairs @ residuals @ same_rater))
    means = np.array([values[items == item].mean() for item in np.unique(items)])
    of_items = float(np.var(means, ddof=1) / len(means))
    of_raters = max(0.0, (seen + pairs.sum() * of_items) / of_unit) * float(pairs.sum())
    centred = values - same_item @ values / same_item.sum(axis=1)
    free = n - len(means)
    noise = float(centred @ centred) / free * float(weight @ weight) if free else math.inf
    together = of_raters + min(noise, of_items)
    squares = together**2 / (len(set(raters)) - 1) + of_items**2 / (len(means) - 1)
    return of_items, of_raters, (of_items + of_raters) ** 2 / squares


def betting_low(x: Sequence[float], alpha: float, error: float, planned: int = 0) -> float:
    """The lower bound: the smallest of 20,001 means whose capital, bet by bet, has not reached 1 / error."""
    means = np.linspace(0, 1, 20_001)[1:]
    capital = np.ones(len(means))
    seen: list[float] = []
    squares = 0.25
    for t, value in enumerate(x, start=1):
        until = planned if t <= planned else t * math.log(t + 1)
        stake = math.sqrt(2 * math.log(1 / alpha) / (squares / t * until))
        capital *= 1 + np.minimum(stake, 0.5 / means) * (value - means)
        seen.append(value)
        squares += (value - (0.5 + sum(seen)) / (t + 1)) ** 2
    return float(means[capital < 1 / error][0])


def bradley_terry(wins: np.ndarray) -> np.ndarray:
    """Log-odds against stack 0 that make the wins (stacks, stacks) likeliest, by a general optimiser."""

    def minus_likelihood(free: np.ndarray) -> float:
        score = np.concatenate([[0.0], free])
        return float(sum(
            wins[a, b] * math.log1p(math.exp(score[b] - score[a]))
            for a, b in itertools.permutations(range(len(wins)), 2)
        ))  # fmt: skip

    found = optimize.minimize(
        minus_likelihood, np.zeros(len(wins) - 1), method="BFGS", options={"gtol": 1e-9}
    )
    return np.concatenate([[0.0], found.x])


def krippendorff(units: Sequence[Sequence[object]], apart: Callable[[object, object], float]) -> float:
    """Alpha from lists of ratings of each unit: 1 - observed / expected, over pairs within units and by chance."""
    observed, pooled = 0.0, Counter[object]()
    for ratings in units:
        if len(ratings) < 2:
            continue
        pooled.update(ratings)
        for one, other in itertools.permutations(ratings, 2):
            observed += apart(one, other) / (len(ratings) - 1)
    total = sum(pooled.values())
    expected = 0.0
    for one, other in itertools.product(pooled, pooled):
        expected += pooled[one] * pooled[other] * apart(one, other)
    return 1 - (total - 1) * observed / expected
