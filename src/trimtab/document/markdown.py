"""Text and tables for Markdown, where most signs mean something."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from trimtab.document.masking import mask, printable
from trimtab.document.sections import Cell, Section, Table

# An underscore inside of a word is a letter to Markdown.
_SIGNS = re.compile(r"[\\`*|\[\]]|(?<!\w)_|_(?!\w)")
_NUMBER = re.compile(r"[<>]? ?[+−-]?\d|–$|$")
_FIRST = re.compile(r"\A[#+=~-]|(?<=\A\d)\.")


def safe(text: str) -> str:
    """A text for a cell or a line of Markdown: in one line, masked, without signs that mean something there."""
    return escaped(mask(text))


def escaped(text: str) -> str:
    """The same of a text that is masked already, or that holds figures and names of the record alone."""
    plain = " ".join(printable(text).split())
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        plain = plain.replace(sign, name)
    return _FIRST.sub(r"\\\g<0>", _SIGNS.sub(r"\\\g<0>", plain))


def table(header: Sequence[str], cells: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """A table; the columns in `numbers` end flush right. Header and cells are Markdown already."""
    right = set(numbers)
    lines = [header, ["---:" if place in right else "---" for place in range(len(header))], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def section(one: Section, write: Callable[[str], str] = safe) -> list[str]:
    """A part of a report, without its pictures: heading, paragraphs, tables; columns of figures end flush right.

    write: what becomes of a text; `escaped` where all of them are masked already.
    """
    tables = [
        f"**{write(content.caption)}**\n\n"
        + table(
            [write(name) for name in content.head],
            [[write(_plain(cell)) for cell in cells] for cells in content.rows],
            numbers=[place for place in range(1, len(content.head)) if _figures(content, place)],
        )
        for content in one.tables
    ]
    return [f"## {write(one.title)}", *(write(text) for text in one.said), *tables]


def _plain(cell: Cell) -> str:
    """What a cell shows, without the elements around it."""
    return Markup(str(cell).replace("<small>", " <small>")).striptags() if isinstance(cell, Markup) else cell


def _figures(content: Table, place: int) -> bool:
    """Whether every cell of a column begins as a number does."""
    return all(_NUMBER.match(_plain(cells[place])) for cells in content.rows)
