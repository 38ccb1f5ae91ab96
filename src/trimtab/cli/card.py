"""The verb card: a data card for people and one for machines, filled from an audit."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Annotated

import typer

from trimtab.audit import card as cards
from trimtab.audit import fixing
from trimtab.audit.card import words
from trimtab.cli import audit as auditing
from trimtab.cli import progress, show, using
from trimtab.errors import UserError

app = typer.Typer(rich_markup_mode=None)
DECLARED = tuple(field.name for field in dataclasses.fields(cards.Declared))


@app.command()
def card(
    source: Annotated[str, typer.Argument(metavar="DATA", help="File of rows, or folder of texts.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder to write into; else that of DATA.")
    ] = None,
    against: using.Against = None,
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help="What no column says, or a key of audit."),
    ] = None,
    as_json: show.Json = False,
) -> int:
    """Write a data card: for the Hugging Face Hub, and as Croissant.

    README.md and croissant.json are filled from an audit of DATA, and stand beside it. What is not known is shown
    as not known, with the column or the key that says it. --use takes name, description, licence, creator, uses,
    url, version, published, citation, and the keys of `trimtab audit`. A README.md that somebody else wrote, or
    changed, is never written over.
    """
    given = use or []
    said = using.pairs(given, (*DECLARED, *auditing.KEYS), auditing.COLUMNS)
    declared = cards.Declared(**{key: values[-1] for key, values in said.items() if key in DECLARED})
    rest = [pair for pair in given if pair.partition("=")[0].strip() not in DECLARED]
    wish = auditing.wanted(rest, against or [])
    if wish != auditing.Wanted(wish.asked, fixing.rules(), wish.hiding, ""):
        raise UserError("--use on=..., off=... and pairs=... are for trimtab audit", "give them to that verb")
    asked = wish.asked
    path = Path(source)
    folder = out or (path if path.is_dir() else path.parent)
    with progress.live(as_json=as_json) as report:
        found = cards.facts(
            source, asked, declared, command=_command(source, against or [], given), report=report
        )
    readme, croissant = cards.write(found, folder)
    lacking = words.missing(found)
    if as_json:
        show.document(
            {"written": [str(readme), str(croissant)], "sha256": found.sha256, "not_known": lacking}
        )
        return 0
    show.line(f"Written: {readme}\nWritten: {croissant}")
    if lacking:
        show.line(show.wrapped(", ".join(lacking), indent="  ", first="Not known: "))
    if folder.resolve() != (path if path.is_dir() else path.parent).resolve():
        show.line(show.wrapped(f"Put {path.name} beside them: that is where they look for it."))
    return 0


def _command(source: str, against: list[str], use: list[str]) -> str:
    """What writes the card again beside the data; folders of whoever wrote it are nobody's business."""
    parts = [
        "trimtab",
        "card",
        Path(source).name,
        *(part for path in against for part in ("--against", Path(path).name)),
    ]
    return shlex.join([*parts, *(part for pair in use for part in ("--use", pair))])
