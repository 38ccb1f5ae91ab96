"""What a map only suggests, as numbers: how far points moved, how well sides are apart, what a map keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trimtab.errors import StatisticsError
from trimtab.probe import linear
from trimtab.records import NAN, Estimate
from trimtab.stats.intervals import replicates_for, resample_counts, student
from trimtab.stats.levels import alpha_from_level
from trimtab.stats.tables import wilson

Array = NDArray[np.float64]
FEWEST = 5
NEIGHBOURS = 10
FOLDS = 5
_CHUNK = 256


def undefined(reason: str, n: int, method: str, level: float = 0.95) -> Estimate:
    """A figure that has no value, and why."""
    return Estimate(NAN, NAN, NAN, level, n, method, reason)


def centroid_shift(before: Array, after: Array, *, seed: int = 0, level: float = 0.95) -> Estimate:
    """Distance between the means of points (items, hidden) before and after, in the unit of the points.

    The interval is |d| -+ q, with d the mean difference and q the quantile of |d* - d| over a bootstrap of items, each
    with both its points: a ball around d that holds the true shift (Efron and Tibshirani 1993, chapter 13), and so by
    the triangle inequality its length. It reaches 0 where nothing moved, and is wider than need be otherwise.

    Raises:
        StatisticsError: the two are not of one shape.
    """
    method = "paired bootstrap over items, ball around the mean"
    _paired(before, after)
    moved = np.asarray(after, dtype=np.float64) - before
    n = len(moved)
    if n < FEWEST:
        return undefined(f"{n} items, {FEWEST} are needed", n, method, level)
    mean = moved.mean(axis=0)
    value = float(np.linalg.norm(mean))
    # Lengths of weighted sums need only products of the rows.
    products = (moved - mean) @ (moved - mean).T
    rng, lengths = np.random.default_rng(seed), list[Array]()
    for start in range(0, total := replicates_for(alpha_from_level(level)), _CHUNK):
        shares = resample_counts(n, min(_CHUNK, total - start), rng) / n
        lengths.append(np.einsum("rn,rn->r", shares @ products, shares))
    # The spread of a bootstrap mean is that of n items about their own mean, which is small by this much.
    squares = np.maximum(np.concatenate(lengths), 0) * n / (n - 1)
    reach = float(np.sqrt(np.quantile(squares, level)))
    return Estimate(value, max(0.0, value - reach), value + reach, level, n, method)


def distances(points: Array) -> Array:
    """Euclidean distances (n, n) of points (n, hidden), 0 on the diagonal."""
    squares = (points**2).sum(axis=1)
    found = np.sqrt(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0))
    np.fill_diagonal(found, 0)
    return np.asarray(found, dtype=np.float64)


def silhouette(before: Array, after: Array, *, level: float = 0.95) -> Estimate:
    """How well before and after are apart, -1 to 1; near 0 where they lie among each other.

    The mean over all points of (b - a) / max(a, b), a the mean distance to the own side and b to the other (Rousseeuw
    1987, section 2). The interval is Student's over items, of which each has two points, with all distances as given.
    """
    method = "Student's t over items, distances as given"
    _paired(before, after)
    n = len(before)
    if n < FEWEST:
        return undefined(f"{n} items, {FEWEST} are needed", n, method, level)
    apart = distances(np.concatenate([before, after]).astype(np.float64))
    side = np.repeat([0, 1], n)
    same = side[:, None] == side
    own, other = (apart * same).sum(axis=1) / (n - 1), (apart * ~same).sum(axis=1) / n
    each = (other - own) / np.maximum(np.maximum(own, other), 1e-12)
    items = each.reshape(2, n).mean(axis=0)
    return replace(student(items).estimate(level, n), method=method)


def trustworthiness(
    points: Array, shown: Array, neighbours: int = NEIGHBOURS, *, level: float = 0.95
) -> Estimate:
    """Whether neighbours on a map are neighbours among the points, 0 to 1.

    1 - 2 / (n k (2n - 3k - 1)) times the sum, over each point's k nearest on the map that are not among its k nearest,
    of how far beyond k they rank (Venna and Kaski 2001, section 2). The interval is Student's over points.
    """
    method = f"{neighbours} neighbours, Student's t over points"
    n, k = len(points), neighbours
    if n < max(FEWEST, 2 * k + 2):
        return undefined(f"{n} points, {max(FEWEST, 2 * k + 2)} are needed", n, method, level)
    rank = _ranks(points)
    near = _ranks(shown) <= k
    beyond = np.where(near, np.maximum(rank - k, 0), 0).sum(axis=1)
    return replace(student(1 - 2 * beyond / (k * (2 * n - 3 * k - 1))).estimate(level, n), method=method)


def kept_neighbours(
    points: Array, shown: Array, neighbours: int = NEIGHBOURS, *, level: float = 0.95
) -> Estimate:
    """The share of each point's nearest that are among its nearest on the map too, 0 to 1, the mean over points."""
    method = f"{neighbours} neighbours, Student's t over points"
    n = len(points)
    if n < max(FEWEST, neighbours + 2):
        return undefined(f"{n} points, {max(FEWEST, neighbours + 2)} are needed", n, method, level)
    both = (_ranks(points) <= neighbours) & (_ranks(shown) <= neighbours)
    return replace(student(both.sum(axis=1) / neighbours).estimate(level, n), method=method)


def _ranks(points: Array) -> NDArray[np.int64]:
    """Ranks (n, n) of the others by distance from each point, 1 the nearest; the point itself comes last."""
    apart = distances(np.asarray(points, dtype=np.float64))
    np.fill_diagonal(apart, np.inf)
    order = np.argsort(apart, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(1, len(points) + 1)[None, :], axis=1)
    return rank


def linear_probe(before: Array, after: Array, *, seed: int = 0, level: float = 0.95) -> Estimate:
    """Accuracy with which a straight line tells points after from points before, on items that it did not see.

    Ridge regression of -1 and 1 in five folds; both points of an item are in one fold, or it would be known from the
    other. The interval is Wilson's for as many trials as items, which is cautious: each was tried twice. 0.5 is chance.
    """
    method = f"ridge in {FOLDS} folds of items, Wilson by items"
    _paired(before, after)
    n = len(before)
    if n < 2 * FOLDS:
        return undefined(f"{n} items, {2 * FOLDS} are needed", n, method, level)
    fold = linear.folds([""] * n, FOLDS, seed)
    accuracy = float(linear.correct(after, before, fold, linear.PENALTY).mean())
    low, high = (
        wilson(count, n, level=level) for count in (int(np.floor(accuracy * n)), int(np.ceil(accuracy * n)))
    )
    return Estimate(accuracy, low.low, high.high, level, n, method)


def _paired(before: Array, after: Array) -> None:
    if before.ndim != 2 or before.shape != after.shape:
        raise StatisticsError(
            f"points before have shape {before.shape}, after {after.shape}",
            "give (items, hidden) for the same items",
        )
