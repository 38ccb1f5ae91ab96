"""Text and tables for Markdown, where most signs mean something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from trimtab.document.masking import mask, printable
from trimtab.document.sections import Cell, Section

# An underscore inside of a word is a letter to Markdown.
_SIGNS = re.compile(r"[\\`*|\[\]]|(?<!\w)_|_(?!\w)")
_FIRST = re.compile(r"\A[#+=~-]|(?<=\A\d)\.")


def safe(text: str) -> str:
    """A text for a cell or a line of Markdown: in one line, masked, without signs that mean something there."""
    plain = " ".join(printable(mask(text)).split())
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        plain = plain.replace(sign, name)
    return _FIRST.sub(r"\\\g<0>", _SIGNS.sub(r"\\\g<0>", plain))


def table(header: Sequence[str], cells: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """A table; the columns in `numbers` end flush right. Header and cells are Markdown already."""
    right = set(numbers)
    lines = [header, ["---:" if place in right else "---" for place in range(len(header))], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def section(one: Section) -> list[str]:
    """A part of a report, without its pictures: heading, paragraphs, tables."""
    tables = [
        f"**{safe(content.caption)}**\n\n"
        + table(
            [safe(name) for name in content.head],
            [[safe(_plain(cell)) for cell in cells] for cells in content.rows],
            numbers=range(1, len(content.head)),
        )
        for content in one.tables
    ]
    return [f"## {safe(one.title)}", *(safe(text) for text in one.said), *tables]


def _plain(cell: Cell) -> str:
    """What a cell shows, without the elements around it."""
    return cell.striptags() if isinstance(cell, Markup) else cell
