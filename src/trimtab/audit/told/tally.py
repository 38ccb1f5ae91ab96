"""Rows with a list of facts, gathered over the whole set and compared with their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trimtab.audit.drawing import Sample
from trimtab.audit.findings import Finding, Hit, Row
from trimtab.audit.kinds import KINDS
from trimtab.audit.told.comparing import ADDED, LEFT_OUT, Described, compared
from trimtab.audit.told.pairs import pairs_of
from trimtab.document.sections import Section

# So many rows are learned from and looked at; of more, a sample.
MOST = 50_000
_FEWEST = 200
_SHARE = 0.8
_LONGEST = 2000


@dataclass
class Told:
    """Rows whose prompts list facts.

    Attributes:
        rows: how many rows were seen; listing: how many of them list facts.
        drawn: some of these, at most `MOST`.
    """

    rows: int = 0
    listing: int = 0
    drawn: Sample[Described] = field(default_factory=lambda: Sample(MOST))

    def add(self, row: Row) -> None:
        """Count a row, and keep it where it lists facts."""
        self.rows += 1
        pairs = pairs_of(row)
        if not pairs:
            return
        answer = " ".join(text.text for text in row.texts if text.side == "answer")[:_LONGEST]
        if answer.strip():
            self.listing += 1
            if self.drawn.wants(row.number):
                self.drawn.take(row.number, Described(row.number, pairs, answer))

    def join(self, later: Told) -> None:
        """Add the rows that follow."""
        self.rows += later.rows
        self.listing += later.listing
        self.drawn.join(later.drawn)

    def sections(self) -> Sequence[Section]:
        """None: the findings say it."""
        return ()

    def findings(self) -> Sequence[Finding]:
        """Facts left out and facts added; none where fewer than eight in ten rows, or than 200, list facts."""
        if self.listing < max(_FEWEST, _SHARE * self.rows):
            return ()
        rows = [one for _, one in self.drawn.drawn()]
        hits = compared(rows)
        found = [
            _finding(kind, [hit for hit in hits if hit.kind == kind], len(rows)) for kind in (LEFT_OUT, ADDED)
        ]
        return [one for one in found if one.count]


def _finding(kind: str, hits: Sequence[Hit], looked: int) -> Finding:
    notes: dict[int, str] = {}
    for hit in hits:
        notes[hit.row] = f"{notes[hit.row]}; {hit.note}" if hit.row in notes else hit.note
    return Finding(
        kind, KINDS[kind].severity, tuple(sorted(notes)), notes=notes, detail={"rows looked at": looked}
    )
