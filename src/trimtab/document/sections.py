"""A part of a report: what it says, its tables, its pictures, and the figures behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from trimtab.document.pictures import Picture

Cell = str | Markup
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of cells as they are shown, masked; the first cell of a row names it.

    Attributes:
        quotes: whether cells hold texts of data or answers, which may offend.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    quotes: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report.

    Attributes:
        name: a word, its key in the JSON form.
        title: its heading.
        said: paragraphs, what tables and pictures mean and what was not looked at.
        tables: in at most 80 columns each where a terminal shows them.
        data: its figures, JSON values.
        pictures: what people would rather look at; every number in them stands in a table too.
    """

    name: str
    title: str
    said: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
