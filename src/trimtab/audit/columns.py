"""Which columns a set has: how many rows fill each of them, with what, and how rows are spread over the parts."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab.audit.features import PARTS
from trimtab.audit.findings import Finding, Row
from trimtab.audit.tallies import MANY
from trimtab.document.masking import mask, printable
from trimtab.document.sections import Section, Table
from trimtab.language.text import shortened

NAME = "columns"
# Columns beyond so many, whose names may be data themselves, such as one for each user, are counted together.
_MOST, _WIDEST = 200, 30
_INSIDE = 20
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


@dataclass
class Columns:
    """Counts of what stands in each column.

    Attributes:
        kinds: rows by what a column holds in them, by column, in the order in which columns come.
        inside: names inside of the objects that a column holds, alone or in a list, by column.
        parts: rows by the part that they say they belong to; empty: they say none.
    """

    rows: int = 0
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    inside: dict[str, Counter[str]] = field(default_factory=dict)
    parts: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count a row."""
        self.rows += 1
        part = row.example.fields.get("part", "") if row.example else str(row.raw.get("part") or "")
        self.parts[part if part in PARTS else ""] += 1
        for column, value in row.raw.items():
            kind = kind_of(value)
            if kind:
                self._count(self.kinds, column, kind, 1)
            for name in _names(value):
                self._count(self.inside, column, name, 1)

    def join(self, later: Columns) -> None:
        """Add the counts of the rows that follow."""
        self.rows += later.rows
        self.parts.update(later.parts)
        for mine, others in ((self.kinds, later.kinds), (self.inside, later.inside)):
            for column, counter in others.items():
                for kind, count in counter.items():
                    self._count(mine, column, kind, count)

    def _count(self, found: dict[str, Counter[str]], column: str, kind: str, count: int) -> None:
        name = column if column in found or len(found) < _MOST else MANY
        counter = found.setdefault(name, Counter())
        if kind in counter or len(counter) < _INSIDE:
            counter[kind] += count

    def findings(self) -> Sequence[Finding]:
        """None: rows that differ in their columns are found row by row."""
        return ()

    def sections(self) -> Sequence[Section]:
        """Rows by column, and by part where rows say one; nothing where no row can be read."""
        if not self.kinds:
            return ()
        cells = tuple((_headed(column, kinds), f"{kinds.total():,}") for column, kinds in self.kinds.items())
        tables = [Table("rows that fill a column", ("column and what it holds", "rows"), cells)]
        parts = {name: self.parts[name] for name in PARTS if name and self.parts[name]}
        if parts:
            shown = {**parts, **({"no part": self.parts[""]} if self.parts[""] else {})}
            tables.append(
                Table("rows by part", ("part", "rows"), tuple((k, f"{n:,}") for k, n in shown.items()))
            )
        data = {
            "columns": {name: dict(counter.most_common()) for name, counter in self.kinds.items()},
            "inside": {name: list(counter) for name, counter in self.inside.items()},
            "parts": parts,
        }
        return (Section(NAME, "What the columns hold", (), tuple(tables), data),)


def _headed(column: str, kinds: Counter[str]) -> str:
    """A column's name and what it mostly holds."""
    return f"{shortened(mask(printable(column)), _WIDEST)}: {' or '.join(kind for kind, _ in kinds.most_common(2))}"


def kind_of(value: Any) -> str:
    """What a cell holds, in one word or few; empty for nothing and for blank text."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    if isinstance(value, str):
        return "date" if len(value) < 40 and _DATE.fullmatch(value.strip()) else "text"
    if isinstance(value, list):
        inside = {kind_of(item) for item in value[:_INSIDE]} - {""}
        return f"list of {_PLURAL.get(next(iter(inside)), 'lists')}" if len(inside) == 1 else "list"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (int, "whole number"),
        (float, "number"),
        (Mapping, "object"),
        ((datetime.date, datetime.datetime), "date"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)


_PLURAL = {
    "text": "texts",
    "date": "dates",
    "whole number": "whole numbers",
    "number": "numbers",
    "object": "objects",
    "true or false": "true or false",
}


def _names(value: Any) -> Sequence[str]:
    if isinstance(value, Mapping):
        return tuple(map(str, value))
    if isinstance(value, list):
        return tuple(
            {str(name): None for item in value[:_INSIDE] if isinstance(item, Mapping) for name in item}
        )
    return ()
