"""How many rows a change of a given size will take to be noticed: stated before it comes."""

from __future__ import annotations

import math

import numpy as np

from trimtab.stats.distributions import normal_quantile
from trimtab.stats.intervals import Array
from trimtab.stats.sequential.capital import STAKED, log_start
from trimtab.stats.sequential.ranks import BETS, TAILS, Codes, paid

MOST_ROWS = 20_000
_STEPS = 120
# Ranks in pieces on each of which a bet on a tail pays one sum, and one on the mean nearly so.
_BREAKS: Array = np.unique(np.concatenate([np.linspace(0, 1, 201), TAILS, 1 - np.array(TAILS)]))


def rows_to_notice(counts: Codes, changed: Array, alpha: float, rows: int, power: float = 0.9) -> float:
    """Rows after a change until the evidence is log(1 / alpha) with probability `power`; infinite beyond 20,000.

    counts (codes,): how often each value was seen before the change, the baseline's included. changed (codes,): the
    chance of each value after it. rows: how many were seen since the baseline.

    The first k at which, for one bet and one stake, the mean of the logarithm of what one has won who began at the
    change, less its normal quantile of `power`, is log(1 / alpha), what was put in then, and the number of cells.
    Rows after the change stand among those of before it and each other, so that their ranks come back to uniform as
    k grows: what is found late may never be found. All cells and all beginnings count in truth, so that it is
    noticed sooner rather than later.
    """
    wanted = math.log(1 / alpha) + math.log(BETS * len(STAKED)) - float(log_start(np.array([rows + 1]))[0])
    steps = np.unique(np.geomspace(1, MOST_ROWS, _STEPS).astype(np.int64))
    mean, variance = _growth(counts, changed, steps)
    lengths = np.diff(np.concatenate([[0], steps]))
    total, spread = (mean * lengths[:, None]).cumsum(axis=0), (variance * lengths[:, None]).cumsum(axis=0)
    enough = total - normal_quantile(power) * np.sqrt(spread) >= wanted
    found = enough.any(axis=1)
    return float(steps[np.argmax(found)]) if found.any() else math.inf


def _growth(counts: Codes, changed: Array, steps: Codes) -> tuple[Array, Array]:
    """Mean and variance of the logarithm of each cell's gain, (steps, cells), so many rows after the change."""
    middles = (_BREAKS[1:] + _BREAKS[:-1]) / 2
    gains = np.log1p(STAKED[None, :, None] * (paid(middles)[:, None, :] - 1)).reshape(-1, len(middles))
    chances = np.stack([_ranks(counts + step * changed, changed) for step in steps])
    mean = chances @ gains.T
    return mean, np.maximum(chances @ (gains**2).T - mean**2, 0)


def _ranks(pool: Array, changed: Array) -> Array:
    """The chance (pieces,) of a rank between each two breaks: within a value ranks are uniform."""
    ends = np.concatenate([[0.0], np.cumsum(pool) / pool.sum()])
    below = np.interp(_BREAKS, ends, np.concatenate([[0.0], np.cumsum(changed)]))
    return np.diff(below)
