"""The verbs that climb the ladder: demo, plan, tune."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import trimtab
from trimtab import document, rounds, starter
from trimtab.cli import progress, show, using
from trimtab.errors import UserError

app = typer.Typer(rich_markup_mode=None)
RecipeFile = Annotated[
    Path | None,
    typer.Argument(metavar="RECIPE", help="The recipe, such as recipe.yaml; with --from, that of RUN."),
]
After = Annotated[
    Path | None,
    typer.Option("--from", metavar="RUN", help="Start the next round of a run that people have reviewed."),
]


@app.command()
def tune(
    recipe: RecipeFile = None,
    *,
    after: After = None,
    explore: Annotated[
        bool, typer.Option("--explore", help="Stop at select: take no look at confirm.")
    ] = False,
    runs: using.Runs = Path("runs"),
    as_json: show.Json = False,
    lines: using.Lines = False,
) -> int:
    """Find the smallest adjustment that passes, and give a verdict.

    --from RUN learns what people corrected in the review of RUN. Items of confirm that they saw are tuned on, and those
    that nobody saw keep the looks that were taken at them; rows that the data have gained are fresh. The round is
    written into RUN as a recipe of its own.

    The exit code is 0 for ship, 10 for hold and 11 for inconclusive.
    """
    return _tune(_chosen(recipe, after), runs, explore=explore, as_json=as_json, lines=lines)


@app.command()
def demo(
    *,
    runs: using.Runs = Path("runs"),
    full: Annotated[bool, typer.Option("--full", help="Train longer, for the best result.")] = False,
    as_json: show.Json = False,
    lines: using.Lines = False,
) -> int:
    """Tune the embedded model on the embedded data, up to a verdict.

    Product texts full of hype become factual and neutral. It takes some minutes on two processor cores.
    """
    recipe = starter.demo_recipe(runs / "demo", full=full)
    return _tune(recipe, runs, explore=False, as_json=as_json, lines=lines)


@app.command()
def plan(
    recipe: RecipeFile = None, *, after: After = None, as_json: show.Json = False, lines: using.Lines = False
) -> int:
    """Say what the data can prove, and the time and memory it takes, before they are spent."""
    recipe = _chosen(recipe, after)
    with progress.live(as_json=as_json, wanted=lines) as report:
        content = trimtab.plan(recipe, report=report)
    if as_json:
        show.document(content)
    else:
        _print_plan(content, recipe)
    return 2 if content["problems"] else 0


def _chosen(recipe: Path | None, after: Path | None) -> Path:
    """The recipe that is meant: the one named, or that of the next round of a run."""
    if after is not None:
        return rounds.begin(after, recipe)
    if recipe is None:
        raise UserError("no RECIPE was named", "name one, such as recipe.yaml, or a reviewed run: --from RUN")
    return recipe


def _tune(recipe: Path, runs: Path, *, explore: bool, as_json: bool, lines: bool) -> int:
    with progress.live(as_json=as_json, wanted=lines) as report:
        run = trimtab.tune(recipe, root=runs, explore=explore, report=report)
        taken = rounds.compare(run.folder)
    page = run.folder.path / "report.html"
    if as_json:
        content = {"run": str(run.folder.path), "report": str(page), "verdict": run.verdict}
        show.document({**content, "round": taken} if taken else content)
    else:
        show.line(document.summary(run.folder).rstrip())
    return show.OUTCOMES[run.verdict.outcome]


def _print_plan(content: dict[str, Any], recipe: Path) -> None:
    parts = content["parts"]
    show.line("Rows: " + ", ".join(f"{name} {count}" for name, count in parts.items()))
    show.line()
    rows = [
        [
            row["name"][:26],
            row["role"],
            str(row["n"]),
            show.number(row["threshold"]),
            show.number(row["expected"]),
            show.number(row["detectable"]),
            "-" if row["power"] is None else f"{row['power']:.0%}",
            str(row["need_n"] or "-"),
        ]
        for row in content["power"]
    ]
    header = ["judged on confirm", "role", "items", "beyond", "expect", "detects", "power", "needs"]
    show.table(header, rows, numbers=range(2, 8))
    joint = "-" if content["joint_power"] is None else f"{content['joint_power']:.0%}"
    show.line()
    show.facts(
        [
            ("All at once", f"{joint} power"),
            ("Time", f"about {content['minutes']:.1f} minutes"),
            ("Memory", f"about {content['memory_bytes'] / 2**30:.1f} GiB"),
        ]
    )
    for assumed in dict.fromkeys(row["assumed"] for row in content["power"] if row.get("assumed")):
        show.line(show.wrapped(assumed, indent="  ", first="- "))
    for note in content["notes"]:
        show.line(show.wrapped(note, indent="  ", first="- "))
    for problem in content["problems"]:
        show.line(show.wrapped(problem, indent="  ", first="Problem: "))
    show.line()
    show.line("Mend the problems first." if content["problems"] else f"Next: trimtab tune {recipe}")
