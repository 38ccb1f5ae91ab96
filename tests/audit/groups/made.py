"""Rows that speak of groups of people, and their count."""

from __future__ import annotations

from collections.abc import Iterable

from tests.audit.made import read
from trimtab.audit.findings import Row
from trimtab.audit.groups import Groups


def counted(rows: Iterable[Row]) -> Groups:
    """The count of some rows."""
    found = Groups()
    for row in rows:
        found.add(row)
    return found


def answers(*texts: str) -> Groups:
    """The count of rows with these answers."""
    return counted(read(*(("Tell me.", text) for text in texts)))
