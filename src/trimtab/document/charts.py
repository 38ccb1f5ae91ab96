"""Drawings as inline SVG: intervals against their thresholds, and the loss curve.

Positions along x are percentages and along y pixels, so that a drawing fills any width while its letters keep
their size. Colours come from the page's style sheet by class, so that they follow light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from markupsafe import Markup

from trimtab.document.figures import fixed, interval, known, significant
from trimtab.records import Estimate

Tone = Literal["good", "bad", "open", "plain"]
LEFT, RIGHT = 2.0, 98.0
ROW, TOP, FOOT = 50, 26, 30
CURVE_HEIGHT = 200
CURVE_POINTS = 400
# Percent of the width that the numbers beside a response need, so that its first bar does not stand on them.
ROOM = 9.0
# Percent of the width that a number under the axis needs on a telephone.
NARROWEST = 7.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One interval of a drawing. `tone` colours it; the words beside the drawing say the same.

    `label` stands over the bar and must fit a telephone; `name` is for the description that is read aloud.
    """

    label: str
    estimate: Estimate
    tone: Tone = "plain"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The value that intervals are held against, and what the page calls it."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from [low, high] to percentages of the width, the lowest at `left`."""

    low: float
    high: float
    left: float = LEFT

    def x(self, value: float) -> float:
        """Position of a value, in percent."""
        return self.left + (RIGHT - self.left) * (value - self.low) / (self.high - self.low)

    def ticks(self, count: int = 5) -> list[float]:
        """About `count` round values (1, 2 or 5 times a power of ten) within the scale."""
        rough = (self.high - self.low) / count
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [number * step for number in range(first, last + 1)]


def intervals(marks: Sequence[Mark], threshold: Threshold, *, name: str, title: str) -> Markup:
    """Draw intervals against zero and a threshold; everything right of the threshold is shaded.

    name: prefix of the drawing's ids, unique on the page. An undefined estimate is left out; with none
    defined there is no drawing.
    """
    shown = [mark for mark in marks if _drawable(mark.estimate)]
    if not shown:
        return Markup("")
    scale = reaching([bound for m in shown for bound in (m.estimate.low, m.estimate.high)], threshold.value)
    bottom = TOP + ROW * len(shown)
    parts = [_threshold(threshold, scale, bottom), _axis(scale, bottom)]
    parts += [_mark(mark, scale, TOP + ROW * row, threshold) for row, mark in enumerate(shown)]
    described = "; ".join(f"{mark.name}: {interval(mark.estimate, threshold.value, 0.0)}" for mark in shown)
    return framed(
        Markup("").join(parts),
        bottom + FOOT,
        name,
        title,
        f"{described}. {threshold.label}, marked by a dashed line.",
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of the loss curve: training loss by step, and the loss on select where it was measured."""

    training: tuple[tuple[float, float], ...]
    select: tuple[tuple[float, float], ...]

    @property
    def average(self) -> tuple[tuple[float, float], ...]:
        """Running mean of the training loss, over a twentieth of the steps or 5, fewer of a very short run."""
        count = len(self.training)
        window = max(1, min(5, count // 3), count // 20)
        sums = [0.0, *accumulate(loss for _, loss in self.training)]
        return tuple(
            (step, (sums[i + 1] - sums[max(0, i + 1 - window)]) / min(window, i + 1))
            for i, (step, _) in enumerate(self.training)
        )


def curve(points: Curve, *, name: str, title: str) -> Markup:
    """Draw the loss curve: each step faintly, their running mean firmly, the loss on select as dots."""
    both = [*points.training, *points.select]
    if len(points.training) < 2:
        return Markup("")
    across = Scale(min(step for step, _ in both), max(step for step, _ in both))
    losses = [loss for _, loss in both]
    low, high = min(losses), max(losses)
    room = (high - low) * 0.08 or max(abs(high) * 0.1, 0.1)
    up = Scale(low - room, high + room)

    def y(value: float) -> float:
        return CURVE_HEIGHT * (1 - (value - up.low) / (up.high - up.low)) + 8

    grid = [
        Markup(
            '<line class="grid" x1="0" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>'
            '<text class="tick" x="0" y="{1:.1f}">{2}</text>'
        ).format(y(t), y(t) - 4, significant(round(t, 9)))
        for t in up.ticks()
        if t < up.high - room / 2
    ]
    lines = [
        _line(_thin(points.training), across, y, "faint"),
        _line(_thin(points.average), across, y, "firm"),
        _line(points.select, across, y, "select"),
    ]
    dots = [
        Markup('<circle class="select" cx="{:.2f}%" cy="{:.1f}" r="4"/>').format(across.x(step), y(loss))
        for step, loss in _thin(points.select, 60)
    ]
    steps = [
        Markup('<text class="tick" text-anchor="{}" x="{:.2f}%" y="{}">{}</text>').format(
            anchored(across.x(t)), across.x(t), CURVE_HEIGHT + 28, fixed(t, 0)
        )
        for t in across.ticks()
        if t == int(t)
    ]
    return framed(
        Markup("").join([*lines, *grid, *dots, *steps]), CURVE_HEIGHT + 36, name, title, _course(points)
    )


def _course(points: Curve) -> str:
    first, last = points.average[0], points.average[-1]
    text = f"Training loss goes from {significant(first[1])} at step {fixed(first[0], 0)} "
    text += f"to {significant(last[1])} at step {fixed(last[0], 0)} (running mean)."
    if points.select:
        text += f" The last loss on select is {significant(points.select[-1][1])}."
    return text


@dataclass(frozen=True, slots=True)
class Point:
    """One place of a response, mostly a dose: the change that was measured there, and what came of it.

    `label` is what the place is called, where that is not its number.
    """

    strength: float
    estimate: Estimate
    tone: Tone = "plain"
    label: str = ""

    @property
    def called(self) -> str:
        """The place in words."""
        return self.label or significant(self.strength)


def response(
    points: Sequence[Point], threshold: Threshold, *, name: str, title: str, axis: str = "strength"
) -> Markup:
    """Draw a change against strength, or what else `axis` says.

    A dot with its interval at each, and a line through the dots; what lies above the threshold is shaded. An
    undefined estimate is left out; with fewer than two there is no drawing.
    """
    shown = [point for point in points if _drawable(point.estimate)]
    if len(shown) < 2:
        return Markup("")
    across = Scale(shown[0].strength, shown[-1].strength, ROOM)
    up = reaching([b for p in shown for b in (p.estimate.low, p.estimate.high)], threshold.value)

    def y(value: float) -> float:
        return CURVE_HEIGHT * (1 - (value - up.low) / (up.high - up.low)) + 8

    parts = [_band(threshold, y), _levels(up, y)]
    parts += [_line([(p.strength, p.estimate.value) for p in shown], across, y, "firm")]
    parts += [_whisker(point, across.x(point.strength), y) for point in shown]
    parts += [_doses(shown, across)]
    described = "; ".join(f"{axis} {p.called}: {interval(p.estimate, threshold.value, 0.0)}" for p in shown)
    text = f"{described}. {threshold.label}, marked by a dashed line."
    return framed(Markup("").join(parts), CURVE_HEIGHT + 36, name, title, text)


def _band(threshold: Threshold, y: Callable[[float], float]) -> Markup:
    at = y(threshold.value)
    return Markup(
        '<rect class="zone" x="0" width="100%" y="8" height="{0:.1f}"/>'
        '<line class="threshold" x1="0" x2="100%" y1="{1:.1f}" y2="{1:.1f}"/>'
        '<text class="note" x="100%" y="{2:.1f}" text-anchor="end">{3}</text>'
    ).format(at - 8, at, at - 5 if at > 30 else at + 15, threshold.label)


def _levels(up: Scale, y: Callable[[float], float]) -> Markup:
    ticks = up.ticks()
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    return Markup("").join(
        Markup(
            '<line class="{0}" x1="0" x2="100%" y1="{1:.1f}" y2="{1:.1f}"/>'
            '<text class="tick" x="0" y="{2:.1f}">{3}</text>'
        ).format(
            "zero" if abs(tick) < step / 2 else "grid",
            y(tick),
            y(tick) - 4,
            significant(round(tick, 9), signed=True),
        )
        for tick in ticks
        if y(tick) > 20
    )


def _whisker(point: Point, x: float, y: Callable[[float], float]) -> Markup:
    low, at, high = (y(v) for v in (point.estimate.low, point.estimate.value, point.estimate.high))
    return Markup(
        '<g class="{0}"><line class="reach" x1="{1:.2f}%" x2="{1:.2f}%" y1="{2:.1f}" y2="{3:.1f}"/>{4}</g>'
    ).format(point.tone, x, low, high, _dot(point.tone, x, round(at)))


def _doses(points: Sequence[Point], across: Scale) -> Markup:
    """The places under the axis, as many as have room."""
    parts, last = [], -math.inf
    for point in points:
        x = across.x(point.strength)
        if x - last >= NARROWEST:
            last = x
            parts.append(
                Markup('<text class="tick" text-anchor="{}" x="{:.2f}%" y="{}">{}</text>').format(
                    anchored(x), x, CURVE_HEIGHT + 28, point.called
                )
            )
    return Markup("").join(parts)


def _drawable(estimate: Estimate) -> bool:
    return not estimate.undefined and all(known(v) for v in (estimate.value, estimate.low, estimate.high))


def reaching(bounds: Sequence[float], threshold: float) -> Scale:
    """A scale that holds values, zero and a threshold, with a little room at both ends."""
    low, high = min(*bounds, 0.0, threshold), max(*bounds, 0.0, threshold)
    room = (high - low) * 0.08 or 1.0
    return Scale(low - room, high + room)


def anchored(x: float, *, near: float = 8.0) -> str:
    """Which side of a text stands at a place in percent, so that it does not run over the edge."""
    return "start" if x < near else "end" if x > 100 - near else "middle"


def _threshold(threshold: Threshold, scale: Scale, bottom: int) -> Markup:
    x = scale.x(threshold.value)
    side, shift = ("start", 6) if x < 45 else ("end", -6)
    return Markup(
        '<rect class="zone" x="{0:.2f}%" y="6" width="{1:.2f}%" height="{2}"/>'
        '<line class="threshold" x1="{0:.2f}%" x2="{0:.2f}%" y1="6" y2="{3}"/>'
        '<text class="note" x="{0:.2f}%" dx="{4}" y="19" text-anchor="{5}">{6}</text>'
    ).format(x, 100 - x, bottom - 6, bottom, shift, side, threshold.label)


def _axis(scale: Scale, bottom: int) -> Markup:
    parts = [Markup('<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(bottom)]
    ticks = scale.ticks()
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    count = max(0, -math.floor(math.log10(step) + 1e-9))
    for tick in ticks:
        zero = abs(tick) < step / 2
        parts.append(
            Markup(
                '<line class="{0}" x1="{1:.2f}%" x2="{1:.2f}%" y1="{2}" y2="{3}"/>'
                '<text class="tick{4}" x="{1:.2f}%" y="{5}" text-anchor="{6}">{7}</text>'
            ).format(
                "zero" if zero else "axis",
                scale.x(tick),
                TOP + 26 if zero else bottom,
                bottom + 5,
                " strong" if zero else "",
                bottom + 20,
                anchored(scale.x(tick), near=6),
                fixed(tick, count, signed=True),
            )
        )
    return Markup("").join(parts)


def _mark(mark: Mark, scale: Scale, top: int, threshold: Threshold) -> Markup:
    low, at, high = (scale.x(v) for v in (mark.estimate.low, mark.estimate.value, mark.estimate.high))
    y = top + 32
    label = mark.label
    anchor, where = ("start", low) if at < 32 else ("end", high) if at > 68 else ("middle", at)
    return Markup(
        '<g class="{0}"><text class="label" x="{1:.2f}%" y="{2}" text-anchor="{3}">{4}</text>'
        '<line class="reach" x1="{5:.2f}%" x2="{6:.2f}%" y1="{7}" y2="{7}"/>'
        '<line class="end" x1="{5:.2f}%" x2="{5:.2f}%" y1="{8}" y2="{9}"/>'
        '<line class="end" x1="{6:.2f}%" x2="{6:.2f}%" y1="{8}" y2="{9}"/>{10}</g>'
    ).format(mark.tone, where, top + 20, anchor, label, low, high, y, y - 6, y + 6, _dot(mark.tone, at, y))


def _dot(tone: Tone, x: float, y: int) -> Markup:
    """Full where shown, crossed where breached, hollow where open: the tone without its colour."""
    dot = Markup('<circle class="{}" cx="{:.2f}%" cy="{}" r="6"/>').format(
        "hollow" if tone == "open" else "dot", x, y
    )
    if tone != "bad":
        return dot
    cross = Markup(
        '<svg x="{:.2f}%" y="{}" overflow="visible"><path class="cross" d="M-3-3L3 3M3-3L-3 3"/></svg>'
    )
    return dot + cross.format(x, y)


def _line(points: Sequence[tuple[float, float]], across: Scale, y: object, kind: str) -> Markup:
    if len(points) < 2 or not callable(y):
        return Markup("")
    path = " ".join(f"{across.x(step):.2f},{y(loss):.1f}" for step, loss in points)
    return Markup(
        '<svg class="stretch" width="100%" height="{0}" viewBox="0 0 100 {0}" preserveAspectRatio="none">'
        '<polyline class="{1}" points="{2}" vector-effect="non-scaling-stroke"/></svg>'
    ).format(CURVE_HEIGHT + 36, kind, path)


def _thin(points: Sequence[tuple[float, float]], most: int = CURVE_POINTS) -> Sequence[tuple[float, float]]:
    if len(points) <= most:
        return points
    return [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]


def framed(content: Markup, height: int, name: str, title: str, described: str, kind: str = "") -> Markup:
    """A drawing as SVG with its title and description; `kind` is its class beside "drawing"."""
    return Markup(
        '<svg class="{5}" role="img" aria-labelledby="{0}-title {0}-desc" width="100%" height="{1}">'
        '<title id="{0}-title">{2}</title><desc id="{0}-desc">{3}</desc>{4}</svg>'
    ).format(f"{name}-drawing", height, title, described, content, f"drawing {kind}".rstrip())
