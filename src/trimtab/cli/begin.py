"""The verbs that come first: init, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import trimtab
from trimtab import starter
from trimtab.cli import health, progress, show, using
from trimtab.data.files import KNOWN
from trimtab.errors import MissingPart, UserError

app = typer.Typer(rich_markup_mode=None)


@app.command()
def init(
    source: Annotated[
        str, typer.Argument(metavar="[FILE]", help="Your CSV or JSONL; or a name for a new folder.")
    ] = "",
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Folder to write into.")] = None,
    goal: Annotated[str, typer.Option("--goal", metavar="METRIC", help="What to improve; else chosen.")] = "",
    prompt: Annotated[str, typer.Option("--prompt", metavar="COLUMN", help="Column of the prompt.")] = "",
    answer: Annotated[str, typer.Option("--answer", metavar="COLUMN", help="Column of the answer.")] = "",
    instruction: Annotated[
        str, typer.Option("--instruction", metavar="TEXT", help="Text put before each prompt.")
    ] = "",
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help="model, documents, guidelines or minutes=measured."),
    ] = None,
    as_json: show.Json = False,
) -> int:
    """Write a recipe: from nothing, or from your own CSV or JSONL.

    With a file, every option is chosen from its rows, with the reason beside it. The recipe runs as it is.
    --use may be given several times: model=NAME, documents=PATH and guidelines=PATH; a folder docs and a file
    guidelines.yaml beside FILE are found. minutes=measured loads the model, and budgets what its plan takes here.
    """
    beside, measure = _used(use or [])
    columns = {usual: own for usual, own in (("prompt", prompt), ("completion", answer)) if own}
    if _is_file(source):
        folder = out or Path(Path(source).name.partition(".")[0] or "trimtab")
        started = starter.from_file(
            Path(source), folder, columns=columns, goal=goal, instruction=instruction, beside=beside
        )
        if measure:
            started = _measured(started, as_json=as_json)
    elif measure:
        raise UserError("minutes=measured plans with rows of yours", "name the file first")
    elif columns or instruction:
        raise UserError(
            "--prompt, --answer and --instruction are about a file of yours", "name the file first"
        )
    else:
        started = starter.from_nothing(out or Path(source or "my-recipe"), goal=goal, beside=beside)
    if as_json:
        decisions = [{"option": d.option, "value": d.value, "reason": d.reason} for d in started.decisions]
        show.document(
            {
                "recipe": str(started.recipe),
                "decisions": decisions,
                "notes": started.notes,
                "shape": started.shape,
            }
        )
    else:
        _print_started(started)
    return 0


def _used(given: list[str]) -> tuple[starter.Beside, bool]:
    """What a user has beside the rows, and whether the budget shall be measured."""
    forms = "give model=NAME, documents=PATH, guidelines=PATH or minutes=measured"
    said = using.pairs(given, ("model", "documents", "guidelines", "minutes"), forms=forms)
    measured = using.choice(said, "minutes", ("measured",), "") == "measured"
    beside = {key: values[-1] for key, values in said.items() if key != "minutes"}
    return starter.Beside(**beside), measured


def _measured(started: starter.Started, *, as_json: bool) -> starter.Started:
    """The recipe with the budget that its plan asks for on this machine."""
    with progress.live(as_json=as_json) as report:
        content = trimtab.plan(started.recipe, report=report)
    return starter.with_minutes(started, content["minutes"])


def _is_file(source: str) -> bool:
    """Whether FILE names data, rather than a folder to make."""
    name = Path(source).name.lower().removesuffix(".gz")
    return bool(source) and (
        Path(source).is_file() or Path(name).suffix in KNOWN or source.startswith("hub:")
    )


def _print_started(started: starter.Started) -> None:
    if started.shape:
        columns = ", ".join(f"{usual} from {own}" for usual, own in started.shape.columns.items())
        show.line(
            show.wrapped(f"{started.shape.rows} rows, {started.shape.kind}: {columns}", indent="  ", first="")
        )
        show.line()
    for decision in started.decisions:
        show.line(
            show.wrapped(f"{decision.option}: {starter.as_yaml(decision.value)}", indent="    ", first="")
        )
        show.line(show.wrapped(decision.reason, indent="    "))
    show.line()
    for note in started.notes:
        show.line(show.wrapped(note, indent="  ", first="Note: "))
    show.line(f"Written: {started.recipe}")
    verb = "plan" if started.notes else "tune"
    show.line(f"Next:    trimtab {verb} {started.recipe}")


@app.command()
def doctor(*, as_json: show.Json = False) -> int:
    """Check the machine and the installation.

    The exit code is 3 if a part that local models need is missing.
    """
    checks = health.checks()
    missing = [check for check in checks if check.needed and not check.ok]
    if as_json:
        show.document({"ok": not missing, "checks": checks})
        return MissingPart.exit_code if missing else 0
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark = "ok     " if check.ok else "missing"
        hang = " " * (width + 11)
        show.line(show.wrapped(check.found, indent=hang, first=f"{mark}  {check.name:<{width}}  "))
        if check.next_step:
            show.line(show.wrapped(check.next_step, indent=hang, first=f"{hang}next: "))
    show.line()
    show.line(
        "Some parts are missing: see each next step above." if missing else "All is ready. Try: trimtab demo"
    )
    return MissingPart.exit_code if missing else 0
