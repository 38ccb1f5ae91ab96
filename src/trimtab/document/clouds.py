"""A map as a drawing: every kind of point has a colour and a shape of its own; before is hollow, after is full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from trimtab.document.charts import framed

HEIGHT, MARGIN = 320, 14
MOST = 600
KINDS = 8
SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
    "M-4-4H4V4H-4Z",
    "M0-5L5 4H-5Z",
    "M0-6L5 0L0 6L-5 0Z",
    "M0 5L5-4H-5Z",
    "M-1.5-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5V-1.5H-1.5Z",
    "M-5-3H5V3H-5Z",
    "M-3-5H3V5H-3Z",
)
OTHERS = "all others"


def kinds(labels: Sequence[str]) -> list[str]:
    """The labels that get a colour of their own, the most frequent first; the eighth is all others where need be.

    An empty label is "none".
    """
    counts = Counter(label or "none" for label in labels)
    found = sorted(counts, key=lambda label: (-counts[label], label))
    return found if len(found) <= KINDS else [*found[: KINDS - 1], OTHERS]


def cloud(
    points: Sequence[tuple[float, float]],
    labels: Sequence[str],
    after: Sequence[bool],
    *,
    name: str,
    title: str,
) -> Markup:
    """Draw points by their labels; of more than 600, evenly spaced ones. Colours are classes of the page's style.

    name: prefix of the drawing's ids, unique on the page.
    """
    if not points:
        return Markup("")
    known = kinds(labels)
    lows, spans = zip(*map(_extent, zip(*points, strict=True)), strict=True)
    count = min(MOST, len(points))
    places = sorted({round(i * (len(points) - 1) / max(1, count - 1)) for i in range(count)})
    marks: dict[tuple[bool, int], list[Markup]] = {}
    for place in places:
        x, y = ((v - low) / span for v, low, span in zip(points[place], lows, spans, strict=True))
        kind = _kind(labels[place], known)
        marks.setdefault((after[place], kind), []).append(
            Markup('<use href="#{}-{}" x="{:.1f}%" y="{:.1f}"/>').format(
                name, kind, 3 + 94 * x, MARGIN + (HEIGHT - 2 * MARGIN) * (1 - y)
            )
        )
    drawn = [
        Markup('<g class="kind-{}{}">{}</g>').format(kind, "" if full else " before", Markup("").join(uses))
        for (full, kind), uses in sorted(marks.items())
    ]
    shapes = [
        Markup('<path id="{}-{}" d="{}"/>').format(name, kind, SHAPES[kind]) for kind in range(len(known))
    ]
    legend = [_legend(name, label, number) for number, label in enumerate(known)]
    described = (
        f"{len(places)} of {len(points)} points; hollow is before, full is after. Kinds: {', '.join(known)}."
    )
    content = [Markup("<defs>{}</defs>").format(Markup("").join(shapes)), *drawn, *legend]
    return framed(Markup("").join(content), HEIGHT + 10 + 20 * len(known), name, title, described, "cloud")


def _extent(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return low, high - low if high > low else 1.0


def _kind(label: str, known: Sequence[str]) -> int:
    label = label or "none"
    return known.index(label) if label in known else len(known) - 1


def _legend(name: str, label: str, number: int) -> Markup:
    y = HEIGHT + 12 + 20 * number
    return Markup(
        '<g class="kind-{0}"><use href="#{1}-{0}" x="3%" y="{2}"/></g><text x="4%" y="{3}" dx="8">{4}</text>'
    ).format(number, name, y, y + 5, label)
