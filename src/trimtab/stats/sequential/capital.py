"""What bets have won that may have begun at any row: evidence for a change, however long it has been quiet before.

A bet pays x_t / u for each unit that is staked on row t, a value of mean at most 1 as long as all is quiet. Whoever
begins at row j and stakes the share r of the capital has, after row t,

    K(j, t) = prod_{s=j..t} (1 + r (x_s / u - 1)),    0 <= r < 1,

times what was put in (Waudby-Smith and Ramdas 2024, Journal of the Royal Statistical Society B 86(1), section 4).
Nobody knows when a change will come, so 1 is put in bit by bit: w_j at row j, where w_1 + w_2 + ... = 1. What all of
it has become, S_t = (1 + r (x_t / u - 1)) (S_{t-1} + w_t), is an e-process: of quiet streams at most a share alpha
ever reaches 1 / alpha (Ville 1939). The recursion is that of the e-detector of Shiryaev and Roberts (Shin, Ramdas and
Rinaldo 2023, New England Journal of Statistics in Data Science 2, section 2), which puts in 1 at every row: there the
mean time to a false alarm is at least 1 / alpha, but sooner or later there is one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.intervals import Array

# Shares of the capital that are staked side by side: what is best for a change that shows in ten rows, up to thousands.
STAKED: Array = np.array([0.9 * 0.5**halved for halved in range(5)])


@dataclass(frozen=True, slots=True)
class Capital:
    """What each of some bets has become under each share that is staked, a cell for each pair of the two.

    Attributes:
        rows: how many were seen.
        held: (cells,), natural logarithm of S; -inf before the first row.
        best: (cells,), logarithm of what a unit has become that was put in at the best row for it.
        since: (cells,) int64, that row, counted from 1.
    """

    rows: int
    held: Array
    best: Array
    since: NDArray[np.int64]

    @classmethod
    def none(cls, bets: int) -> Capital:
        """Before the first row."""
        nothing = np.full(bets * len(STAKED), -math.inf)
        return cls(0, nothing, nothing, np.ones(len(nothing), dtype=np.int64))

    @property
    def began(self) -> int:
        """The row, counted from 1, from which on a change explains the rows best; 0 before the first row."""
        return int(self.since[np.argmax(self.best)]) if self.rows else 0


def log_start(rows: NDArray[np.int64]) -> Array:
    """Logarithm of what is put in at each of some rows (n,), counted from 1.

    w_j = log 2 / log(j + 1) - log 2 / log(j + 2): it sums to 1 and falls as 1 / (j log(j)^2), so that a later change
    is found later by about (log j + 2 log log j) / (growth a row) rows, and no horizon has to be named.
    """
    before, after = np.log(rows + 1.0), np.log(rows + 2.0)
    answer: Array = (
        math.log(math.log(2)) + np.log(np.log1p(1 / (rows + 1.0))) - np.log(before) - np.log(after)
    )
    return answer


def grown(capital: Capital, paid: Array) -> tuple[Capital, Array]:
    """The capital after some more rows, and the evidence (n,) after each of them, in nats.

    paid (bets, n): what each bet pays for a unit staked on each row, at least 0 and of mean at most 1 as long as all
    is quiet. Every cell gets an equal part of the money. The evidence is the logarithm of an e-process: it reaches
    log(1 / alpha) in at most a share alpha of quiet streams, whenever one looks.
    """
    cells, n = len(capital.held), paid.shape[1]
    if not n:
        return capital, np.zeros(0)
    gains = np.log1p(STAKED[None, :, None] * (paid[:, None, :] - 1)).reshape(cells, n)
    won = np.cumsum(gains, axis=1)
    before = won - gains
    put_in = log_start(capital.rows + np.arange(1, n + 1)) - before
    held = np.logaddexp.accumulate(np.column_stack([capital.held, put_in]), axis=1)[:, 1:] + won
    tried = np.column_stack([capital.best, -before])
    place = np.argmax(tried, axis=1)
    since = np.where(place == 0, capital.since, capital.rows + place)
    after = Capital(capital.rows + n, held[:, -1], tried.max(axis=1) + won[:, -1], since)
    return after, np.logaddexp.reduce(held, axis=0) - math.log(cells)
