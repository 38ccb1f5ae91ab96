"""What a run traded: the gain of every trial against the change in each guard, the front, and the trial chosen."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from trimtab.audit.tallies import Section, Table
from trimtab.document.charts import Scale
from trimtab.document.figures import interval, known, significant
from trimtab.document.masking import mask, printable
from trimtab.document.record import metric_title, suite_title
from trimtab.probe.space.drawing import COLOURS, SHAPES
from trimtab.records import Estimate, GuardResult, plain
from trimtab.run import RunFolder, comparison_from

HEIGHT = 280
FRONT, BEHIND, CHOSEN = 2, 7, 1
_ROUND = 9


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial on select, against the base model; plus is better everywhere.

    Attributes:
        gain: in the goal's metric. guards: the change in each guard, by "suite metric".
        front: whether no other trial is at least as good in everything and better in something.
        full: whether all that counts of it was measured; where not it is on no front.
    """

    stack: str
    name: str
    rung: str
    gain: Estimate
    guards: Mapping[str, Estimate]
    chosen: bool
    front: bool
    full: bool


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """The trials of a run, in the order tried.

    Attributes:
        metric: the goal's. min_gain: the smallest gain worth having. margins: the largest loss allowed, by guard.
        stack, outcome: what the verdict is about and says; empty where the run has none yet.
    """

    metric: str
    min_gain: float
    margins: Mapping[str, float]
    trials: tuple[Tried, ...]
    stack: str
    outcome: str

    @property
    def front(self) -> tuple[Tried, ...]:
        """The trials that no other beats."""
        return tuple(one for one in self.trials if one.front)


def pareto(points: Sequence[Sequence[float]]) -> list[bool]:
    """Which points (n, aims), larger is better, no other dominates; points with a nan are on no front.

    A point dominates another if it is nowhere smaller and somewhere larger; of equal points all are on the front.
    Sorted by all aims, later points cannot dominate earlier ones, so each is held against the front so far only (Kung,
    Luccio and Preparata 1975, section 2).
    """
    front: list[int] = []
    whole = [n for n, point in enumerate(points) if all(value == value for value in point)]
    for number in sorted(whole, key=lambda n: tuple(-value for value in points[n])):
        point = np.asarray(points[number], dtype=np.float64)
        held = np.asarray([points[other] for other in front], dtype=np.float64).reshape(-1, len(point))
        if not ((held >= point).all(axis=1) & (held > point).any(axis=1)).any():
            front.append(number)
    return [number in set(front) for number in range(len(points))]


def tradeoff(folder: RunFolder) -> Tradeoff:
    """Read the trials of a run, finished or not.

    Raises:
        RunError: no trial was recorded yet, or a file of the run is damaged.
    """
    ladder = folder.read("ladder.json")
    verdict = folder.verdict() if folder.has("verdict.json") else None
    recipe = folder.recipe().get("goal") or {}
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for rung in ladder.get("rungs") or ():
        for entry in rung.get("candidates") or ():
            if entry.get("comparison"):
                found[str(entry["stack"])] = (str(rung.get("rung", "")), entry)
    guards = {stack: _guards(entry) for stack, (_, entry) in found.items()}
    margins = {key: one.margin for named in guards.values() for key, one in named.items()}
    gains = {stack: comparison_from(entry["comparison"]).difference for stack, (_, entry) in found.items()}
    nan = float("nan")
    aims = [
        [
            gains[stack].value,
            *(_change(guards[stack][key]) if key in guards[stack] else nan for key in margins),
        ]
        for stack in found
    ]
    front = pareto(aims)
    trials = tuple(
        Tried(
            stack,
            str(entry.get("name") or stack),
            rung,
            gains[stack],
            {key: one.comparison.difference for key, one in guards[stack].items()},
            bool(entry.get("chosen")) if verdict is None else stack == verdict.stack,
            front[number],
            all(value == value for value in aims[number]),
        )
        for number, (stack, (rung, entry)) in enumerate(found.items())
    )
    least = recipe.get("min_gain")
    return Tradeoff(
        str(recipe.get("metric") or ""),
        float(least) if known(least) else 0.0,
        margins,
        trials,
        verdict.stack if verdict else "",
        verdict.outcome if verdict else "",
    )


def _change(guard: GuardResult) -> float:
    """A guard that an adjustment cannot touch changes by nothing, even where it could not be measured."""
    value = guard.comparison.difference.value
    return 0.0 if guard.by_construction and value != value else value


def _guards(entry: Mapping[str, Any]) -> dict[str, GuardResult]:
    return {
        f"{g['suite']} {g['metric']}": GuardResult(
            g["suite"], g["metric"], g["margin"], comparison_from(g["comparison"]), g["by_construction"]
        )
        for g in entry.get("guards") or ()
    }


def drawing(found: Tradeoff, guard: str, *, name: str) -> Markup:
    """Gain across, change in one guard upwards: the front of these two as triangles joined by a line, the others small
    bars, the chosen trial a full square; where both are allowed is shaded.

    name: prefix of the drawing's ids, unique on the page. Trials without this guard are left out.
    """
    shown = [one for one in found.trials if guard in one.guards]
    shown = [one for one in shown if known(one.gain.value) and known(one.guards[guard].value)]
    if not shown:
        return Markup("")
    pairs = [(one.gain.value, one.guards[guard].value) for one in shown]
    least = -found.margins[guard]
    across, up = _scale([x for x, _ in pairs], found.min_gain), _scale([y for _, y in pairs], least)

    def y(value: float) -> float:
        return HEIGHT * (1 - (value - up.low) / (up.high - up.low))

    front = pareto(pairs)
    edge = sorted(pair for pair, on in zip(pairs, front, strict=True) if on)
    parts = [
        Markup('<rect class="zone" x="{:.2f}%" y="0" width="{:.2f}%" height="{:.1f}"/>').format(
            across.x(found.min_gain), 100 - across.x(found.min_gain), y(least)
        ),
        Markup('<line class="threshold" x1="0" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>').format(y(least)),
        Markup('<line class="threshold" x1="{0:.2f}%" x2="{0:.2f}%" y1="0" y2="{1}"/>').format(
            across.x(found.min_gain), HEIGHT
        ),
        *_axes(across, up, y),
    ]
    for one, other in itertools.pairwise(edge):
        parts.append(
            Markup('<line class="axis" x1="{:.2f}%" y1="{:.1f}" x2="{:.2f}%" y2="{:.1f}"/>').format(
                across.x(one[0]), y(one[1]), across.x(other[0]), y(other[1])
            )
        )
    for tried, pair, on in zip(shown, pairs, front, strict=True):
        kind = CHOSEN if tried.chosen else FRONT if on else BEHIND
        fill = COLOURS[kind] if tried.chosen or on else "none"
        parts.append(
            Markup(
                '<svg x="{:.2f}%" y="{:.1f}" overflow="visible"><path d="{}" fill="{}" stroke="{}"/></svg>'
            ).format(across.x(pair[0]), y(pair[1]), SHAPES[kind], fill, COLOURS[kind])
        )
    described = "; ".join(
        f"{_shown(t.name)}: gain {significant(x, signed=True)}, guard {significant(v, signed=True)}"
        + (", on the front" if on else "")
        + (", chosen" if t.chosen else "")
        for t, (x, v), on in zip(shown, pairs, front, strict=True)
    )
    return Markup(
        '<svg class="drawing" role="img" aria-labelledby="{0}-title {0}-desc" width="100%" height="{1}">'
        '<title id="{0}-title">{2}</title><desc id="{0}-desc">{3}</desc>{4}</svg>'
    ).format(
        f"{name}-drawing",
        HEIGHT + 30,
        f"Gain in {metric_title(found.metric)} against change in {_title(guard)}",
        described,
        Markup("").join(parts),
    )


def _axes(across: Scale, up: Scale, y: Any) -> list[Markup]:
    parts = [
        Markup('<text class="tick" text-anchor="middle" x="{:.2f}%" y="{}">{}</text>').format(
            across.x(tick), HEIGHT + 20, significant(round(tick, _ROUND), signed=True)
        )
        for tick in across.ticks()
    ]
    parts += [
        Markup('<text class="tick" x="0" y="{:.1f}">{}</text>').format(
            y(tick) - 4, significant(round(tick, _ROUND), signed=True)
        )
        for tick in up.ticks()
    ]
    return parts


def _scale(values: Sequence[float], threshold: float) -> Scale:
    low, high = min(*values, 0.0, threshold), max(*values, 0.0, threshold)
    room = (high - low) * 0.08 or 1.0
    return Scale(low - room, high + room)


def _title(guard: str) -> str:
    suite, _, metric = guard.rpartition(" ")
    return f"{suite_title(suite)}, {metric_title(metric)}"


def _shown(text: str) -> str:
    return mask(printable(text))


def section(found: Tradeoff) -> Section:
    """The trials as a table, with all their guards."""
    said = [
        "Measured on select, which chose among them: the front flatters. Plus is better everywhere.",
        "On the front: no other trial is at least as good in everything and better in something.",
    ]
    if lacking := sum(not one.full for one in found.trials):
        said.append(f"{lacking} trials were not measured in everything and are on no front.")
    rows = tuple(
        (
            f"{one.rung}: {_shown(one.name)}",
            interval(one.gain, found.min_gain),
            *(
                interval(one.guards[key], -found.margins[key]) if key in one.guards else "not measured"
                for key in found.margins
            ),
            "yes" if one.front else "no",
            "yes" if one.chosen else "no",
        )
        for one in found.trials
    )
    head = (
        "trial",
        f"gain in {metric_title(found.metric)}",
        *(f"{_title(key)} (margin {significant(margin)})" for key, margin in found.margins.items()),
        "front",
        "chosen",
    )
    return Section("tradeoff", "Trade-offs", tuple(said), (Table("every trial", head, rows),), values(found))


def values(found: Tradeoff) -> dict[str, Any]:
    """JSON values of a trade-off."""
    return {**dict(plain(found)), "front": [one.stack for one in found.front]}
