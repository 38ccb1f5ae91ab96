"""Where rows come from: what of it is missing, row by row, and how often each licence, source and consent stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab.audit.findings import Hit, Row

# Kind of finding, and the field of an example that it is about.
FIELDS: Mapping[str, str] = {
    "missing_source": "source",
    "missing_licence": "licence",
    "missing_consent": "consent",
    "missing_date": "collected_at",
}
# The names that columns of a row have which cannot be read as an example.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "source": ("source",),
    "licence": ("licence", "license"),
    "consent": ("consent",),
    "collected_at": ("collected_at", "collected-at", "collected"),
    "subject": ("subject",),
}
REFUSED = ("no", "none", "false", "refused", "withdrawn")


def missing(row: Row) -> Iterator[Hit]:
    """What a row does not say of where it comes from; consent that was not given counts as missing.

    Consent is asked of rows that name a subject: those of nobody need none.
    """
    said = _provenance(row)
    for kind, name in FIELDS.items():
        if name == "consent" and not said["subject"]:
            continue
        if not said[name]:
            yield Hit(kind, row.number)
        elif name == "consent" and said[name].casefold() in REFUSED:
            yield Hit(kind, row.number, note="it says that consent was not given")


@dataclass(frozen=True)
class Summary:
    """How rows are spread over where they come from; what is missing is counted under the empty text.

    Attributes:
        rows: how many there are.
        subjects: distinct people; unnamed: rows that name none.
        first, last: the earliest and the latest day of collection, YYYY-MM-DD; empty where none is known.
    """

    rows: int
    licences: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    consents: Mapping[str, int] = field(default_factory=dict)
    subjects: int = 0
    unnamed: int = 0
    first: str = ""
    last: str = ""


def summary(rows: Iterable[Row]) -> Summary:
    """Count rows per licence, source and consent, most frequent first, and the people and days that they span."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("licence", "source", "consent")}
    people: set[str] = set()
    days: list[str] = []
    total = unnamed = 0
    for row in rows:
        said = _provenance(row)
        total += 1
        for name, counter in counts.items():
            counter[said[name]] += 1
        people.add(said["subject"])
        unnamed += not said["subject"]
        days += [said["collected_at"][:10]] if said["collected_at"] else []
    return Summary(
        total,
        dict(counts["licence"].most_common()),
        dict(counts["source"].most_common()),
        dict(counts["consent"].most_common()),
        subjects=len(people - {""}),
        unnamed=unnamed,
        first=min(days, default=""),
        last=max(days, default=""),
    )


def _provenance(row: Row) -> dict[str, str]:
    """Each field as training reads it; of a row with a broken shape, as its columns have it."""
    if row.example is not None:
        return {name: str(getattr(row.example, name)) for name in COLUMNS}
    return {name: _cell(row.raw, columns) for name, columns in COLUMNS.items()}


def _cell(raw: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    value = next((raw[name] for name in columns if raw.get(name) is not None), "")
    return str(value).strip()
