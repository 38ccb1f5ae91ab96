"""What an audit is asked for, and what it found, as values and as JSON."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab.audit.findings import Finding
from trimtab.audit.kinds import KINDS
from trimtab.document.sections import Section


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        source: as it was asked for; shape: what its rows are, such as prompt/completion.
        rows: how many there are, broken ones included.
        findings: the gravest first, of equal ones that with most rows.
        not_looked_at: what was left out, and why, in words.
        seconds: wall-clock time.
        figures: spread of lengths in words, by side.
        sections: what is said about the set as a whole.
        language: that of most texts, or as declared, as an ISO 639-1 code; empty where none is known.
        columns: usual name to the source's own column.
    """

    source: str
    shape: str
    rows: int
    findings: tuple[Finding, ...]
    not_looked_at: tuple[str, ...]
    seconds: float
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    language: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> Finding | None:
        """The finding of a kind, if there is one."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def section(self, name: str) -> Section | None:
        """The section of a name, if there is one."""
        return next((section for section in self.sections if section.name == name), None)


@dataclass(frozen=True)
class Asked:
    """What is looked for beyond what is always looked for.

    Attributes:
        columns: usual name to the source's own column.
        language: ISO 639-1 code that the rows are declared to be in; empty: that of most.
        guidelines: path of a file of guidelines.
        against: files whose texts must not be among the rows, such as those that are kept for measuring.
        stale_before: rows with an earlier date are stale.
        names: search for names of people and places, which needs the part `privacy` and takes long.
        model: rows that this model would not read to their end are found; empty: not looked for.
        limit: longest row, in tokens; 0: what the model reads.
        meaning: paraphrases, topics, outliers and doubtful labels by a sentence encoder, which takes long.
        label: the column of labels; empty: the one that looks like it.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    guidelines: str = ""
    against: tuple[str, ...] = ()
    stale_before: datetime.date | None = None
    names: bool = False
    model: str = ""
    limit: int = 0
    meaning: bool = False
    label: str = ""


def as_json(found: Audit) -> dict[str, Any]:
    """An audit as JSON values; spans have the keys row, field, start, end and type."""
    return {
        "source": found.source,
        "shape": found.shape,
        "rows": found.rows,
        "findings": [
            {
                "kind": one.kind,
                "severity": one.severity,
                "count": one.count,
                "rows": list(one.rows),
                **({"spans": list(one.spans)} if one.spans else {}),
                **({"groups": one.groups} if one.groups else {}),
                **({"notes": one.notes} if one.notes else {}),
                **({"detail": one.detail} if one.detail else {}),
                "title": KINDS[one.kind].title,
                "harm": KINDS[one.kind].harm,
                "remedy": KINDS[one.kind].remedy,
            }
            for one in found.findings
        ],
        "not_looked_at": found.not_looked_at,
        "seconds": found.seconds,
        "figures": found.figures,
        "language": found.language,
        "columns": found.columns,
        "sections": {one.name: one.data for one in found.sections},
    }
