"""A map as a drawing: every kind of point has a colour and a shape of its own; before is hollow, after is full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

HEIGHT, MARGIN = 320, 14
MOST = 600
KINDS = 8
# Colours that people with any colour vision tell apart (Okabe and Ito 2008), legible on light and dark.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c6bb1", "#7f7f7f")
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
    names, counts = np.unique([label or "none" for label in labels], return_counts=True)
    order = sorted(zip((-counts).tolist(), names.tolist(), strict=True))
    found = [str(name) for _, name in order]
    return found if len(found) <= KINDS else [*found[: KINDS - 1], OTHERS]


def scatter(
    shown: NDArray[np.float64], labels: Sequence[str], after: Sequence[bool], *, name: str, title: str
) -> Markup:
    """Draw points (n, 2) by their labels; of more than 600, evenly spaced ones.

    name: prefix of the drawing's ids, unique on the page.
    """
    if not len(shown):
        return Markup("")
    known = kinds(labels)
    low, high = shown.min(axis=0), shown.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    places = np.unique(np.linspace(0, len(shown) - 1, min(MOST, len(shown))).round().astype(int))
    parts = []
    for place in places.tolist():
        x, y = (shown[place] - low) / span
        kind = _kind(labels[place], known)
        parts.append(
            _point(f"{3 + 94 * x:.2f}%", MARGIN + (HEIGHT - 2 * MARGIN) * (1 - y), kind, after[place])
        )
    described = (
        f"{len(places)} of {len(shown)} points; hollow is before, full is after. Kinds: {', '.join(known)}."
    )
    legend = [_legend(label, number) for number, label in enumerate(known)]
    return Markup(
        '<svg class="drawing" role="img" aria-labelledby="{0}-title {0}-desc" width="100%" height="{1}">'
        '<title id="{0}-title">{2}</title><desc id="{0}-desc">{3}</desc>{4}</svg>'
    ).format(
        f"{name}-drawing", HEIGHT + 10 + 20 * len(known), title, described, Markup("").join([*parts, *legend])
    )


def _kind(label: str, known: Sequence[str]) -> int:
    label = label or "none"
    return known.index(label) if label in known else len(known) - 1


def _point(x: str, y: float, kind: int, full: bool) -> Markup:
    fill = COLOURS[kind] if full else "none"
    return Markup(
        '<svg x="{}" y="{:.1f}" overflow="visible"><path d="{}" fill="{}" stroke="{}" stroke-width="1.5"'
        ' opacity="0.75"/></svg>'
    ).format(x, y, SHAPES[kind], fill, COLOURS[kind])


def _legend(label: str, number: int) -> Markup:
    y = HEIGHT + 12 + 20 * number
    text = Markup('<text x="4%" y="{}" dx="8">{}</text>').format(y + 5, label)
    return _point("3%", y, number, True) + text
