"""The verb export: a run's stack as files that other programs load, compared with it first."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Annotated, get_args

import typer

from trimtab.cli import progress, show, using
from trimtab.errors import UserError
from trimtab.export.making import Exported
from trimtab.export.making import export as make
from trimtab.export.wanted import FORMS, PROMPTS, Kind, Wanted

KEYS = ("form", "type", "prompts", "within", "unproven")
BLOCKED = show.OUTCOMES["hold"]

app = typer.Typer(rich_markup_mode=None)


@app.command()
def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run whose stack is exported.")],
    *,
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help=f"How: {', '.join(KEYS)}; repeatable."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder to make; else exports/FORM-TYPE in that of RUN."),
    ] = None,
    as_json: show.Json = False,
) -> int:
    """Export a tuned model for other programs, compared with it first.

    --use form=merged: a transformers folder with the stack in its weights (the usual form); form=peft: the adapter,
    as PEFT loads it over the base model; form=gguf: one file for llama.cpp. type=f32, bf16, f16, and q8_0 for GGUF: the
    kind of number. What no weight can hold (words around a question, rules, settings) is written into trimtab.json and
    told.

    The files are read again by transformers or PEFT and compared with the stack on prompts of select (prompts=16):
    tokens, log-probabilities, greedy answers; parity.json has the figures. Where they differ by more than the kind of
    number explains (within=0.05 sets the largest difference of a log-probability), nothing is handed over, and the
    exit code is 10. --use unproven=yes exports a run whose verdict is not ship.
    """
    said = using.pairs(use or [], KEYS)
    wanted = _wanted(said)
    unproven = using.yes(said, "unproven")
    within = _within(said)
    with progress.live(as_json=as_json) as report:
        found = make(run, wanted, out=out, unproven=unproven, within=within, report=report)
    if as_json:
        show.document(_document(found))
    else:
        _told(found)
    return 0 if found.parity.held else BLOCKED


def _wanted(said: dict[str, list[str]]) -> Wanted:
    form = using.choice(said, "form", FORMS, FORMS[0])
    kind = using.choice(said, "type", get_args(Kind), "")
    prompts = using.number(said, "prompts") or PROMPTS
    return Wanted(form, kind, prompts)  # type: ignore[arg-type]


def _within(said: dict[str, list[str]]) -> float | None:
    if "within" not in said:
        return None
    text = said["within"][-1]
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UserError(f"--use within={text}: expected a number of nats from 0", "such as within=0.01")
    return value


def _document(found: Exported) -> dict[str, object]:
    return {
        "written": str(found.folder) if found.parity.held else None,
        "parity": dataclasses.asdict(found.parity) | {"held": found.parity.held},
        "files": found.files,
        "bytes": found.bytes,
        "seconds": found.seconds,
        **found.told,
    }


def _told(found: Exported) -> None:
    one, told = found.parity, found.told
    show.facts(
        [
            ("Form", f"{told['form']}, {told['type']}, {found.bytes / 2**20:,.1f} MiB"),
            (
                "In weights",
                ", ".join(f"{part['kind']} {part['strength']:g}" for part in told["in_the_weights"]),
            ),
            ("Compared", f"{one.prompts} prompts of select, {one.tokens} tokens of answers"),
            ("Prompts", f"{_share(one.tokenised)} have the same tokens"),
            ("Likeliest", f"{_share(one.agreement)} of tokens, at least {_share(one.limits.agreement)}"),
            (
                "Nats apart",
                f"{one.largest:.2g} at most, {one.mean:.2g} on average; "
                f"allowed {one.limits.largest:g} and {one.limits.mean:g}",
            ),
            ("Answers", f"the same greedy answers: {one.answers}"),
        ]
    )
    for text in told["warnings"]:
        show.line(show.wrapped(text, indent="  ", first="- "))
    if one.held:
        show.line(f"Written: {found.folder}")
        return
    show.line("Blocked, nothing was handed over:")
    for text in one.failures:
        show.line(show.wrapped(text, indent="  ", first="- "))


def _share(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.2%}"
