"""What a look found, in words and tables of at most 80 columns, and as JSON values."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trimtab.document import reviewed
from trimtab.records import Estimate, plain
from trimtab.run import comparison_from
from trimtab.watch import Watched
from trimtab.watch.features import YES_NO
from trimtab.watch.watching import Seen, State
from trimtab.watching.looking import Looked
from trimtab.watching.people import Judged
from trimtab.watching.stream import Streamed

HEAD = ("what", "state", "since", "evidence", "before", "now")
DELAYS = ("what", "change", "noticed within")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its head, and rows of as many texts."""

    head: tuple[str, ...]
    rows: list[list[str]]


def headline(found: Looked) -> str:
    """What was looked at, and how it stands."""
    traffic = found.traffic
    name = f"{traffic.folder.path.resolve().name}, stack {traffic.state.stack}"
    if traffic.seen is None:
        return (
            f"{name}: waiting for {traffic.waiting:,} more rows, which later ones are held against "
            f"(baseline {traffic.state.baseline})."
        )
    if not traffic.seen.rows:
        return f"{name}: no row of traffic yet."
    state = "ALARM" if found.alarms else "quiet"
    last = datetime.datetime.fromtimestamp(traffic.state.place.at, datetime.UTC).strftime("%Y-%m-%d %H:%M")
    other = f", {traffic.seen.other:,} of other stacks left out" if traffic.seen.other else ""
    return (
        f"{name}: {state}. {traffic.seen.rows:,} rows of traffic, {traffic.new:,} of them new, the last of {last} "
        f"UTC{other}. A false alarm ever, in all of it: {traffic.seen.alpha:g} at most."
    )


def tables(found: Looked, *, delays: bool = False) -> Iterator[Sheet]:
    """Figures by what is watched, and the delays where they are wanted."""
    if found.traffic.seen is not None:
        yield Sheet(HEAD, [_row(state) for state in found.traffic.seen.quantities])
    if delays and found.traffic.delays:
        yield Sheet(
            DELAYS,
            [[one.figure, f"{one.change:+.3g}", _rows(one.rows, one.power)] for one in found.traffic.delays],
        )


def said(found: Looked) -> Iterator[str]:
    """Alarms, people, and what is not watched: a text each."""
    traffic = found.traffic
    if traffic.seen is not None:
        yield from _alarms(found, traffic.seen)
    if found.begun is not None:
        folder = traffic.folder.path
        yield f"A sample waits for people, review {found.begun.id}:\ntrimtab review {folder} --use for=live"
    for one in found.judged:
        yield _people(one)
    if traffic.seen is not None and traffic.seen.missing:
        reasons = "; ".join(f"{name} ({why})" for name, why in traffic.seen.missing.items())
        yield f"Not watched: {reasons}."


def values(found: Looked, *, delays: bool = False) -> dict[str, Any]:
    """All of it as JSON values; no text of the traffic is among them."""
    traffic = found.traffic
    content = {
        "run": str(traffic.folder.path),
        "stack": traffic.state.stack,
        "outcome": found.outcome,
        "rate": traffic.state.rate,
        "baseline": traffic.state.baseline,
        "new": traffic.new,
        "waiting": traffic.waiting,
        "alarms": found.alarms,
        "told": len(found.told),
        "traffic": traffic.seen,
        "people": [
            one.content | {"level": one.review.plan.level, "worse": one.worse} for one in found.judged
        ],
        "begun": found.begun.id if found.begun else None,
        "problem": found.problem,
    }
    if delays:
        content["delays"] = traffic.delays
    return dict(plain(content))


def streamed(found: Streamed) -> Iterator[str]:
    """A stream that was played again, in sentences."""
    told = found.replayed
    users = f" of {found.users:,} users" if found.users else ""
    yield f"{found.rows:,} rows{users}, in the order of time; mean score, each row before it is learned from."
    yield ""
    yield f"adapted     {_interval(found.adapted)}"
    yield f"stale       {_interval(found.stale)}"
    yield f"difference  {_interval(told.mean)}"
    yield f"newest      {_interval(told.recent)}  difference over the newest {told.recent.n}, one look"
    yield ""
    yield f"Level {told.mean.level:g}, bounds hold at every row ({told.mean.method})."
    if told.better_since:
        yield f"The adapted model is shown to be better from row {told.better_since:,} on."
    if told.worse_since:
        yield f"The adapted model is shown to be worse from row {told.worse_since:,} on."
    if not (told.better_since or told.worse_since):
        yield "Neither model is shown to be better."


def _row(state: State) -> list[str]:
    """A quantity by the figure that gave the alarm, else by the one with most evidence."""
    figures = {one.name: one for one in state.figures}
    figure = figures[state.alarm.figure] if state.alarm else max(state.figures, key=lambda one: one.largest)
    since = f"row {state.alarm.began}" if state.alarm else "-"
    return [
        state.name,
        "ALARM" if state.alarm else "quiet",
        since,
        f"{_evidence(figure, state)}",
        _mean(figure.before, figure.unit),
        _mean(figure.now, figure.unit),
    ]


def _evidence(figure: Seen, state: State) -> str:
    held = max(figure.largest, state.alarm.evidence if state.alarm else 0.0)
    return f"{held / state.needed:.0%}" if math.isfinite(held) else "0%"


def _alarms(found: Looked, seen: Watched) -> Iterator[str]:
    baseline = found.traffic.baseline
    topics = baseline.topics if baseline is not None else {}
    for alarm in seen.alarms:
        about = f" ({topics[alarm.figure]})" if alarm.figure in topics else ""
        what = (
            alarm.quantity if alarm.figure == alarm.quantity else f"{alarm.quantity}, {alarm.figure}{about}"
        )
        yield (
            f"ALARM {what}: noticed at row {alarm.row:,} ({alarm.time}); the change seems to begin at row "
            f"{alarm.began:,}."
        )
    if seen.alarms:
        yield "When it is dealt with, begin anew from here on: --use again=yes"


def _people(one: Judged) -> str:
    rated, review = comparison_from(one.content["analysis"]["win_rate"]), one.review
    made = datetime.datetime.fromtimestamp(review.made, datetime.UTC).strftime("%Y-%m-%d")
    state = "open" if review.closed is None else "closed"
    who = f"Review {review.id} of live answers, {made}, {state}: {one.content['items']} answers"
    if rated.difference.undefined:
        return f"{who}; {rated.difference.undefined}."
    alarm = "ALARM: shown worse than the base model. " if one.worse else ""
    return (
        f"{who}. {alarm}Preferred to the base model's in {reviewed.rate(rated)}, level {review.plan.level:.4g}, "
        f"{rated.difference.n} items judged."
    )


def _rows(rows: float, power: float) -> str:
    return f"{rows:,.0f} rows, {power:.0%}" if math.isfinite(rows) else "perhaps never"


def _mean(one: Estimate, unit: str) -> str:
    """A mean in as many characters as six columns leave it."""
    if one.undefined:
        return "undefined"
    form = ".1%" if unit == YES_NO.unit else ".2f" if abs(one.value) < 10 else ".3g"
    return f"{one.value:{form}} [{one.low:{form}}, {one.high:{form}}]"


def _interval(one: Estimate) -> str:
    if one.undefined:
        return "undefined"
    return f"{one.value:.3g} [{one.low:.3g}, {one.high:.3g}]"
