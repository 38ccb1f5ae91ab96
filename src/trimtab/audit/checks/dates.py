"""Rows that are older than wanted, by a date that they carry."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.audit.findings import Hit, Row
from trimtab.language.dates import date_spans

# Fields with the date of a row, the one that says most about its content first.
FIELDS = (
    "updated_at",
    "updated",
    "date",
    "collected_at",
    "created_at",
    "created",
    "published",
    "timestamp",
    "time",
)
_LONGEST = 40
# Seconds from 2000 to 2100, and the same in milliseconds.
_SECONDS = (946_684_800.0, 4_102_444_800.0)


@dataclass(frozen=True, slots=True)
class Stale:
    """`stale`: a row whose date is earlier than a day.

    Attributes:
        before: the day, as 2024-01-31.
        fields: where a date is looked for, in this order; the first that holds one counts.
    """

    before: datetime.date
    fields: tuple[str, ...] = FIELDS

    def __call__(self, row: Row) -> Iterator[Hit]:
        """A hit where the row's date is earlier."""
        day = dated(row.raw, self.fields)
        if day and day < self.before:
            yield Hit("stale", row.number, note=f"of {day.isoformat()}, before {self.before.isoformat()}")


def dated(raw: Mapping[str, Any], fields: tuple[str, ...] = FIELDS) -> datetime.date | None:
    """The date of a row: the first of some fields that holds one; None where none does."""
    names = {name.lower(): name for name in raw}
    return next((day for field in fields if field in names and (day := read(raw[names[field]]))), None)


def of_row(row: Row) -> datetime.date | None:
    """The date of a row, by its fields, else the day on which it was collected; None where it has neither."""
    day = dated(row.raw)
    return day or (read(row.example.collected_at) if row.example and row.example.collected_at else None)


def read(value: Any) -> datetime.date | None:
    """A date from ISO 8601, seconds or milliseconds since 1970, or a date in words; None from anything else.

    Where day and month could be either way round, the later date counts, which accuses nobody wrongly of being old.
    """
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()[:_LONGEST]
    try:
        return datetime.date.fromisoformat(text[:10])
    except ValueError:
        return _counted(text) or _written(text)


def _counted(text: str) -> datetime.date | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    for scale in (1.0, 1000.0):
        if _SECONDS[0] <= seconds / scale <= _SECONDS[1]:
            return datetime.datetime.fromtimestamp(seconds / scale, datetime.UTC).date()
    return None


def _written(text: str) -> datetime.date | None:
    found = [date for readings, _ in date_spans(text)[:1] for date in readings]
    days = []
    for date in found:
        try:
            days.append(datetime.date(date.year or 0, date.month or 12, date.day or 28))
        except ValueError:
            continue
    return max(days, default=None)
