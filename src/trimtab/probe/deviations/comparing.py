"""Failures of two trials on the same items: which kinds are solved, which remain, which are new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trimtab.document.figures import interval
from trimtab.document.sections import Table
from trimtab.errors import StatisticsError
from trimtab.records import Estimate
from trimtab.stats.tables import wilson

if TYPE_CHECKING:
    from trimtab.probe.deviations.finding import Deviations

HALF = 0.5
SAID = (
    "A kind of before is solved where surely fewer than half of its items still fail, and remains where surely more "
    "do; "
    "a kind is new where surely more than half of its items passed before."
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a kind of failure.

    Attributes:
        share: of a kind of before, its items that still fail; of a kind of after, its items that passed before.
        fate: "solved" where surely fewer than half remain, "remaining" where surely more, "new" where surely more than
            half passed before; "open" where the interval holds a half.
    """

    name: str
    fate: Literal["solved", "remaining", "new", "open"]
    share: Estimate


def compared(before: Deviations, after: Deviations) -> tuple[Fate, ...]:
    """The fate of every kind of before, then the kinds of after that are new. Items that only one has are left out.

    Raises:
        StatisticsError: no item in common.
    """
    failed = [{item for one in side.clusters for item in one.items} for side in (before, after)]
    known = [own | set(side.passing) for own, side in zip(failed, (before, after), strict=True)]
    both = known[0] & known[1]
    if not both:
        raise StatisticsError("the two have no item in common", "compare trials on the same items")
    found = []
    for one in before.clusters:
        own = both & set(one.items)
        share = wilson(len(own & failed[1]), len(own))
        fate: Literal["solved", "remaining", "new", "open"] = "open"
        if share.high < HALF:
            fate = "solved"
        elif share.low > HALF:
            fate = "remaining"
        found.append(Fate(one.name, fate, share))
    for one in after.clusters:
        own = both & set(one.items)
        share = wilson(len(own - failed[0]), len(own))
        if share.low > HALF:
            found.append(Fate(one.name, "new", share))
    return tuple(found)


def table(found: Sequence[Fate]) -> Table:
    """The fates."""
    rows = tuple((one.name, one.fate, interval(one.share, HALF, signed=False)) for one in found)
    return Table("What became of kinds of failure, before and after", ("kind", "fate", "share"), rows)
