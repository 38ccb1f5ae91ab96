"""Second implementations of every interval: the definitions written out the long way, with nothing shared."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize, stats


def t_interval(d: Sequence[float], level: float) -> tuple[float, float]:
    """Student's interval from scipy."""
    low, high = stats.t.interval(level, len(d) - 1, loc=np.mean(d), scale=stats.sem(d))
    return float(low), float(high)


def bootstrap_t(d: np.ndarray, level: float, replicates: int, seed: int) -> tuple[float, float]:
    """One resample at a time; numpy's Weibull quantile is the q (B+1)-th in order."""
    rng = np.random.default_rng(seed)
    n, mean, error = len(d), d.mean(), d.std(ddof=1) / math.sqrt(len(d))
    pivots = []
    for _ in range(replicates):
        again = d[rng.integers(0, n, n)]
        pivots.append((again.mean() - mean) / (again.std(ddof=1) / math.sqrt(n)))
    alpha = (1 - level) / 2
    upper, lower = np.quantile(pivots, [1 - alpha, alpha], method="weibull")
    return float(mean - upper * error), float(mean - lower * error)


def cluster_bootstrap_t(
    d: np.ndarray, codes: np.ndarray, level: float, replicates: int, seed: int
) -> tuple[float, float]:
    """Whole clusters drawn and glued together, each drawn cluster counted as a new one."""
    rng = np.random.default_rng(seed)
    groups = [d[codes == g] for g in range(codes.max() + 1)]

    def fit(parts: list[np.ndarray]) -> tuple[float, float]:
        n = sum(len(part) for part in parts)
        mean = sum(part.sum() for part in parts) / n
        return mean, math.sqrt(sum((part - mean).sum() ** 2 for part in parts)) / n

    mean, error = fit(groups)
    pivots = []
    for _ in range(replicates):
        drawn = [groups[i] for i in rng.integers(0, len(groups), len(groups))]
        again, spread = fit(drawn)
        pivots.append((again - mean) / spread)
    alpha = (1 - level) / 2
    upper, lower = np.quantile(pivots, [1 - alpha, alpha], method="weibull")
    return mean - upper * error, mean - lower * error


def tango(gained: int, lost: int, n: int, level: float) -> tuple[float, float]:
    """Score interval, the constrained likelihood maximised by numerical search at every difference."""
    z = stats.norm.ppf(1 - (1 - level) / 2)

    def score(delta: float) -> float:
        def minus_likelihood(loss: float) -> float:
            cells = ((gained, loss + delta), (lost, loss), (n - gained - lost, 1 - 2 * loss - delta))
            return -sum(k * math.log(max(p, 1e-300)) for k, p in cells if k)

        left, right = max(0.0, -delta), (1 - delta) / 2
        found = optimize.minimize_scalar(
            minus_likelihood, bounds=(left, right), method="bounded", options={"xatol": 1e-13}
        )
        loss = min((left, right, float(found.x)), key=minus_likelihood)
        variance = n * (2 * loss + delta - delta**2)
        return (gained - lost - n * delta) / math.sqrt(variance)

    at = (gained - lost) / n
    low = optimize.brentq(lambda x: score(x) - z, -1 + 1e-9, at - 1e-9) if at > -1 else -1.0
    high = optimize.brentq(lambda x: score(x) + z, at + 1e-9, 1 - 1e-9) if at < 1 else 1.0
    return float(low), float(high)


def bonett_price(gained: int, lost: int, n: int, level: float) -> tuple[float, float]:
    """Wald's interval on the table with one more item gained and one more lost, variance from the items."""
    d = np.repeat([1.0, -1.0, 0.0], [gained + 1, lost + 1, n - gained - lost])
    half = stats.norm.ppf(1 - (1 - level) / 2) * d.std(ddof=0) / math.sqrt(len(d))
    return float(d.mean() - half), float(d.mean() + half)


def plus_two(d: np.ndarray, span: float, level: float) -> tuple[float, float]:
    """At level 0.95: the t interval after appending +span and -span."""
    return t_interval([*d, span, -span], level)


def cr2(d: np.ndarray, codes: np.ndarray, correlation: float) -> tuple[float, float]:
    """(standard error, Satterthwaite df) from the full matrices of Pustejovsky and Tipton (2018)."""
    n = len(d)
    same = codes[:, None] == codes[None, :]
    phi = np.where(same, correlation, 0.0) + (1 - correlation) * np.eye(n)
    x = np.ones((n, 1))
    hat = x @ np.linalg.inv(x.T @ x) @ x.T
    residual_maker = np.eye(n) - hat
    of_residuals = residual_maker @ phi @ residual_maker.T
    residuals = residual_maker @ d
    variance, vectors = 0.0, []
    for g in np.unique(codes):
        index = np.flatnonzero(codes == g)
        root = np.linalg.cholesky(phi[np.ix_(index, index)]).T
        values, axes = np.linalg.eigh(root @ of_residuals[np.ix_(index, index)] @ root.T)
        inverse_root = axes @ np.diag(values**-0.5) @ axes.T
        adjusted = root.T @ inverse_root @ root
        ones = np.ones(len(index))
        variance += float(ones @ adjusted @ residuals[index]) ** 2 / n**2
        vectors.append(residual_maker[index].T @ adjusted @ ones / n)
    p = np.stack(vectors, axis=1)
    omega = p.T @ phi @ p
    return math.sqrt(variance), float(np.trace(omega) ** 2 / np.sum(omega**2))


def intra_cluster_correlation(d: np.ndarray, codes: np.ndarray) -> float:
    """From the mean squares of a one-way analysis of variance, group by group."""
    groups = [d[codes == g] for g in np.unique(codes)]
    n, k = len(d), len(groups)
    between = sum(len(g) * (g.mean() - d.mean()) ** 2 for g in groups) / (k - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (n - k)
    typical = (n - sum(len(g) ** 2 for g in groups) / n) / (k - 1)
    return float(min(1.0, max(0.0, (between - within) / (between + (typical - 1) * within))))


def jackknife_t(
    before: np.ndarray,
    after: np.ndarray,
    statistic: Callable[[np.ndarray], float],
    codes: np.ndarray,
    level: float,
) -> tuple[float, float]:
    """Leave each cluster out in a loop, on the rows themselves."""
    labels = np.unique(codes)
    left_out = [statistic(after[codes != g]) - statistic(before[codes != g]) for g in labels]
    k, value = len(labels), statistic(after) - statistic(before)
    error = math.sqrt((k - 1) / k * sum((x - np.mean(left_out)) ** 2 for x in left_out))
    half = float(stats.t.ppf(1 - (1 - level) / 2, k - 1)) * error
    return value - half, value + half


def krippendorff(ratings: np.ndarray, scale: str) -> float:
    """Alpha over explicit lists of pairs; ratings (raters, items), nan missing."""
    items = [[float(x) for x in column if not math.isnan(x)] for column in ratings.T]
    items = [item for item in items if len(item) > 1]
    pooled = [x for item in items for x in item]

    @functools.cache
    def apart(a: float, b: float) -> float:
        if scale == "nominal":
            return float(a != b)
        if scale == "interval":
            return (a - b) ** 2
        low, high = min(a, b), max(a, b)
        between = sum(low <= x <= high for x in pooled)
        return (between - (pooled.count(a) + pooled.count(b)) / 2) ** 2

    seen = sum(apart(a, b) / (len(item) - 1) for item in items for a, b in itertools.permutations(item, 2))
    by_chance = sum(apart(a, b) for a, b in itertools.permutations(pooled, 2)) / (len(pooled) - 1)
    return 1 - seen / by_chance
