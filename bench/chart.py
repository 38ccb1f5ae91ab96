"""Line charts as SVG, side by side, 700 pixels wide, on white; both axes logarithmic unless a panel says otherwise."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 700, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 40, 52
INK, GRID = "#222222", "#dddddd"
STEPS = (1, 2, 5)
# Height of the name of a line, of the height of a panel.
HEADROOM = 0.08


@dataclass(frozen=True)
class Series:
    """One line: its name, its points, its colour.

    Attributes:
        bars: lower and upper end of the interval of each point; none are drawn when empty.
        level: height of a thin dashed line across the panel that the points are held against.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: str
    dashed: bool = False
    bars: Sequence[tuple[float, float]] = ()
    level: float | None = None


@dataclass(frozen=True)
class Panel:
    """One chart; with `log` false both axes are linear, and the vertical one has 0 on it."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log: bool = True


def draw(panels: Sequence[Panel]) -> str:
    """The panels as one SVG document."""
    width = WIDTH / len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate({number * width:g} 0)">', *_panel(panel, width), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten from the last one at or below `low` to the first at or above `high`.

    Over more than two decades, powers of ten only.
    """
    steps = STEPS if high / low <= 100 else (1,)
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    every = [step * 10.0**power for power in powers for step in steps]
    first = max(t for t in every if t <= low * 1.0001)
    last = min(t for t in every if t >= high * 0.9999)
    return [t for t in every if first <= t <= last]


def even_ticks(high: float, low: float = 0.0) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, 4 to 9 of them: 0, and the first beyond `high` and `low`."""
    reach = max(high, 0.0) - min(low, 0.0)
    step = next(
        size
        for power in range(math.floor(math.log10(reach)) - 1, math.ceil(math.log10(reach)) + 1)
        for size in (lead * 10.0**power for lead in STEPS)
        if reach / size <= 7
    )
    first, last = (math.ceil(max(end, 0.0) / step * 0.9999) for end in (-low, high))
    return [step * number for number in range(-first, last + 1)]


def _panel(panel: Panel, width: float) -> list[str]:
    xs = sorted({x for series in panel.series for x in series.xs})
    low, high = _ends([y for series in panel.series for y in (*series.ys, *itertools.chain(*series.bars))])
    # Linear panels are narrow and curved: their names get room above the points.
    named = HEADROOM * len(panel.series) * (high - min(low, 0.0))
    marks = ticks(low, high) if panel.log else even_ticks(high + named, low)
    share = _share if panel.log else _even_share
    scale = " (log scale)" if panel.log else ""
    # Room on both sides of the first and the last point.
    margin = (xs[-1] - xs[0]) / 20
    x_span = (xs[0] / 1.2, xs[-1] * 1.2) if panel.log else (xs[0] - margin, xs[-1] + margin)

    def across(x: float) -> float:
        return LEFT + (width - LEFT - RIGHT) * share(x, *x_span)

    def down(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share(y, marks[0], marks[-1])

    bottom, right = HEIGHT - BOTTOM, width - RIGHT
    parts = [f'<text x="{LEFT}" y="22" font-weight="bold">{escape(panel.title)}</text>']
    for y in marks:
        parts.append(f'<path d="M{LEFT} {down(y):.1f}H{right:.1f}" stroke="{GRID}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{down(y) + 4:.1f}" text-anchor="end">{y:,g}</text>')
    for x in xs:
        parts.append(f'<path d="M{across(x):.1f} {bottom}v5" stroke="{INK}"/>')
        parts.append(f'<text x="{across(x):.1f}" y="{bottom + 18}" text-anchor="middle">{x:,g}</text>')
    parts.append(f'<path d="M{LEFT} {TOP}V{bottom}H{right:.1f}" fill="none" stroke="{INK}"/>')
    middle = (TOP + bottom) / 2
    parts.append(f'<text x="{(LEFT + right) / 2:.1f}" y="{HEIGHT - 12}" text-anchor="middle">'
                 f"{escape(panel.x_label)}{scale}</text>")  # fmt: skip
    parts.append(f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">'
                 f"{escape(panel.y_label)}{scale}</text>")  # fmt: skip
    for number, series in enumerate(panel.series):
        if series.level is not None:
            parts.append(f'<path d="M{LEFT} {down(series.level):.1f}H{right:.1f}" stroke="{series.colour}" '
                         f'stroke-dasharray="2 4"/>')  # fmt: skip
        for x, (least, most) in zip(series.xs, series.bars, strict=False):
            parts.append(_bar(across(x), down(least), down(most), series.colour))
        points = [(across(x), down(y)) for x, y in zip(series.xs, series.ys, strict=True)]
        parts += _line(series, points, number)
    return parts


def _bar(x: float, low: float, high: float, colour: str) -> str:
    """An upright bar with short ends."""
    return (
        f'<path d="M{x - 4:.1f} {high:.1f}h8M{x:.1f} {high:.1f}V{low:.1f}M{x - 4:.1f} {low:.1f}h8" '
        f'fill="none" stroke="{colour}" stroke-width="1.5" opacity="0.6"/>'
    )


def _line(series: Series, points: Sequence[tuple[float, float]], number: int) -> list[str]:
    """A line with its points, and its name in the free upper left corner."""
    dash = ' stroke-dasharray="6 4"' if series.dashed else ""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    y = TOP + 12 + 18 * number
    return [
        f'<path d="{path}" fill="none" stroke="{series.colour}" stroke-width="2"{dash}/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{series.colour}"/>' for x, y in points),
        f'<path d="M{LEFT + 10} {y}h26" stroke="{series.colour}" stroke-width="2"{dash}/>',
        f'<text x="{LEFT + 42}" y="{y + 4}">{escape(series.name)}</text>',
    ]


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def _share(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


def _even_share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low)
