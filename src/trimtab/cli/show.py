"""What every verb prints with: plain text within 80 columns, one JSON document, tables, problems."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.records import plain

if TYPE_CHECKING:
    from rich.console import Console

    from trimtab.document.sections import Section

WIDTH = 80
# Exit codes of a verdict.
OUTCOMES = {"ship": 0, "hold": 10, "inconclusive": 11}
# Rows of a table that a terminal shows.
LONGEST = 12
COMMANDS = ("trimtab ", "pip ")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def line(text: str = "", *, to_error: bool = False) -> None:
    """Print text as it is, to standard output or standard error."""
    typer.echo(text, err=to_error)


def wrapped(text: str, *, indent: str = "", first: str | None = None) -> str:
    """Text in lines of at most 80 columns; line breaks stay, and a path or a command to copy is never cut.

    indent: before every line; first: before the first line instead.
    """
    start, lines = indent if first is None else first, []
    for paragraph in text.splitlines() or [""]:
        if paragraph.startswith(COMMANDS):
            lines.append(start + paragraph)
            start = indent
            continue
        hang = indent + ("  " if paragraph.startswith("- ") else "")
        lines += textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent=start,
            subsequent_indent=hang,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
        start = indent
    return "\n".join(lines)


def document(value: Any) -> None:
    """Print one JSON document; nan and infinities become null."""
    line(json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False))


def problem(message: str, hint: str) -> None:
    """Print one message and one hint to standard error."""
    line(wrapped(message, indent="  ", first="Error: "), to_error=True)
    if hint:
        line(wrapped(hint, indent="  ", first="Hint: "), to_error=True)


def facts(rows: Sequence[tuple[str, str]], *, indent: str = "") -> None:
    """Print names and values in two columns; a long value goes on below itself."""
    width = max((len(name) for name, _ in rows), default=0)
    hang = indent + " " * (width + 2)
    for name, value in rows:
        line(wrapped(value, indent=hang, first=f"{indent}{name:<{width}}  "))


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = (), indent: str = ""
) -> None:
    """Print rows in columns that are as wide as their longest cell; columns in `numbers` end flush right."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(cells[k]) for cells in lines) for k in range(len(header))]
    for cells in lines:
        padded = [
            f"{cell:>{width}}" if k in numbers else f"{cell:<{width}}"
            for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        line(indent + "  ".join(padded).rstrip())


def sheet(header: Sequence[str], rows: Sequence[Sequence[str]], *, indent: str = "") -> None:
    """Print a table, figures flush right; where it is wider than 80 columns, each row as a list of its cells."""
    widths = [max(len(cells[k]) for cells in [header, *rows]) for k in range(len(header))]
    if len(indent) + sum(widths) + 2 * (len(widths) - 1) <= WIDTH:
        table(header, rows, numbers=range(1, len(header)), indent=indent)
        return
    for cells in rows:
        line(wrapped(cells[0], indent=indent + "  ", first=f"{indent}- "))
        facts(list(zip(header[1:], cells[1:], strict=True)), indent=indent + "  ")


def section(content: Section, *, closed: bool = False) -> None:
    """Print a part of a report: what it says, then its tables; closed: texts that may offend stay on the page."""
    line(content.title)
    for text in content.said:
        line(wrapped(text, indent="  "))
    for one in content.tables:
        line()
        if len(one.rows) > LONGEST or (closed and one.quotes):
            why = "texts that may offend" if closed and one.quotes else f"{len(one.rows)} rows"
            line(wrapped(f"{one.caption}: {why}, see the page.", indent="  "))
            continue
        line(wrapped(f"{one.caption}:", indent="  "))
        sheet(one.head, [[str(cell) for cell in row] for row in one.rows], indent="  ")


def console(*, to_error: bool = False) -> Console:
    """A terminal of at most 80 columns for coloured text; NO_COLOR and TERM=dumb are heeded."""
    from rich.console import Console

    terminal = Console(stderr=to_error, highlight=False, markup=False, emoji=False)
    terminal.width = min(terminal.width, WIDTH)
    return terminal


def number(value: float | None) -> str:
    """A number in four significant digits; a missing one is a dash."""
    return "-" if value is None or value != value else f"{value:.4g}"


def interval(estimate: dict[str, Any]) -> str:
    """An estimate in its JSON form as `value [low, high]`, or why it is undefined."""
    if estimate["undefined"]:
        return f"undefined: {estimate['undefined']}"
    value, low, high = (number(estimate[key]) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
