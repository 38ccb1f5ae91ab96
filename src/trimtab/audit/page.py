"""audit.html: one page that holds all it needs, in the look of report.html."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from trimtab import __version__
from trimtab.audit.examples import Shown
from trimtab.audit.findings import Finding
from trimtab.audit.kinds import KINDS
from trimtab.audit.result import Audit
from trimtab.document import pages
from trimtab.document.figures import duration

WORDS = {"error": "errors", "warning": "warnings", "note": "notes"}
ROWS = 200


def page(found: Audit, shown: Mapping[str, tuple[Shown, ...]]) -> str:
    """The page of an audit, as HTML of less than three megabytes that loads nothing from anywhere."""
    counts = {
        word: sum(one.severity == severity for one in found.findings) for severity, word in WORDS.items()
    }
    return pages.page(
        "audit.html.j2",
        {
            "source": found.source,
            "shape": found.shape,
            "rows": f"{found.rows:,}",
            "counts": counts,
            "worst": found.findings[0].severity if found.findings else "none",
            "findings": [_finding(one, found.rows, shown.get(one.kind, ())) for one in found.findings],
            "unseen": found.not_looked_at,
            "sections": found.sections,
            "lengths": [(side, spread) for side, spread in found.figures.items() if spread.get("n")],
            "seconds": duration(found.seconds),
            "version": __version__,
            "made": datetime.date.today().isoformat(),
        },
    )


def share(count: int, of: int) -> str:
    """A share in percent; of less than a thousandth just that."""
    part = count / of if of else 0.0
    return "less than 0.1%" if 0 < part < 0.001 else f"{part:.1%}"


def extent(finding: Finding, rows: int) -> str:
    """How many rows a finding concerns, and what share of all; for copies in how many groups."""
    count = len(finding.groups)
    groups = f" in {count:,} group{'s' if count != 1 else ''}" if count else ""
    return f"{finding.count:,} row{'s' if finding.count != 1 else ''}{groups}, {share(finding.count, rows)}"


def _finding(one: Finding, rows: int, shown: tuple[Shown, ...]) -> dict[str, object]:
    kind = KINDS[one.kind]
    return {
        "kind": one.kind,
        "severity": one.severity,
        "title": kind.title,
        "harm": kind.harm,
        "remedy": kind.remedy,
        "extent": extent(one, rows),
        "share": 100 * one.count / rows if rows else 0,
        "examples": shown,
        "rows": ", ".join(map(str, one.rows[:ROWS])),
        "more": max(0, one.count - ROWS),
    }
