"""The verb audit: what is wrong with data, before a model learns it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from trimtab import audit as audits
from trimtab.audit import examples, page
from trimtab.audit.kinds import KINDS
from trimtab.cli import progress, show
from trimtab.errors import DataError, UserError

app = typer.Typer(rich_markup_mode=None)
_HANG = "    "


@app.command()
def audit(
    source: Annotated[
        str, typer.Argument(metavar="DATA", help="File of rows, folder of texts, or hub:<dataset>.")
    ],
    *,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page too.")
    ] = None,
    against: Annotated[
        str, typer.Option("--against", metavar="FILE", help="Rows that must not be among these.")
    ] = "",
    columns: Annotated[
        str, typer.Option("--columns", metavar="NAMES", help="Such as prompt=question,completion=reply.")
    ] = "",
    language: Annotated[
        str, typer.Option("--language", metavar="CODE", help="Language of the rows, such as en.")
    ] = "",
    guidelines: Annotated[
        str, typer.Option("--guidelines", metavar="FILE", help="Content rules that answers must keep.")
    ] = "",
    names: Annotated[bool, typer.Option("--names", help="Look for names of people too; slow.")] = False,
    as_json: show.Json = False,
) -> int:
    """Say what is wrong with data, before a model learns it.

    Nothing is changed. Rows are counted from 0. What is personal or secret is masked. A finding is no failure: the
    exit code is 0.
    """
    asked = audits.Asked(
        columns=_columns(columns),
        language=language,
        guidelines=guidelines,
        against=against,
        names=names,
    )
    with progress.live(as_json=as_json) as report:
        found = audits.audit(source, asked, report=report)
    shown: Mapping[str, tuple[examples.Shown, ...]] = {}
    if html or not as_json:
        shown = examples.examples(source, asked.columns, found.findings)
    if html:
        _write(html, page.page(found, shown))
    if as_json:
        show.document(audits.as_json(found))
    else:
        _print(found, shown)
        if html:
            show.line(f"Page: {html}")
    return 0


def _columns(text: str) -> dict[str, str]:
    found = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        usual, sign, own = (part.strip() for part in pair.partition("="))
        if not (usual and sign and own):
            raise UserError(
                f"--columns: expected names such as prompt=question, received {pair!r}",
                "write --columns prompt=question,completion=reply",
            )
        found[usual] = own
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}", "name another file") from None


def _print(found: audits.Audit, shown: Mapping[str, tuple[examples.Shown, ...]]) -> None:
    count = f"{found.rows:,} rows, {found.shape}, {progress.span(found.seconds)}"
    show.line(show.wrapped(f"{found.source}: {count}"))
    if not found.findings:
        show.line("\nNothing was found.")
    for one in found.findings:
        kind = KINDS[one.kind]
        show.line()
        head = f"{kind.title}: {page.extent(one, found.rows)}"
        show.line(show.wrapped(head, indent=_HANG, first=f"{one.severity.upper()}  "))
        show.line(f"{_HANG}{one.kind}")
        for example in shown.get(one.kind, ()):
            for row, text in zip(example.rows, example.excerpts, strict=True):
                note = f" ({example.note})" if example.note and row == example.rows[0] else ""
                show.line(_cut(f"{_HANG}row {row}{note}: {text}"))
        show.line(show.wrapped(kind.harm, indent=_HANG + "      ", first=f"{_HANG}Harm: "))
        show.line(show.wrapped(kind.remedy, indent=_HANG + "     ", first=f"{_HANG}Fix: "))
    if found.not_looked_at:
        show.line("\nNot looked at:")
        for text in found.not_looked_at:
            show.line(show.wrapped(text, indent="    ", first="  - "))


def _cut(text: str) -> str:
    return text if len(text) <= show.WIDTH else text[: show.WIDTH - 1] + "…"
