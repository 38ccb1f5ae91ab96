"""What came from what, from the top downwards: boxes in rows, with lines from each to what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from trimtab.document.charts import Tone, framed
from trimtab.language.text import shortened

ROW, BOX = 88, 54
# Letters that a box holds for each percent of its width, on a telephone.
LETTERS = 0.46


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a flow.

    Attributes:
        name: unique in the flow. row: from 0 at the top; x, width: its centre and width, percent.
    """

    name: str
    label: str
    detail: str
    row: int
    x: float = 50.0
    width: float = 96.0
    tone: Tone = "plain"


def flow(boxes: Sequence[Box], lines: Sequence[tuple[str, str]], *, name: str, title: str) -> Markup:
    """Draw boxes, and lines between those named; a line ends in an arrow at what was made.

    A line whose ends do not stand one above the other ends in the middle of both. name: prefix of the drawing's ids,
    unique on the page.
    """
    if not boxes:
        return Markup("")
    known = {box.name: box for box in boxes}
    height = max(box.row for box in boxes) * ROW + BOX + 4
    parts = [_line(known[one], known[other]) for one, other in lines] + [_box(box) for box in boxes]
    described = "; ".join(f"{known[one].label} to {known[other].label}" for one, other in lines)
    told = "; ".join(f"{box.label}: {box.detail}" for box in boxes)
    return framed(Markup("").join(parts), height, name, title, f"{told}. Lines: {described}", "flow")


def _box(box: Box) -> Markup:
    top, letters = box.row * ROW + 2, max(8, int(box.width * LETTERS))
    return Markup(
        '<g class="{}"><rect x="{:.1f}%" y="{}" width="{:.1f}%" height="{}" rx="4"/>'
        '<text class="name" x="{:.1f}%" y="{}" text-anchor="middle">{}</text>'
        '<text x="{:.1f}%" y="{}" text-anchor="middle">{}</text></g>'
    ).format(
        box.tone, box.x - box.width / 2, top, box.width, BOX,
        box.x, top + 22, shortened(box.label, letters), box.x, top + 42, shortened(box.detail, letters),
    )  # fmt: skip


def _line(above: Box, below: Box) -> Markup:
    """From the lower edge of a box to the upper edge of another, straight down where one reaches over the other."""
    start, end = above.x, below.x
    if abs(start - end) <= below.width / 2:
        end = start
    elif abs(start - end) <= above.width / 2:
        start = end
    top, bottom = above.row * ROW + 2 + BOX, below.row * ROW + 2
    return Markup(
        '<line class="reach" x1="{0:.1f}%" y1="{1}" x2="{2:.1f}%" y2="{3}"/>'
        '<svg x="{2:.1f}%" y="{3}" overflow="visible"><path class="head" d="M-5-8H5L0 0Z"/></svg>'
    ).format(start, top, end, bottom)
