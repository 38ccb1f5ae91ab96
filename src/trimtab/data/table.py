"""Rows with their places, and what could not be read: what every file format is turned into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Line(NamedTuple):
    """A line of a text file, counted from 1; `problem` says why it has no text."""

    number: int
    text: str
    problem: str = ""


class Record(NamedTuple):
    """A row as it comes from a source: the line it begins on (or its count from 1), and its values or what is wrong."""

    number: int
    row: dict[str, Any] | None
    problem: str = ""


@dataclass(slots=True)
class Stream:
    """Records of a source, read as they are asked for; `done` of `total` is how far, in bytes or rows."""

    name: str
    records: Iterator[Record]
    done: float = 0.0
    total: float = 0.0

    def __iter__(self) -> Iterator[Record]:
        return self.records


@dataclass(slots=True)
class Table:
    """Rows with their line numbers (row numbers where a file has no lines), and what could not be read."""

    name: str
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def place(self, number: int) -> str:
        """Where a row stands, as messages name it: file and line."""
        return place(self.name, number)


def place(name: str, number: int) -> str:
    """Where a row stands, as messages name it: file and line."""
    return f"{name}:{number}"


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
