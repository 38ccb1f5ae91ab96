"""The verb erase: a person's rows, what was kept of them, and what learned from them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from trimtab import erasure
from trimtab.cli import show
from trimtab.erasure.proof import changed
from trimtab.erasure.search import FOLDER

app = typer.Typer(rich_markup_mode=None)
SHOWN = 40


class Adapters(StrEnum):
    """What becomes of adjustments that learned from the person."""

    taint = "taint"
    delete = "delete"


class Retrain(StrEnum):
    """Whether their runs are listed to be trained again."""

    queue = "queue"
    no = "no"


@app.command()
def erase(
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="The person's pseudonym, as data has it.")
    ],
    *,
    project: Annotated[
        Path, typer.Option("--project", metavar="FOLDER", help="Folder with data, recipes and runs.")
    ] = Path(),
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="FILE", help="A data file that lies elsewhere; may be repeated."),
    ] = None,
    column: Annotated[
        str, typer.Option("--column", metavar="NAME", help="Column of subjects, if not called subject.")
    ] = "",
    adapters: Annotated[
        Adapters, typer.Option("--adapters", help="Adjustments that learned from the rows: mark or delete.")
    ] = Adapters.taint,
    retrain: Annotated[
        Retrain, typer.Option("--retrain", help="List their runs in retrain.json, or not.")
    ] = Retrain.queue,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
    ] = False,
    as_json: show.Json = False,
) -> int:
    """Remove a person's rows, and mark what learned from them.

    Rows go from data files, caches and run folders; adjustments that learned from them refuse to load from then on.
    A proof is written to the folder erasures. Given again after a break, it is completed. Weights are not unlearned:
    train again.
    """
    asked = erasure.Asked(
        subject, project, tuple(data or ()), column, adapters.value, retrain is Retrain.queue
    )
    found = erasure.erase(asked, dry_run=dry_run)
    if as_json:
        show.document(found)
    else:
        _print(found, project)
    return 0


def _print(found: dict[str, Any], project: Path) -> None:
    if found["state"] == "nothing left":
        show.line(f"Nothing is left of this subject. It was erased on {found['done'][:10]}.")
        show.line(f"Proof: {project / FOLDER / found['request']}.txt")
        return
    dry = found["state"] == "dry run"
    changes = found["attempts"][-1]["changes"]
    show.line("Would be changed:" if dry else "Changed:")
    for change in changes[:SHOWN]:
        show.line(f"  {changed(change)}")
    if len(changes) > SHOWN:
        show.line(f"  and {len(changes) - SHOWN} more")
    for run in found["runs"]:
        rows = ", ".join(f"{part} {count}" for part, count in run["rows"].items())
        text = f"{run['run']}: {rows} rows; tainted: {', '.join(run['tainted']) or 'none'}. {run['said']}"
        show.line(show.wrapped(text.rstrip(), indent="  ", first="Run "))
    for line in found["not_searched"]:
        show.line(show.wrapped(line, indent="  ", first="Not searched: "))
    if dry:
        show.line("\nNothing was changed.")
        return
    checked = found["checked"]
    show.line()
    show.line(f"Checked: {checked['files']} files; the texts are found in {len(checked['found'])}.")
    for path in checked["found"]:
        show.line(f"  {path}: holds them still; look at it yourself")
    for entry in found["retrain"]:
        show.line(f"Train again: trimtab tune {entry['recipe']}")
    show.line(f"Proof: {project / FOLDER / found['request']}.txt")
