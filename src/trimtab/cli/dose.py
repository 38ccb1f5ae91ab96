"""The verb dose: how much of an adjustment is enough, and how much is too much."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from trimtab import dosing
from trimtab.cli import progress, show, using
from trimtab.errors import UserError

app = typer.Typer(rich_markup_mode=None)


@app.command()
def dose(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run's folder; or a recipe, which is explored first if need be."
        ),
    ],
    *,
    strengths: Annotated[
        str, typer.Option("--strengths", metavar="LIST", help="Strengths to try; 0 and 1 are added.")
    ] = "0,0.25,0.5,0.75,1,1.25,1.5,2",
    stack: Annotated[
        str, typer.Option("--stack", metavar="HASH", help="A stack of the run; the verdict's else.")
    ] = "",
    runs: using.Runs = Path("runs"),
    as_json: show.Json = False,
    lines: using.Lines = False,
) -> int:
    """Measure less and more of an adjustment: gain and harm by strength.

    It names the smallest strength that gains enough and the first that harms, on select, and adds them to the run's
    report. No look at confirm is taken.
    """
    with progress.live(as_json=as_json, wanted=lines) as report:
        found = dosing.study(source, root=runs, stack=stack, strengths=_parsed(strengths), report=report)
    if as_json:
        show.document(found)
    else:
        _print(found)
    return 0


def _parsed(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UserError(f"--strengths {text}: not a list of numbers", "such as 0.5,1,1.5") from None


def _print(found: dict[str, Any]) -> None:
    rows = []
    for entry in found["doses"]:
        lost = [g["suite"] for g in entry["guards"] if g["comparison"]["outcome"] == "breached"]
        gain = "base model" if entry["strength"] == 0 else show.interval(entry["target"]["difference"])
        held = sum(g["by_construction"] or g["comparison"]["outcome"] == "held" for g in entry["guards"])
        guards = f"{held} of {len(entry['guards'])} held" + (f", {len(lost)} breached" if lost else "")
        rows.append(
            [
                f"{entry['strength']:g}",
                gain,
                "" if entry["strength"] == 0 else entry["target"]["outcome"],
                guards,
            ]
        )
    show.table(["strength", "gain on select", "outcome", "guards"], rows)
    show.line()
    show.facts(
        [
            ("Smallest effective", _named(found["smallest_effective"], "none is shown to gain enough")),
            ("First harmful", _named(found["first_harmful"], "none is shown to harm")),
            ("Level", f"{found['level']:.4g}: all strengths of one curve hold together at 95%"),
        ]
    )
    for finding in found["findings"]:
        kind = {"over": "too much", "under": "too little"}[finding["kind"]]
        text = (
            f"{kind}, {finding['name']} at {finding['strength']:g}: {finding['said']}. {finding['remedy']}."
        )
        show.line(show.wrapped(text, indent="  ", first="- "))
    show.line(show.wrapped(found["limits"] + ".", indent="  ", first="- "))


def _named(strength: float | None, none: str) -> str:
    return none if strength is None else f"{strength:g}"
