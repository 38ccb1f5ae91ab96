"""A stream of interactions played again in the order of time: an adapted model beside one that stays as it was.

A row has `time` (ISO 8601), the scores `adapted` and `stale` (larger is better, each given before its model learned
from the row), and may have `user`. The bounds are about what was to be expected of each row given those before it, so
that rows of one user need not be independent (Choe and Ramdas 2023); rows that were scored at once should be one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trimtab.errors import DataError, ReviewError, several
from trimtab.live.answers import iso, seconds
from trimtab.measure.rows import Row, read
from trimtab.records import Estimate
from trimtab.stats.sequential.running import last, running_mean
from trimtab.watch import Replayed, replayed

FORM = 'each row is like {"time": "2026-03-31T12:00:00Z", "user": "u1", "adapted": 1, "stale": 0}'


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a stream says.

    Attributes:
        users: how many there are; 0 where rows name none.
        adapted, stale: the mean score of each model, with bounds that hold at every row.
        replayed: of the difference adapted - stale.
    """

    rows: int
    users: int
    adapted: Estimate
    stale: Estimate
    replayed: Replayed


def streamed(path: Path | str, *, bounds: tuple[float, float] = (0.0, 1.0), level: float = 0.95) -> Streamed:
    """Play the rows of a .jsonl or .csv file again. bounds: the lowest and the highest score there can be.

    Raises:
        DataError: the file cannot be read, or rows of it are none, with all of them.
        StatisticsError: scores beyond their bounds, or a level out of range.
    """
    rows = read(path)
    found, problems = [], []
    for number, row in enumerate(rows, 1):
        try:
            found.append((seconds(str(row["time"])), str(row.get("user") or ""), _scores(row)))
        except KeyError as error:
            problems.append(f"row {number}: no {error.args[0]}")
        except (ValueError, TypeError, ReviewError) as error:
            problems.append(f"row {number}: {error}")
    if problems or not found:
        raise DataError(f"{path}:\n{several(problems or ['no rows'])}", FORM)
    found.sort(key=lambda one: one[0])
    times = [iso(at) for at, _, _ in found]
    scores = np.array([pair for _, _, pair in found])
    told = replayed(times, scores[:, 0], scores[:, 1], bounds=bounds, level=level)
    adapted, stale = (_mean(scores[:, column], bounds, level) for column in (0, 1))
    users = len({user for _, user, _ in found if user})
    return Streamed(len(rows), users, adapted, stale, told)


def _scores(row: Row) -> tuple[float, float]:
    one, other = float(row["adapted"]), float(row["stale"])
    if not (math.isfinite(one) and math.isfinite(other)):
        raise ValueError("scores: expected two finite numbers")
    return one, other


def _mean(scores: np.ndarray, bounds: tuple[float, float], level: float) -> Estimate:
    """The mean of scores (n,) with bounds that hold at every row: of their distance to the middle, moved back."""
    low, high = bounds
    middle, span = (low + high) / 2, (high - low) / 2
    found = last(*running_mean(scores - middle, span, level), level)
    return Estimate(
        found.value + middle, found.low + middle, found.high + middle, level, found.n, found.method
    )
