"""Jackknife for a corpus metric: one number from the sufficient statistics of all items together."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.intervals import Array

Statistic = Callable[[Array], float]


def adds_up(statistic: Statistic, rows: Array) -> bool:
    """Whether `statistic` gives the same for rows (items, k) as for their sum as one row (1, k).

    Checked on all items and on each half; BLEU and every ratio of sums pass, a mean of per-item
    scores does not.
    """
    half = len(rows) // 2
    for part in (rows, rows[:half], rows[half:]):
        if len(part) == 0:
            continue
        whole, summed = statistic(part), statistic(part.sum(axis=0, keepdims=True))
        if not math.isclose(whole, summed, rel_tol=1e-9, abs_tol=1e-12):
            return False
    return True


def leave_one_out(statistic: Statistic, rows: Array, codes: NDArray[np.int64]) -> Array:
    """The statistic of rows (items, k) without each cluster in turn -> (clusters,).

    Where the statistic accepts sums each value costs one row instead of all of them.
    """
    groups = int(codes.max()) + 1
    if not adds_up(statistic, rows):
        return np.array([statistic(rows[codes != g]) for g in range(groups)], dtype=np.float64)
    parts = np.zeros((groups, rows.shape[1]))
    np.add.at(parts, codes, rows)
    rest = parts.sum(axis=0) - parts
    return np.array([statistic(rest[g : g + 1]) for g in range(groups)], dtype=np.float64)


def pseudo_values(
    baseline: Array, candidate: Array, statistic: Statistic, codes: NDArray[np.int64]
) -> tuple[float, float, Array]:
    """(baseline's statistic, candidate's, pseudo-values of the difference (clusters,)).

    Efron and Tibshirani (1993), chapter 11: with G clusters the g-th is G theta - (G-1) theta(without g);
    their standard error of the mean is the jackknife standard error of theta (equation 11.5).
    """
    before, after = float(statistic(baseline)), float(statistic(candidate))
    rest = leave_one_out(statistic, candidate, codes) - leave_one_out(statistic, baseline, codes)
    groups = len(rest)
    return before, after, groups * (after - before) - (groups - 1) * rest
