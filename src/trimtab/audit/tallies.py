"""What is counted over all rows: figures of a whole set, beside the faults of single rows.

A tally is made anew for each part of the rows, in whichever process has that part; the parts are then joined in the
order of the rows. Adding one: write its class in a module of its own and list it in `auditing._TALLIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, Self

from trimtab.audit.findings import Finding, Row
from trimtab.document.sections import Section

# Counts of values that are too many to be told apart stand under this name.
MANY = "(others)"


class Tally(Protocol):
    """Counts over some rows, in memory that does not grow with their number, or by a few bytes a row."""

    def add(self, row: Row) -> None:
        """Count a row.

        Raises:
            MissingPart: a library is not installed; the tally is left out, and the report says so.
        """

    def join(self, later: Self) -> None:
        """Add the counts of the rows that follow."""

    def sections(self) -> Sequence[Section]:
        """What the counts say about the set; none where there is nothing to say."""

    def findings(self) -> Sequence[Finding]:
        """The faults that only the whole set shows."""


# Makes an empty tally; sent to worker processes, so that a class or a `functools.partial` of one is given.
Counting = Callable[[], Tally]
