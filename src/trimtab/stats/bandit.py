"""Which of a few arms answers next, and which never again: Thompson sampling over a written floor.

Arm 0 is the default, against which all others are held. Rewards lie in [0, 1].

    choice    the arm whose draw from Beta(1 + rewards, 1 + what they lack of 1) is highest (Thompson 1933; Agrawal and
              Goyal 2012), among those not stopped; before that the default, with chance 1 / sqrt(4 + rewards so far):
              the comparison stays identified for ever, at a cost that grows as the square root only
    floor     an arm is stopped for good as soon as it is shown worse than the default

Shown worse: for every m in [0, 1], the capital of one who bets that the default's mean is above m, times the capital
of one who bets that the arm's is below m, has reached 1 / alpha (bets and their bound: `betting`). Where the arm is as
good as the default, take m = the default's mean: there the product is a supermartingale that starts at 1, whatever rule
chose who answers, so that it ever reaches 1 / alpha with probability alpha at most (Ville 1939). Between two points of
the grid of m the product is bounded from below, as one capital falls in m and the other rises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.errors import StatisticsError
from trimtab.stats.betting import MOST_RISKED, TINY
from trimtab.stats.intervals import Array

ALPHA = 0.05
# Cells of the grid of means.
CELLS = 100
_MEANS = np.linspace(0, 1, CELLS + 1)
_LOW, _HIGH = _MEANS[:-1], _MEANS[1:]


@dataclass
class Evidence:
    """What is known of the arms of each user after their rewards.

    Attributes:
        count, total, squares: (users, arms): rewards, their sum, and the sum of squared distances from the mean at
            each, by which the next bet is sized.
        capital: (users, arms, cells): logarithms; of arm 0 against means of at most a cell's upper end, of the others
            against means of at least its lower end.
        stopped: (users, arms): rewards of all arms after which it was shown worse; 0 where it was not.
        alpha: chance at most that any arm of a user is ever stopped that is as good as the default.
    """

    count: Array
    total: Array
    squares: Array
    capital: Array
    stopped: NDArray[np.int64]
    alpha: float = ALPHA

    @classmethod
    def none(cls, users: int, arms: int, alpha: float = ALPHA) -> Evidence:
        """No rewards yet."""
        shape = users, arms
        counted, summed, squared = (np.zeros(shape) for _ in range(3))
        stopped = np.zeros(shape, dtype=np.int64)
        return cls(counted, summed, squared, np.zeros((*shape, CELLS)), stopped, alpha)

    def add(self, arm: NDArray[np.int64], reward: Array) -> None:
        """Take in one reward of one arm for each user: both (users,).

        Raises:
            StatisticsError: a reward outside [0, 1].
        """
        if not ((reward >= 0) & (reward <= 1)).all():
            raise StatisticsError("a reward outside [0, 1]", "bring rewards to [0, 1]")
        user = np.arange(len(arm))
        count = self.count[user, arm] + 1
        variance = (0.25 + self.squares[user, arm]) / count
        stake = np.sqrt(2 * math.log(1 / self._each) / (variance * count * np.log(count + 1)))
        self.capital[user, arm] += _won(arm, stake, reward)
        self.count[user, arm], self.total[user, arm] = count, self.total[user, arm] + reward
        mean = (0.5 + self.total[user, arm]) / (count + 1)
        self.squares[user, arm] += (reward - mean) ** 2
        lowest = (self.capital[:, :1] + self.capital).min(axis=-1)
        worse = (lowest >= math.log(1 / self._each)) & (self.stopped == 0)
        worse[:, 0] = False
        self.stopped[worse] = np.broadcast_to(self.rewards[:, None], worse.shape)[worse]

    @property
    def rewards(self) -> NDArray[np.int64]:
        """How many each user has given (users,)."""
        answer: NDArray[np.int64] = self.count.sum(axis=1).astype(np.int64)
        return answer

    @property
    def _each(self) -> float:
        others: int = self.count.shape[1] - 1
        return self.alpha / max(others, 1)


def least_share(rewards: NDArray[np.int64]) -> Array:
    """The chance with which the default answers whatever was learned (users,)."""
    answer: Array = 1 / np.sqrt(4.0 + rewards)
    return answer


def drawn(evidence: Evidence, rng: np.random.Generator) -> NDArray[np.int64]:
    """The arm that answers next (users,)."""
    forced = rng.random(len(evidence.count)) < least_share(evidence.rewards)
    hopes = rng.beta(1 + evidence.total, 1 + evidence.count - evidence.total)
    hopes[evidence.stopped > 0] = -1.0
    return np.where(forced, 0, hopes.argmax(axis=1))


def _won(arm: NDArray[np.int64], stake: Array, reward: Array) -> Array:
    """Growth of the log capital (users, cells) by one reward; no bet risks more than `MOST_RISKED`."""
    default = (arm == 0)[:, None]
    at = np.where(default, _HIGH, 1 - _LOW)
    value = np.where(default[:, 0], reward, 1 - reward)
    bet = np.minimum(stake[:, None], MOST_RISKED / np.maximum(at, TINY))
    answer: Array = np.log1p(bet * (value[:, None] - at))
    return answer
