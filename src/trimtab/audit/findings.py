"""The values of an audit: a row as it stands in the file, a hit in it, and a finding over all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from trimtab.records import Example

Severity = Literal["error", "warning", "note"]
Side = Literal["prompt", "answer", "other"]


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a row.

    Attributes:
        field: its name in the file, with places in lists: `completion`, `references[1]`, `messages[2].content`.
        side: whether a model reads it, learns to write it, or neither.
    """

    field: str
    text: str
    side: Side


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a source.

    Attributes:
        number: from 0, counted over all rows of the source, those that cannot be read included.
        place: file and line, as messages name it.
        raw: as the file has it; empty where it cannot be read.
        example: what training would make of it; None where its shape is broken.
        problem: why it is broken, else empty.
        texts: every text of it, in the order of its fields.
    """

    number: int
    place: str
    raw: Mapping[str, Any]
    texts: tuple[Text, ...] = ()
    example: Example | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a text something stands: characters start..end of a field of a row; `type` says what it is."""

    row: int
    field: str
    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found in one row by a check that needs no other row. `note` may be shown: no personal data in it."""

    kind: str
    row: int
    span: Span | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault, over all rows.

    Attributes:
        kind: its name in `audit/kinds.py`, which also has its severity, what it does to a fine-tune, and the fix.
        rows: every row concerned, 0-based, ascending, each once.
        spans: where in them, for faults inside a text.
        groups: rows that belong together, such as copies of each other: shown side by side, not chained blindly.
        detail: figures of this kind, JSON values.
    """

    kind: str
    severity: Severity
    rows: tuple[int, ...]
    spans: tuple[Span, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    notes: Mapping[int, str] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Rows concerned."""
        return len(self.rows)


# A check that needs no other row; run in worker processes, so that a module function or a picklable object is given.
RowCheck = Callable[[Row], Iterator[Hit]]
Rows = Sequence[Row]
