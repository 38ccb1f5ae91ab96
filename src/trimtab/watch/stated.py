"""How long a change of a given size will go unnoticed, stated from the baseline and what was seen since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trimtab.stats.intervals import Array
from trimtab.stats.sequential import rows_to_notice
from trimtab.watch.baseline import Baseline, Column
from trimtab.watch.features import FIGURES
from trimtab.watch.watching import Watch

# Changes that delays are stated for: of a share, in points; of another figure, in standard deviations of the baseline.
POINTS = (-0.2, -0.1, 0.1, 0.2)
DEVIATIONS = (-1.0, -0.5, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Delay:
    """Rows within which a change of a figure is noticed with probability `power`, were it to come now.

    Attributes:
        change: how much the figure's mean changes, in its unit.
        rows: infinite where it may never be noticed, as the baseline is too small for it.
    """

    quantity: str
    figure: str
    change: float
    rows: float
    power: float


def stated_delays(baseline: Baseline, watch: Watch, power: float = 0.9) -> tuple[Delay, ...]:
    """The delays of all figures of an answer and of all topics; how texts change in meaning has no one size.

    A share rises or falls by the points of `POINTS`, where there is room for it; the values of another figure move all
    alike by `DEVIATIONS`.
    """
    found = []
    for quantity in baseline.quantities:
        if quantity.name not in FIGURES and quantity.name != "topics":
            continue
        for column in quantity.columns:
            seen = watch.figures[quantity.name][column.name].change
            alpha = quantity.alpha / len(quantity.columns)
            for size, changed in _changes(column):
                rows = rows_to_notice(seen.counts, changed, alpha, seen.rows, power)
                found.append(Delay(quantity.name, column.name, size, rows, power))
    return tuple(found)


def _changes(column: Column) -> Iterator[tuple[float, Array]]:
    """Sizes, and the chance (codes,) of each value after a change of that size."""
    codes, grid = column.codes, column.grid
    if grid.shares:
        share = float(codes.mean())
        for points in POINTS:
            if 0 <= share + points <= 1:
                yield points, np.array([1 - share - points, share + points])
        return
    deviation = float(codes.std(ddof=1))
    for number in DEVIATIONS:
        moved = np.clip(np.rint(codes + number * deviation), 0, grid.codes - 1).astype(np.int64)
        size = float(moved.mean() - codes.mean()) * grid.step
        if size:
            yield size, np.bincount(moved, minlength=grid.codes) / len(moved)
