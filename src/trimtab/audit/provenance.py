"""Where rows come from: what of it is missing, row by row, and how often each licence, source and consent stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab.audit.features import digest
from trimtab.audit.findings import Finding, Hit, Row
from trimtab.audit.tallies import MANY
from trimtab.document.masking import mask
from trimtab.document.sections import Section, Table
from trimtab.language.text import shortened

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
_MOST, _SHOWN, _LONGEST = 10_000, 10, 50
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


@dataclass
class Origins:
    """How rows are spread over where they come from; what is missing is counted under the empty text.

    Attributes:
        rows: how many there are.
        counts: rows by value, for licence, source and consent; values beyond 10,000 are counted under `MANY`.
        people: distinct people, as hashes; unnamed: rows that name none.
        first, last: the earliest and the latest day of collection, YYYY-MM-DD; empty where none is known.
    """

    rows: int = 0
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ("licence", "source", "consent")}
    )
    people: set[int] = field(default_factory=set)
    unnamed: int = 0
    first: str = ""
    last: str = ""

    def add(self, row: Row) -> None:
        """Count a row."""
        said = _provenance(row)
        self.rows += 1
        for name, counter in self.counts.items():
            _count(counter, said[name], 1)
        if said["subject"]:
            self.people.add(digest(said["subject"]))
        else:
            self.unnamed += 1
        self._span(said["collected_at"][:10])

    def join(self, later: Origins) -> None:
        """Add the counts of the rows that follow."""
        self.rows += later.rows
        for name, counter in self.counts.items():
            for value, count in later.counts[name].items():
                _count(counter, value, count)
        self.people |= later.people
        self.unnamed += later.unnamed
        self._span(later.first)
        self._span(later.last)

    def _span(self, day: str) -> None:
        if day:
            self.first = min(self.first or day, day)
            self.last = max(self.last, day)

    def findings(self) -> Sequence[Finding]:
        """None: what is missing is found row by row."""
        return ()

    def sections(self) -> Sequence[Section]:
        """Rows by licence, source and consent; nothing where no row says any of it."""
        counts = {name: _masked(counter) for name, counter in self.counts.items()}
        said = {
            name: {value: count for value, count in counter.most_common() if value}
            for name, counter in counts.items()
        }
        if not any(said.values()) and not self.people and not self.first:
            return ()
        tables = tuple(
            Table(f"rows by {name}", (name, "rows"), _cells(counts[name]))
            for name, values in said.items()
            if values
        )
        named = self.rows - self.unnamed
        text = f"{people_are(len(self.people))} named by {named:,} of {self.rows:,} "
        text += f"row{'s' if self.rows != 1 else ''}; "
        text += (
            f"collected from {self.first} to {self.last}." if self.first else "no day of collection is known."
        )
        data = {**said, "subjects": len(self.people), "unnamed": self.unnamed}
        return (
            Section("origins", "Where the rows come from", (text,), tables, data | {"days": self._days()}),
        )

    def _days(self) -> list[str]:
        return [self.first, self.last] if self.first else []


def people_are(count: int) -> str:
    """How a sentence about so many people begins: 1 person is, 2 people are."""
    return f"{count:,} {'person is' if count == 1 else 'people are'}"


def _count(counter: Counter[str], value: str, count: int) -> None:
    counter[value if value in counter or len(counter) < _MOST else MANY] += count


def _masked(counter: Counter[str]) -> Counter[str]:
    """Counts by what may be shown of a value: two addresses are one and the same then."""
    found: Counter[str] = Counter()
    for value, count in counter.items():
        found[mask(value)] += count
    return found


def _cells(counter: Counter[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (shortened(value, _LONGEST) or "not said", f"{count:,}")
        for value, count in counter.most_common(_SHOWN)
    )


def _provenance(row: Row) -> dict[str, str]:
    """Each field as training reads it; of a row with a broken shape, as its columns have it."""
    if row.example is not None:
        return {name: str(getattr(row.example, name)) for name in COLUMNS}
    return {name: _cell(row.raw, columns) for name, columns in COLUMNS.items()}


def _cell(raw: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    value = next((raw[name] for name in columns if raw.get(name) is not None), "")
    return str(value).strip()
