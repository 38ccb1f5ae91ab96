"""Krippendorff's alpha with a bootstrap interval over items."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from trimtab.errors import StatisticsError
from trimtab.records import NAN, Estimate
from trimtab.stats.intervals import Array, replicates_for, resample_counts
from trimtab.stats.levels import alpha_from_level

Scale = Literal["nominal", "ordinal", "interval"]
CHUNK_CELLS = 2_000_000
MOST_UNDEFINED = 0.01


def agreement(
    ratings: ArrayLike, scale: Scale = "nominal", *, level: float = 0.95, seed: int = 0
) -> Estimate:
    """Krippendorff's alpha: 1 is perfect agreement, 0 what chance gives, below 0 systematic disagreement.

    ratings (raters, items), nan where a rater gave none; categories are numbers, and for "ordinal" and
    "interval" their order or distance counts. Items with fewer than two ratings say nothing and are left
    out; n counts the rest. Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", sections C
    and D: alpha = 1 - observed / expected disagreement from the coincidence matrix. The interval is the
    percentile bootstrap over items, seeded by `seed`.

    Undefined with fewer than 2 such items, or without variation (in the data, or in more than 1% of
    resamples).
    """
    tail = alpha_from_level(level)
    table = np.asarray(ratings, dtype=np.float64)
    if scale not in get_args(Scale):
        raise StatisticsError(f"unknown scale {scale!r}", f"use one of {', '.join(get_args(Scale))}")
    if table.ndim != 2 or np.isinf(table).any():
        raise StatisticsError(
            f"ratings have shape {table.shape}, not (raters, items), or are infinite", "nan = missing"
        )
    table = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    n = table.shape[1]
    method = f"Krippendorff's alpha ({scale}), bootstrap over items"
    if n < 2:
        return Estimate(NAN, NAN, NAN, level, n, method, f"{n} items with at least two ratings")
    values, counts = _counts(table)
    if len(values) < 2:
        return Estimate(NAN, NAN, NAN, level, n, method, "all ratings are equal")
    rng = np.random.default_rng(seed)
    replicates = replicates_for(tail)
    draws = [_alpha(np.ones((1, n)), values, counts, scale)]
    step = max(1, CHUNK_CELLS // max(n, len(values) ** 2))
    for start in range(0, replicates, step):
        rows = min(step, replicates - start)
        draws.append(_alpha(resample_counts(n, rows, rng), values, counts, scale))
    value, resampled = float(draws[0][0]), np.concatenate(draws[1:])
    if np.isnan(resampled).mean() > MOST_UNDEFINED:
        return Estimate(NAN, NAN, NAN, level, n, method, "too little variation to resample")
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    return Estimate(value, float(low), float(high), level, n, method)


def _counts(table: Array) -> tuple[Array, Array]:
    """Distinct values (V,) in order, and how many raters gave each to each item (items, V)."""
    values = np.unique(table[~np.isnan(table)])
    counts = np.stack([(table == value).sum(axis=0) for value in values], axis=1)
    return values, counts.astype(np.float64)


def _alpha(weights: Array, values: Array, counts: Array, scale: Scale) -> Array:
    """Alpha for each row of item weights (B, items) -> (B,); nan where nothing varies."""
    rated = counts.sum(axis=1)
    marginals = weights @ counts
    total = marginals.sum(axis=1)
    if scale == "interval":
        within = counts @ values**2 - (counts @ values) ** 2 / rated
        observed = 2 * weights @ (within * rated / (rated - 1))
        spread = marginals @ values**2 - (marginals @ values) ** 2 / total
        expected = 2 * total * spread
    else:
        size = len(values)
        pairs = counts[:, :, None] * counts[:, None, :]
        pairs[:, np.arange(size), np.arange(size)] -= counts
        shares = (pairs / (rated - 1)[:, None, None]).reshape(len(counts), -1)
        apart = _squared_distance(marginals, scale)
        coincidences = (weights @ shares).reshape(-1, size, size)
        observed = (coincidences * apart).sum(axis=(1, 2))
        expected = (marginals[:, :, None] * marginals[:, None, :] * apart).sum(axis=(1, 2))
    usable = expected > 1e-12 * total**2
    ratio = (total - 1) * observed / np.where(usable, expected, 1.0)
    return np.where(usable, 1.0 - ratio, np.nan)


def _squared_distance(marginals: Array, scale: Scale) -> Array:
    """Squared difference of values c and k, (B or 1, V, V): 0/1 for nominal, by ranks for ordinal.

    Ordinal: the number of ratings from c to k, with half of those at c and at k, squared.
    """
    if scale == "nominal":
        apart: Array = 1.0 - np.eye(marginals.shape[1])[None]
        return apart
    middle = np.cumsum(marginals, axis=1) - marginals / 2
    ranks: Array = (middle[:, :, None] - middle[:, None, :]) ** 2
    return ranks
