"""Trials on a plane: one change across, another upwards, the front of both, and where both are allowed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from trimtab.document.charts import LEFT, RIGHT, Scale, anchored, framed, reaching
from trimtab.document.figures import significant

HEIGHT = 280
_ROUND = 9
# From the shapes of a cloud: chosen is a full square, the front triangles, all others hollow bars.
_SHAPES = {"chosen": "M-5-5H5V5H-5Z", "front": "M0-6L6 5H-6Z", "behind": "M-3-5H3V5H-3Z"}


@dataclass(frozen=True, slots=True)
class Axis:
    """What lies along an axis, and the least of it that is asked for."""

    label: str
    least: float


@dataclass(frozen=True, slots=True)
class Place:
    """A trial: its change across and upwards, larger is better."""

    name: str
    x: float
    y: float
    chosen: bool = False


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


def plane(trials: Sequence[Place], across: Axis, up: Axis, *, name: str, title: str) -> Markup:
    """Draw trials: the front of these two changes as triangles joined by a line, all others as hollow bars, the chosen
    one a full square; where both are allowed is shaded.

    name: prefix of the drawing's ids, unique on the page.
    """
    if not trials:
        return Markup("")
    pairs = [(trial.x, trial.y) for trial in trials]
    right, top = reaching([x for x, _ in pairs], across.least), reaching([y for _, y in pairs], up.least)

    def y(value: float) -> float:
        return HEIGHT * (1 - (value - top.low) / (top.high - top.low))

    front = pareto(pairs)
    edge = sorted(pair for pair, on in zip(pairs, front, strict=True) if on)
    parts = [_allowed(right.x(across.least), y(up.least)), *_axes(right, top, y, across, up)]
    parts += [
        Markup('<line class="edge" x1="{:.2f}%" y1="{:.1f}" x2="{:.2f}%" y2="{:.1f}"/>').format(
            right.x(one[0]), y(one[1]), right.x(other[0]), y(other[1])
        )
        for one, other in itertools.pairwise(edge)
    ]
    parts += [_place(t, "front" if on else "behind", right, y) for t, on in zip(trials, front, strict=True)]
    described = "; ".join(
        f"{t.name}: {across.label} {significant(t.x, signed=True)}, {up.label} {significant(t.y, signed=True)}"
        + (", on the front" if on else "")
        + (", chosen" if t.chosen else "")
        for t, on in zip(trials, front, strict=True)
    )
    return framed(Markup("").join(parts), HEIGHT + 44, name, title, described, "plane")


def _place(trial: Place, kind: str, right: Scale, y: Callable[[float], float]) -> Markup:
    kind = "chosen" if trial.chosen else kind
    return Markup('<svg x="{:.2f}%" y="{:.1f}" overflow="visible"><path class="{}" d="{}"/></svg>').format(
        right.x(trial.x), y(trial.y), kind, _SHAPES[kind]
    )


def _allowed(x: float, y: float) -> Markup:
    return Markup(
        '<rect class="zone" x="{0:.2f}%" y="0" width="{1:.2f}%" height="{2:.1f}"/>'
        '<line class="threshold" x1="0" x2="100%" y1="{2:.1f}" y2="{2:.1f}"/>'
        '<line class="threshold" x1="{0:.2f}%" x2="{0:.2f}%" y1="0" y2="{3}"/>'
    ).format(x, 100 - x, y, HEIGHT)


def _axes(right: Scale, top: Scale, y: Callable[[float], float], across: Axis, up: Axis) -> list[Markup]:
    parts = [
        Markup('<text class="tick" text-anchor="{}" x="{:.2f}%" y="{}">{}</text>').format(
            anchored(right.x(tick)), right.x(tick), HEIGHT + 18, significant(round(tick, _ROUND), signed=True)
        )
        for tick in right.ticks()
    ]
    parts += [
        Markup('<text class="tick" x="0" y="{:.1f}">{}</text>').format(
            y(tick) - 4, significant(round(tick, _ROUND), signed=True)
        )
        for tick in top.ticks()
        if y(tick) > 30
    ]
    parts.append(
        Markup('<text class="note" x="{}%" y="{}" text-anchor="end">{} →</text>').format(
            RIGHT, HEIGHT + 38, across.label
        )
    )
    parts.append(Markup('<text class="note" x="{}%" y="14">↑ {}</text>').format(LEFT - 2, up.label))
    return parts
