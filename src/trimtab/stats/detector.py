"""A change of a mean, looked for after every row: evidence that may be read at any time, however long it has been quiet.

For values x_1, x_2, ... in [0, 1] whose mean given those before is at most u ("quiet"), somebody who starts to bet at
row j and stakes the share r of the capital has won, after row t,

    K(j, t) = prod_{s=j..t} (1 + r (x_s / u - 1)),    0 <= r < 1,

times what was put in: a supermartingale (Waudby-Smith and Ramdas 2024, Journal of the Royal Statistical Society B 86(1),
section 4, with lambda = r / u). Nobody knows when a change will come, so 1 is put in bit by bit: w_j at row j, where
w_1 + w_2 + ... = 1. What all of it has become, S_t = (1 + r (x_t / u - 1)) (S_{t-1} + w_t), is an e-process: of quiet
streams at most a share of alpha ever reach 1 / alpha (Ville 1939). The recursion is that of the e-detector of
Shiryaev and Roberts (Shin, Ramdas and Rinaldo 2023, New England Journal of Statistics in Data Science, section 2), which
puts in 1 at every row: there the mean time to a false alarm is at least 1 / alpha, and sooner or later there is one.
Several shares r are staked side by side, each with an equal part of the money.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trimtab.errors import StatisticsError
from trimtab.stats.intervals import Array

# Shares of the capital that are staked, from a change that shows in a few rows to one that shows in thousands.
STAKED: Array = 0.95 * 0.5 ** np.arange(8)
_NOTHING = 1e-12


def _none() -> Array:
    return np.full(len(STAKED), -math.inf)


@dataclass(frozen=True, slots=True)
class Capital:
    """What the bets on a rise have become; a value, so that it can be kept and gone on with.

    Attributes:
        rows: how many were seen.
        held: (stakes,), natural logarithm of S for each stake; -inf before the first row.
        best: (stakes,), logarithm of what the money has become that was put in at the best row.
        since: (stakes,), that row, counted from 1.
    """

    rows: int = 0
    held: Array = field(default_factory=_none)
    best: Array = field(default_factory=_none)
    since: NDArray[np.int64] = field(default_factory=lambda: np.ones(len(STAKED), dtype=np.int64))

    @property
    def began(self) -> int:
        """The row, counted from 1, from which on a rise explains the rows best; 0 before the first row."""
        return int(self.since[np.argmax(self.best)]) if self.rows else 0


def log_start(rows: Array | NDArray[np.int64]) -> Array:
    """Logarithm of what is put in at each of some rows (n,), counted from 1.

    w_j = log 2 / log(j + 1) - log 2 / log(j + 2): it sums to 1, and falls as 1 / (j log(j)^2), so that a change at
    row j is found about (log j + 2 log log j) / (growth a row) rows later than one for whose row all was put in.
    """
    before, after = np.log1p(rows), np.log1p(np.asarray(rows) + 1.0)
    answer: Array = math.log(math.log(2)) + np.log(after - before) - np.log(before) - np.log(after)
    return answer


def grown(capital: Capital, values: Array, bound: float) -> tuple[Capital, Array]:
    """The capital after some more rows, and the evidence (n,) after each of them, in nats.

    values (n,) in [0, 1], in their order; bound: the largest mean of quiet rows, above 0, known before these rows are.
    The evidence is the logarithm of an e-process against "the mean of each row, given those before, is at most its
    bound": it reaches log(1 / alpha) in at most a share alpha of streams of which that is true.

    Raises:
        StatisticsError: values out of range, or a bound that is not above 0.
    """
    if bound <= 0 or not ((values >= 0) & (values <= 1)).all():
        raise StatisticsError(
            f"a bound of {bound:g}, or values not in 0 to 1", "scale the values to 0 to 1 by a range fixed before"
        )
    n = len(values)
    if not n:
        return capital, np.zeros(0)
    gains = np.log1p(STAKED[:, None] * (values / bound - 1))
    won = np.cumsum(gains, axis=1)
    numbers = capital.rows + np.arange(1, n + 1)
    put_in = log_start(numbers) - (won - gains)
    held = np.logaddexp.accumulate(np.column_stack([capital.held, put_in]), axis=1)[:, 1:] + won
    best = np.column_stack([capital.best, put_in])
    place = np.argmax(best, axis=1)
    since = np.where(place == 0, capital.since, capital.rows + place)
    capital = Capital(capital.rows + n, held[:, -1], best.max(axis=1) + won[:, -1], since)
    return capital, np.logaddexp.reduce(held, axis=0) - math.log(len(STAKED))
