"""The climb at a glance: every rung in order, how it came out, the gain that says so, its guards, and its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.document.figures import MISSING, duration, interval, known, tagged
from trimtab.document.record import Record
from trimtab.document.sections import Row, Table
from trimtab.document.tables import measured
from trimtab.records import Estimate
from trimtab.run import estimate_from

# What `outcome` of ladder.json says, in words of a reader; others are shown as they are.
_OUTCOMES = {
    "passed": "passed",
    "too small": "shown too small",
    "worse": "shown worse",
    "guard breached": "breached a guard",
    "skipped: budget": "not tried: no time left",
    "begun": "being tried",
}


def table(record: Record) -> Table:
    """One row for each rung of the climb, smallest change first; no rows where the ladder was not recorded."""
    return climb(record.ladder.get("rungs") or (), record.min_gain)


def climb(entries: Sequence[Mapping[str, Any]], min_gain: float, ahead: Sequence[str] = ()) -> Table:
    """The same of a climb that may still go on.

    Args:
        entries: of ladder.json; ahead: rungs that come after them.
    """
    rows = [_row(rung, min_gain) for rung in entries]
    rows += [(rung, "still ahead", *["–"] * 4) for rung in ahead]
    head = ("rung", "came out", "gain over the base model", "items", "guards", "time")
    return Table("The climb, smallest change first", head, tuple(rows))


def lines(record: Record) -> list[str]:
    """The same for a terminal, a line for each rung; empty where the ladder has one rung."""
    rungs = record.ladder.get("rungs") or ()
    if len(rungs) < 2:
        return []
    said = []
    for number, rung in enumerate(rungs):
        parts = [f"{'' if number else 'climb':8}{rung['rung']}: {_outcome(rung)}"]
        if (found := _gain(rung)) is not None:
            parts.append(f"{interval(found, record.min_gain, 0.0)} on {found.n:,} items of {_part(rung)}")
        parts += [duration(60 * rung["minutes"])] if rung.get("candidates") else []
        said.append("; ".join(parts))
    return said


def _row(rung: Mapping[str, Any], min_gain: float) -> Row:
    found, minutes = _gain(rung), rung.get("minutes")
    time = duration(60 * minutes if known(minutes) else None)
    return (
        str(rung.get("rung", "")),
        _outcome(rung),
        measured(found, min_gain, 0.0) if found is not None else "–",
        f"{found.n:,} of {_part(rung)}" if found is not None else "–",
        _guards(rung),
        tagged(minutes, time if rung.get("candidates") else f"{time} planned"),
    )


def _outcome(rung: Mapping[str, Any]) -> str:
    found = str(rung.get("outcome") or MISSING)
    return _OUTCOMES.get(found, found)


def _part(rung: Mapping[str, Any]) -> str:
    return "confirm" if rung.get("looked") else "select"


def _gain(rung: Mapping[str, Any]) -> Estimate | None:
    found = rung.get("difference")
    return estimate_from(found) if found else None


def _guards(rung: Mapping[str, Any]) -> str:
    outcomes = [guard["comparison"]["outcome"] for guard in rung.get("guards") or ()]
    return f"{outcomes.count('held')} of {len(outcomes)} held" if outcomes else "–"
