"""Whether an adjustment goes on paying: an adapted and an unchanged model on the same rows, in the order of time.

Each row is answered before it is learned from ("prequential", Dawid 1984, Journal of the Royal Statistical Society A
147(2), 278-292), so that a score on it is one on new data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trimtab import stats
from trimtab.errors import StatisticsError
from trimtab.records import Estimate
from trimtab.stats.intervals import Array
from trimtab.stats.sequential import running_mean
from trimtab.stats.sequential.running import last

WINDOW = 200
POINTS = 200


@dataclass(frozen=True, slots=True)
class Point:
    """How it stands after a row, counted from 1: the mean difference so far with its bounds, and what is faded.

    Attributes:
        faded, adapted, unchanged: the difference and both scores, where what lies back counts less and less.
    """

    row: int
    time: str
    mean: float
    low: float
    high: float
    faded: float
    adapted: float
    unchanged: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """Two models on a stream. Differences are adapted - unchanged, oriented so that plus is better.

    Attributes:
        mean: over all rows; its interval holds at every row, whatever drifts.
        recent: over the newest rows (`WINDOW`), with the interval of a single look.
        better_since, worse_since: the first row, counted from 1, after which the mean's interval lay above or below 0;
            0 where it never did.
        path: at most `POINTS` rows, evenly spaced, the last one among them.
        left_out: rows on which a score was not defined.
    """

    mean: Estimate
    recent: Estimate
    better_since: int
    worse_since: int
    path: tuple[Point, ...]
    left_out: int


def replayed(
    times: Sequence[str],
    adapted: ArrayLike,
    unchanged: ArrayLike,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    fading: float = 0.99,
    level: float = 0.95,
) -> Replayed:
    """Compare scores (n,) of two models on the same rows, larger is better, in the order of their times.

    times (n,): ISO 8601, of one form; equal ones keep their order. bounds: the lowest and highest possible score.
    fading: what a row counts for one row later, 0 to 1 (Gama, Sebastiao and Rodrigues 2013, Machine Learning 90,
    317-346, section 3.2). A session's rows should be given as one, by their mean, where they hang together.

    Raises:
        StatisticsError: arguments of unlike length, scores out of their bounds, or fading or level out of range.
    """
    one, other = np.asarray(adapted, dtype=np.float64), np.asarray(unchanged, dtype=np.float64)
    if not one.shape == other.shape == (len(times),) or not 0 < fading < 1:
        raise StatisticsError(
            f"{len(times)} times, scores of shapes {one.shape} and {other.shape}, fading {fading:g}",
            "give one time and two scores for each row, and a fading between 0 and 1",
        )
    defined = np.isfinite(one) & np.isfinite(other)
    order = np.array(sorted(np.flatnonzero(defined).tolist(), key=lambda row: times[row]), dtype=np.int64)
    one, other = one[order], other[order]
    for scores in (one, other):
        if not ((scores >= bounds[0]) & (scores <= bounds[1])).all():
            raise StatisticsError(
                f"scores from {scores.min():g} to {scores.max():g}, bounds {bounds}",
                "name the metric's bounds",
            )
    d = one - other
    mean, low, high = running_mean(d, bounds[1] - bounds[0], level)
    path = _path([times[row] for row in order], (mean, low, high), (d, one, other), fading)
    recent = stats.interval(d[-WINDOW:], level=level, bounds=bounds)
    missing = int((~defined).sum())
    return Replayed(last(mean, low, high, level), recent, _first(low > 0), _first(high < 0), path, missing)


def faded(values: Array, fading: float) -> Array:
    """The faded mean (n,) of values (n,) after each row: S_t / N_t, S_t = x_t + f S_{t-1}, N_t = 1 + f N_{t-1}."""
    answer, total, weight = np.empty(len(values)), 0.0, 0.0
    for place, value in enumerate(values.tolist()):
        total, weight = value + fading * total, 1 + fading * weight
        answer[place] = total / weight
    return answer


def _path(
    times: Sequence[str],
    bounded: tuple[Array, Array, Array],
    scores: tuple[Array, Array, Array],
    fading: float,
) -> tuple[Point, ...]:
    if not times:
        return ()
    figures = np.stack([*bounded, *(faded(values, fading) for values in scores)], axis=1)
    shown = np.unique(np.linspace(0, len(times) - 1, POINTS).round().astype(np.int64))
    return tuple(Point(int(row) + 1, times[row], *map(float, figures[row])) for row in shown)


def _first(found: np.ndarray) -> int:
    return int(np.argmax(found)) + 1 if found.any() else 0
