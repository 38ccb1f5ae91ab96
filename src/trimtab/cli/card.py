"""The verb card: of data, filled from an audit, or of a run's model, filled from its record."""

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
from trimtab.document import model_card
from trimtab.errors import UserError
from trimtab.run import RunFolder

app = typer.Typer(rich_markup_mode=None)
DECLARED = tuple(field.name for field in dataclasses.fields(cards.Declared))


@app.command()
def card(
    source: Annotated[
        str, typer.Argument(metavar="DATA|RUN", help="File of rows, folder of texts, or a run's folder.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder to write into; else that of DATA.")
    ] = None,
    against: using.Against = None,
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help="What no column or record says, or a key of audit."),
    ] = None,
    as_json: show.Json = False,
) -> int:
    """Write the card of data, or of a run's model, for the Hub.

    Of DATA: README.md (for the Hugging Face Hub) and croissant.json beside it, filled from an audit. --use takes
    name, description, licence, creator, uses, url, version, published, citation, and the keys of `trimtab audit`. A
    README.md that somebody else wrote, or changed, is never written over.

    Of RUN: card.md (the README.md of a model on the Hub) and card.html in its folder, from its record alone; a run
    whose verdict is not ship is no release, and its card says so. --use takes name, creator, uses, licence, language,
    base_model, base_licence, base_compute (floating-point operations) and benchmark=SUITE=OWNER/NAME:TASK, for a
    guard suite (or `target`) that is a benchmark of the Hub, whose results go to eval_results.yaml.

    What is not known is shown as not known, with what would say it.
    """
    if (Path(source) / "identity.json").is_file():
        if out is not None or against:
            raise UserError(
                "--out and --against are for the card of data", "leave them out: a card lies in its run"
            )
        return _of_run(source, use or [], as_json=as_json)
    return _of_data(source, out, against or [], use or [], as_json=as_json)


def _of_run(source: str, given: list[str], *, as_json: bool) -> int:
    said = using.pairs(given, tuple(field.name for field in dataclasses.fields(model_card.Declared)))
    many = tuple(said.pop("benchmark", ()))
    declared = model_card.Declared(**{key: values[-1] for key, values in said.items()}, benchmark=many)
    command = _command(Path(source).resolve().name, [], given)
    found = model_card.facts(RunFolder.open(source), declared, command=command)
    paths, lacking = model_card.write(found), found.missing()
    if as_json:
        told = {one.name: one.data for one in model_card.sections(found)}
        show.document(
            {
                "written": list(map(str, paths)),
                "released": found.released,
                "not_known": lacking,
                "sections": told,
            }
        )
        return 0
    show.line("\n".join(f"Written: {path}" for path in paths))
    if lacking:
        show.line(show.wrapped(", ".join(lacking), indent="  ", first="Not known: "))
    if warned := model_card.warning(found):
        show.line(show.wrapped(warned))
    return 0


def _of_data(source: str, out: Path | None, against: list[str], given: list[str], *, as_json: bool) -> int:
    said = using.pairs(given, (*DECLARED, *auditing.KEYS), auditing.COLUMNS)
    declared = cards.Declared(**{key: values[-1] for key, values in said.items() if key in DECLARED})
    rest = [pair for pair in given if pair.partition("=")[0].strip() not in DECLARED]
    wish = auditing.wanted(rest, against)
    if wish != auditing.Wanted(wish.asked, fixing.rules(), wish.hiding, ""):
        raise UserError("--use on=..., off=... and pairs=... are for trimtab audit", "give them to that verb")
    path = Path(source)
    folder = out or (path if path.is_dir() else path.parent)
    with progress.live(as_json=as_json) as report:
        found = cards.facts(
            source, wish.asked, declared, command=_command(source, against, given), report=report
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
    """What writes the card again beside its source; folders of whoever wrote it are nobody's business."""
    parts = [
        "trimtab",
        "card",
        Path(source).name,
        *(part for path in against for part in ("--against", Path(path).name)),
    ]
    return shlex.join([*parts, *(part for pair in use for part in ("--use", pair))])
