"""Tone and readability of a set, from a sample of its answers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

from trimtab.audit.checks import tone
from trimtab.audit.drawing import MOST, Sample
from trimtab.audit.findings import Finding, Row
from trimtab.audit.packed import Collected, pack
from trimtab.document.sections import Section, Table
from trimtab.measure.contract import optional

FEWEST = 20
_SHOWN = ("0.05", "0.25", "0.5", "0.75", "0.95")
_KIND = "outlier_sentiment"


@dataclass
class Tone:
    """Readability, sentiment and advertising words of the answers among at most 2,000 rows.

    Attributes:
        rows: how many were seen, whether drawn or not.
    """

    rows: int = 0
    sample: Sample[str] = field(default_factory=Sample)

    def add(self, row: Row) -> None:
        """Count a row, and keep its answer if it is drawn.

        Raises:
            MissingPart: vaderSentiment is not installed.
        """
        optional("vaderSentiment")
        self.rows += 1
        if self.sample.wants(row.number):
            self.sample.take(row.number, tone.answer(row))

    def join(self, later: Tone) -> None:
        """Add the rows that follow."""
        self.rows += later.rows
        self.sample.join(later.sample)
        self.__dict__.pop("rated", None)

    @functools.cached_property
    def rated(self) -> tone.Rated:
        """The figures of the answers that were drawn."""
        return tone.rated([(number, text) for number, text in self.sample.drawn() if text])

    def _said(self) -> str:
        drawn = f"{len(self.rated.rows):,} answers of five words or more"
        whole = self.rows <= MOST
        return drawn if whole else f"{drawn} among {MOST:,} rows drawn by a seed from {self.rows:,}"

    def findings(self) -> Sequence[Finding]:
        """`outlier_sentiment`, of the rows that were drawn alone."""
        hits = Collected()
        hits.add(pack(tone.outlying_sentiment(self.rated)))
        if _KIND not in hits.kinds:
            return ()
        one = hits.finding(_KIND)
        detail = {"looked_at": self._said(), "answers": len(self.rated.rows), "of_rows": self.rows}
        return (Finding(_KIND, one.severity, one.rows, notes=one.notes, detail=detail),)

    def sections(self) -> Sequence[Section]:
        """The spread of each figure; nothing of fewer than twenty answers."""
        if len(self.rated.rows) < FEWEST:
            return ()
        spread = tone.distributions(self.rated)
        text = (
            f"Of {self._said()}, their first {tone.LONGEST} characters. Readability is Flesch's (0 hard, 100 easy), "
            f"sentiment VADER's (-1 to 1), advertising listed words a hundred words. All three are made for English "
            f"and say little of another language. What is far from the rest is named among these answers alone."
        )
        table = Table(
            "spread over the answers",
            ("figure", "mean", *(f"{float(part):.0%}" for part in _SHOWN)),
            tuple(
                (name, *(f"{values[part]:.3g}" for part in ("mean", *_SHOWN)))
                for name, values in spread.items()
            ),
        )
        data = {"answers": len(self.rated.rows), "of_rows": self.rows, **spread}
        return (Section("tone", "Tone and readability", (text,), (table,), data),)
