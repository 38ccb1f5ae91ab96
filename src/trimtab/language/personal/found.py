"""A piece of personal data in a text, and which to keep where several overlap."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass

SURE = 0.5  # from here on a find is reported; below it is only hidden where hiding too much costs nothing


@dataclass(frozen=True, slots=True)
class Found:
    """Characters start..end of a text.

    Attributes:
        start: the first character, from 0.
        end: one past the last.
        type: what it is, by Presidio's name for it, such as `EMAIL_ADDRESS`.
        score: 0..1, how sure: a rank, not a probability. 1.0 has a check digit, below `SURE` is a mere shape.
    """

    start: int
    end: int
    type: str
    score: float


def settle(found: Iterable[Found], least: float = 0.0) -> list[Found]:
    """Those with at least a score, in order, without overlaps: of two that overlap the surer, then the longer."""
    ranked = sorted(
        (one for one in found if one.score >= least),
        key=lambda one: (-one.score, one.start - one.end, one.start),
    )
    starts: list[int] = []
    kept: list[Found] = []
    for one in ranked:
        place = bisect(starts, one.start)
        before_ends = place and kept[place - 1].end > one.start
        after_begins = place < len(kept) and kept[place].start < one.end
        if not before_ends and not after_begins:
            starts.insert(place, one.start)
            kept.insert(place, one)
    return kept
