"""The verb probe: why a model answers as it does, and what an adjustment moved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from trimtab.cli import progress, show, using
from trimtab.probe import probing
from trimtab.probe.parts import PARTS, WHYS, Wanted

app = typer.Typer(rich_markup_mode=None)
NUMBERS = ("prompts", "settings", "tokens", "items", "pairs")
KEYS = (*NUMBERS, "item", "why", "word", "tone")


@app.command()
def probe(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A run's folder; or a recipe, whose model is looked at before it is tuned."
        ),
    ],
    *,
    only: Annotated[
        str, typer.Option("--only", metavar="LIST", help=f"Parts to look at, of {', '.join(PARTS)}.")
    ] = "",
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help=f"How closely: {', '.join(KEYS)}; repeatable."),
    ] = None,
    stack: Annotated[
        str, typer.Option("--stack", metavar="HASH", help="A stack of the run, or base; the verdict's else.")
    ] = "",
    against: Annotated[
        str, typer.Option("--against", metavar="RUN", help="Another run, whose failures are compared.")
    ] = "",
    runs: using.Runs = Path("runs"),
    as_json: show.Json = False,
    lines: using.Lines = False,
) -> int:
    """See what answers depend on, and what an adjustment moved.

    Settings of decoding, parts of the prompt and blocks of the network that matter; how answers and states moved; where
    it fails, in kinds; what each trial gained and lost. On select alone: no look at confirm is taken. Each part is kept
    in the run folder when it is done, and shown in its report.

    --use prompts=30, settings=40, tokens=64: prompts, settings and longest answer of the study of decoding.
    --use items=12 or item=ID: whose prompts are attributed; why=answer, or why=base or why=reference to explain why the
    answer and not that one; word=WORD to explain a word of it, tone=WORDS its leaning to these. --use pairs=16: pairs
    of answers by which blocks are surveyed.
    """
    parts = [part.strip() for part in only.split(",") if part.strip()]
    with progress.live(as_json=as_json, wanted=lines) as report:
        found = probing.probe(
            source,
            root=runs,
            parts=parts,
            stack=stack,
            against=against,
            wanted=_wanted(use or []),
            report=report,
        )
    if as_json:
        show.document(_values(found))
    else:
        _print(found)
    return 0


def _wanted(given: list[str]) -> Wanted:
    said = using.pairs(given, KEYS)
    counts = {key: using.number(said, key) for key in NUMBERS if key in said}
    tone = tuple(word.strip() for text in said.get("tone", ()) for word in text.split(",") if word.strip())
    why: Any = using.choice(said, "why", WHYS, WHYS[0])
    return Wanted(
        **counts, why=why, tone=tone, item=said.get("item", [""])[-1], word=said.get("word", [""])[-1]
    )


def _values(found: probing.Probe) -> dict[str, Any]:
    head = {"run": str(found.folder), "stack": found.stack, "page": str(found.page)}
    return head | {name: one.data for name, one in found.sections.items()} | {"left_out": found.left_out}


def _print(found: probing.Probe) -> None:
    for number, section in enumerate(found.sections.values()):
        if number:
            show.line()
        show.section(section, closed=found.closed)
    if found.left_out:
        show.line("\nNot looked at:")
        for part, reason in found.left_out.items():
            show.line(show.wrapped(f"{part}: {reason}", indent="    ", first="  - "))
    show.line()
    show.facts([("Page", str(found.page))])
