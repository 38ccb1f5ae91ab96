"""A text whose parts speak for or against something, readable without colour.

A part that matters is underlined, the more strongly the thicker; + after it says that it speaks for, and − against.
Colours (blue for, orange against) only repeat that.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from trimtab.document.figures import significant

# Share of the largest |value| from which a part has strength 1, 2, 3, 4.
_FROM = (0.1, 0.25, 0.5, 0.8)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text: the turn that it is of, its text, what it is called, and how much it speaks for something."""

    turn: int
    text: str
    label: str
    value: float


def strength(value: float, largest: float) -> int:
    """0 to 4: how thickly a part is underlined, by its share of the largest |value| of its text."""
    return sum(abs(value) >= share * largest for share in _FROM) if largest else 0


def passage(lead: str, parts: Sequence[Part]) -> Markup:
    """What is spoken for, then the parts in order, a paragraph for each turn: HTML in the report's style."""
    largest = max((abs(part.value) for part in parts), default=0.0)
    turns = Markup("").join(
        Markup('<p class="turn" dir="auto"><span class="role">Turn {}</span> {}</p>').format(
            turn + 1, Markup("").join(_part(part, strength(part.value, largest)) for part in own)
        )
        for turn, own in itertools.groupby(parts, key=lambda part: part.turn)
    )
    return Markup('<div class="why"><p class="soft" dir="auto">{}</p>{}</div>').format(lead, turns)


def _part(part: Part, strong: int) -> Markup:
    body = part.text.rstrip()
    space = part.text[len(body) :]
    title = f"{part.label}: {significant(part.value, signed=True)}"
    if not strong or not body:
        return Markup('<span title="{}">{}</span>').format(title, part.text)
    way, sign = ("for", "+") if part.value > 0 else ("against", "−")
    return Markup('<u class="{} s{}" title="{}">{}</u><sup>{}</sup>{}').format(
        way, strong, title, body, sign, space
    )
