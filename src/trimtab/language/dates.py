"""Dates in running English text, so that 5 March 2024 and 2024-03-05 are known to be one day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.language.text import Span

_NAMES = "january february march april may june july august september october november december"
_MONTHS = _NAMES.split()
_NAMED = "|".join(rf"{name[:3]}(?:{name[3:]})?" if name[3:] else name for name in _MONTHS) + "|sept"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?<![\w.,-]){_YEAR}-(?P<month>\d{{2}})-(?P<day>\d{{2}})(?![\w-])",
        rf"(?<![\w.,]){_DAY}(?:\s+of)?\s+(?P<month>{_NAMED})\.?(?:,?\s+{_YEAR})?(?!\w)",
        rf"(?<!\w)(?P<month>{_NAMED})\.?\s+(?:the\s+)?{_DAY}(?:,?\s+{_YEAR})?(?![\w.,]\d|\w)",
        rf"(?<!\w)(?P<month>{_NAMED})\.?,?\s+{_YEAR}(?!\w)",
        rf"(?<![\w.,/])(?P<first>\d{{1,2}})(?P<sign>[/.])(?P<second>\d{{1,2}})(?P=sign){_YEAR}(?![\w/])",
    )
]


@dataclass(frozen=True, slots=True)
class Date:
    """A day, or a part of one: None where the text does not say. Days and months are from 1."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def agrees(self, other: Date) -> bool:
        """Whether all that this date says is said by another."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(mine is None or mine == others for mine, others in pairs)


def date_spans(text: str) -> list[tuple[tuple[Date, ...], Span]]:
    """The dates of a text in order, each with where it begins and ends.

    A date of which day and month could be meant either way round (5/3/2024) is given both ways. What cannot be a
    date (31/31/2024) is none; a month alone and a year alone are none either.
    """
    found: list[tuple[tuple[Date, ...], Span]] = []
    taken = bytearray(len(text))
    for form in _FORMS:
        for match in form.finditer(text):
            dates = tuple(date for date in _read(match) if _possible(date))
            start, end = match.span()
            if dates and not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append((dates, (start, end)))
    return sorted(found, key=lambda pair: pair[1])


def stated(wanted: Sequence[Date], present: Sequence[Date]) -> bool:
    """Whether one of the readings of a date is among others."""
    return any(one.agrees(other) for one in wanted for other in present)


def _read(match: re.Match[str]) -> list[Date]:
    parts = match.groupdict()
    year = int(parts["year"]) if parts.get("year") else None
    if "first" in parts:
        one, two = int(parts["first"]), int(parts["second"])
        return [Date(year, two, one), Date(year, one, two)]
    month = parts["month"]
    number = int(month) if month.isdecimal() else _month(month)
    return [Date(year, number, int(parts["day"]) if parts.get("day") else None)]


def _month(name: str) -> int:
    return next(number for number, full in enumerate(_MONTHS, 1) if full.startswith(name.lower()[:3]))


def _possible(date: Date) -> bool:
    return 1 <= (date.month or 1) <= 12 and 1 <= (date.day or 1) <= 31
