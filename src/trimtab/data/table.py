"""Rows with their places, and what could not be read: what every file format is turned into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Table:
    """Rows with their line numbers (row numbers where a file has no lines), and what could not be read."""

    name: str
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def place(self, number: int) -> str:
        """Where a row stands, as messages name it: file and line."""
        return f"{self.name}:{number}"


def kind_of(value: Any) -> str:
    """What a value is, in words of the file rather than of Python."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "text"),
        ((int, float), "a number"),
        (dict, "an object"),
        (list, "a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__name__)
