"""What is counted over all rows: figures of a whole set, beside the faults of single rows.

A tally is made anew for each part of the rows, in whichever process has that part; the parts are then joined in the
order of the rows. Adding one: write its class in a module of its own and list it in `auditing._TALLIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from trimtab.audit.findings import Finding, Row

# Counts of values that are too many to be told apart stand under this name.
MANY = "(others)"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as they are shown, masked; the first column names the row, the others are figures in at most 80 columns."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report that is about the whole set.

    Attributes:
        name: a word, its key in the JSON form.
        title: its heading.
        said: paragraphs, what the tables mean and what was not looked at.
        data: its figures, JSON values.
    """

    name: str
    title: str
    said: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


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
