"""Traffic looked at as it comes: what was seen so far as a value that is kept, and what it says."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from trimtab import stats
from trimtab.errors import RunError
from trimtab.records import Estimate
from trimtab.stats.intervals import Array
from trimtab.stats.sequential import Change, begun, noticed
from trimtab.stats.sequential.ranks import NONE, Codes
from trimtab.watch.baseline import Baseline, Column, Quantity
from trimtab.watch.features import Grid
from trimtab.watch.rows import Traffic

# Rows of which the present mean is taken.
RECENT = 200


@dataclass(frozen=True, slots=True)
class Alarm:
    """A change that was noticed: in a figure of a quantity, first at this row of the traffic, counted from 1.

    Attributes:
        time: of that row. began: the row from which on a change explains the figure best.
        evidence: at that row, in nats.
    """

    quantity: str
    figure: str
    row: int
    time: str
    began: int
    evidence: float


@dataclass(frozen=True, slots=True)
class Follow:
    """One figure as it was followed: its evidence, the newest values (at most `RECENT`,) on its grid, its alarm."""

    change: Change
    recent: Codes
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen so far, of a size that does not grow with the traffic; it holds no text.

    Attributes:
        baseline: fingerprint of the baseline.
        rows: how many were looked at; other: how many were left out, as another stack answered them.
        figures: by quantity, by figure.
    """

    baseline: str
    rows: int
    other: int
    figures: Mapping[str, Mapping[str, Follow]]

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms, in the order of their rows; at most one of each figure."""
        found = [one.alarm for of in self.figures.values() for one in of.values() if one.alarm]
        return tuple(sorted(found, key=lambda alarm: alarm.row))


@dataclass(frozen=True, slots=True)
class Seen:
    """One figure: its mean in the baseline and over the newest rows, with intervals, and its evidence in nats.

    The interval of the newest rows is one for a single look; the evidence holds whenever one looks.
    """

    name: str
    unit: str
    before: Estimate
    now: Estimate
    evidence: float
    largest: float


@dataclass(frozen=True, slots=True)
class State:
    """One quantity. `needed`: the evidence at which one of its figures gives the alarm; `alarm`: the first of them."""

    name: str
    state: Literal["quiet", "alarm"]
    alarm: Alarm | None
    needed: float
    figures: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """What the traffic so far says.

    Attributes:
        alpha: the chance that traffic which stays as the baseline ever gives a false alarm, in all quantities together.
        rows, other: rows that were looked at, and those that another stack answered.
        missing: what is not watched, and why.
    """

    stack: str
    rows: int
    other: int
    alpha: float
    quantities: tuple[State, ...]
    alarms: tuple[Alarm, ...]
    missing: Mapping[str, str]


def begin(baseline: Baseline) -> Watch:
    """Before the first row; also how to go on after an alarm was dealt with."""
    # Not one seed for all watches: what breaks ties would then be lucky, or unlucky, for all of them alike.
    seeds = itertools.count(1000 * int(baseline.fingerprint[:8], 16))
    figures = {
        quantity.name: {
            column.name: Follow(
                begun(column.codes, column.grid.codes, next(seeds)), np.zeros(0, dtype=np.int64)
            )
            for column in quantity.columns
        }
        for quantity in baseline.quantities
    }
    return Watch(baseline.fingerprint, 0, 0, figures)


def look(baseline: Baseline, watch: Watch, rows: Sequence[Traffic]) -> Watch:
    """What was seen with some more rows, which came after all before. It costs as much as these rows.

    A figure that has given an alarm is followed further and gives no second one; rows of another stack are left out.

    Raises:
        RunError: the watch is of another baseline.
        MissingPart: the encoder cannot be loaded.
    """
    if watch.baseline != baseline.fingerprint:
        raise RunError(
            f"a watch of the baseline {watch.baseline}, and the baseline {baseline.fingerprint}",
            "begin anew: the run, its rows, the encoder or the weights have changed",
        )
    own = [row for row in rows if row.stack == baseline.stack]
    other = watch.other + len(rows) - len(own)
    if not own:
        return Watch(watch.baseline, watch.rows, other, watch.figures)
    measured = baseline.figures(own)
    figures = {
        quantity.name: {
            column.name: _followed(quantity, column, watch, measured[quantity.name][column.name], own)
            for column in quantity.columns
        }
        for quantity in baseline.quantities
    }
    return Watch(watch.baseline, watch.rows + len(own), other, figures)


def _followed(
    quantity: Quantity, column: Column, watch: Watch, values: Array, rows: Sequence[Traffic]
) -> Follow:
    before = watch.figures[quantity.name][column.name]
    codes = column.grid.place(values)
    change, evidence = noticed(before.change, codes)
    alarm, above = before.alarm, np.flatnonzero(evidence >= quantity.needed)
    if alarm is None and len(above):
        first = int(above[0])
        at, _ = noticed(before.change, codes[: first + 1])
        alarm = Alarm(quantity.name, column.name, at.rows, rows[first].time, at.began, at.evidence)
    recent = np.concatenate([before.recent, codes[codes != NONE]])[-RECENT:]
    return Follow(change, recent, alarm)


def watched(baseline: Baseline, watch: Watch, level: float = 0.95) -> Watched:
    """What was seen so far, in figures.

    Raises:
        RunError: the watch is of another baseline.
    """
    watch = look(baseline, watch, ())
    states = []
    for quantity in baseline.quantities:
        of = watch.figures[quantity.name]
        seen = tuple(_seen(column, of[column.name], level) for column in quantity.columns)
        alarms = [alarm for alarm in watch.alarms if alarm.quantity == quantity.name]
        first = alarms[0] if alarms else None
        states.append(State(quantity.name, "alarm" if first else "quiet", first, quantity.needed, seen))
    return Watched(
        baseline.stack, watch.rows, watch.other, baseline.alpha, tuple(states), watch.alarms, baseline.missing
    )


def _seen(column: Column, follow: Follow, level: float) -> Seen:
    before, now = (_mean(column.grid, codes, level) for codes in (column.codes, follow.recent))
    change = follow.change
    return Seen(column.name, column.grid.unit, before, now, change.evidence, change.peak)


def _mean(grid: Grid, codes: Codes, level: float) -> Estimate:
    if grid.shares:
        return stats.wilson(int(codes.sum()), len(codes), level=level)
    return stats.interval(grid.value(codes), level=level, bounds=(grid.low, grid.high))


def restored(content: Mapping[str, Any]) -> Watch:
    """A watch from its JSON form, which `trimtab.records.plain` makes.

    Raises:
        RunError: it is damaged.
    """
    try:
        figures = {
            quantity: {name: _follow_from(one) for name, one in of.items()}
            for quantity, of in content["figures"].items()
        }
        return Watch(content["baseline"], content["rows"], content["other"], figures)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"the state of a watch is damaged: {error}", "begin anew from the baseline") from None


def _follow_from(content: Mapping[str, Any]) -> Follow:
    alarm = content["alarm"]
    recent = np.array(content["recent"], dtype=np.int64)
    return Follow(Change.restored(content["change"]), recent, Alarm(**alarm) if alarm else None)
