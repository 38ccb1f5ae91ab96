"""The verbs that look at what is there: preview, compare, report."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from trimtab import comparing, document, guidelines, strict
from trimtab import recipe as recipes
from trimtab.cli import show
from trimtab.comparing import Compared
from trimtab.data import preview as pieces
from trimtab.data.read import read, recognise
from trimtab.data.render import render
from trimtab.document.masking import printable
from trimtab.errors import GuidelinesError, UserError
from trimtab.model import load
from trimtab.records import TokenRow
from trimtab.run import RunFolder

app = typer.Typer(rich_markup_mode=None)
OUTCOMES = {"better": 0, "held": 0, "worse": 10, "too small": 10, "breached": 10}
UNDECIDED = 11
DEFAULT_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class Shown:
    """One rendered row: its text in pieces, each learned or not; counts in tokens."""

    example: str
    tokens: int
    learned: int
    lost: int
    pieces: list[tuple[str, bool]]


@app.command()
def preview(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="File of examples, hub:<dataset>, or guidelines.yaml.")
    ],
    *,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", metavar="FILE", help="Read it as this recipe does.")
    ] = None,
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="Model whose template is used.")] = "",
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many rows to show.")] = 3,
    as_json: show.Json = False,
) -> int:
    """Show how data is read, and which tokens are learned.

    Learned tokens are coloured and underlined; without a terminal they stand in [brackets].
    Of guidelines (a .yaml file), show what is wrong with the rules themselves.
    """
    if Path(source).suffix in (".yaml", ".yml"):
        return _preview_guidelines(Path(source), as_json=as_json)
    if recipe and model:
        raise UserError(
            "--recipe and --model were both given", "a recipe names its own model: leave --model out"
        )
    options = recipes.load(recipe) if recipe else None
    columns = options.data.columns if options else {}
    shape = recognise(source, columns)
    examples = read(source, columns, options.data.instruction if options else "")[:rows]
    shown: list[Shown] = []
    if all(example.references and example.messages for example in examples):
        base = load.load(options.model) if options else load.load(model) if model else load.load()
        limit = options.data.max_tokens if options else DEFAULT_TOKENS
        rendered = render(examples, base.tokenizer, max_tokens=limit)
        shown = [_shown(row, base.tokenizer) for row in rendered]
    if as_json:
        show.document({"shape": shape, "rows": shown})
        return 0
    show.facts(
        [
            ("Shape", f"{shape.kind}, {shape.rows} rows"),
            *((f"  {k}", f"column {v}") for k, v in shape.columns.items()),
        ]
    )
    if not shown:
        show.line("\n" + printable(shape.preview))
        show.line(
            "\n" + show.wrapped("There is nothing to learn here: no answers. Such rows can serve as a guard.")
        )
    for row in shown:
        _print_row(row)
    return 0


def _preview_guidelines(path: Path, *, as_json: bool) -> int:
    """What is wrong with content rules; whatever is found, looking at them has worked."""
    content = strict.read(
        path, "guidelines", GuidelinesError, "every option is described in docs/guidelines.md"
    )
    rules = guidelines.parse(content, name=str(path))
    found = guidelines.lint(rules, datetime.date.today(), given_version="version" in content)
    if as_json:
        show.document({"rules": len(rules.rules), "findings": found})
    else:
        show.facts([("Rules", str(len(rules.rules))), ("Findings", str(len(found)))])
        for one in found:
            place = f"{one.rule}: " if one.rule else ""
            text = printable(f"{place}{one.message}. To mend it: {one.fix}.")
            show.line(show.wrapped(text, indent="  ", first=f"{one.severity}: "))
        if not found:
            show.line("  Nothing is wrong with them.")
    return 0


def _shown(row: TokenRow, tokenizer: Any) -> Shown:
    return Shown(
        row.example, len(row.ids), int(row.supervised.sum()), row.lost, pieces.segments(row, tokenizer)
    )


def _print_row(row: Shown) -> None:
    from rich.text import Text

    terminal = show.console()
    styled = terminal.is_terminal and not terminal.is_dumb_terminal
    cut = f", {row.lost} cut off at the end" if row.lost else ""
    show.line()
    show.line(
        show.wrapped(f"{row.example}: {row.tokens} tokens, {row.learned} learned{cut}", indent="  ", first="")
    )
    body = Text()
    for text, learned in row.pieces:
        if styled:
            body.append(printable(text), style="underline green" if learned else "dim")
        else:
            body.append(f"[{printable(text)}]" if learned else printable(text))
    terminal.print(body)


@app.command()
def compare(
    baseline: Annotated[Path, typer.Argument(metavar="A", help="Run, trial folder or scores.jsonl.")],
    candidate: Annotated[
        Path | None,
        typer.Argument(metavar="[B]", help="What to compare with A; none: A's stack with A's base."),
    ] = None,
    *,
    metric: Annotated[str, typer.Option("--metric", metavar="NAME", help="Metric to compare by.")] = "",
    min_gain: Annotated[
        float | None,
        typer.Option("--min-gain", metavar="GAIN", help="Gain that B must exceed; a run's own else."),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option("--margin", metavar="LOSS", help="Ask instead: is B worse by less than this?"),
    ] = None,
    better: Annotated[
        str, typer.Option("--better", metavar="WAY", help="higher or lower; the metric's own else.")
    ] = "",
    as_json: show.Json = False,
) -> int:
    """Compare two runs, or two files of scores, item by item.

    The exit code is 0 for better or held, 10 for worse, too small or breached, and 11 where it is open.
    """
    found = comparing.compare(
        baseline, candidate, metric=metric, min_gain=min_gain, margin=margin, better=better
    )
    if as_json:
        sides = {"baseline": found.before.name, "candidate": found.after.name, "metric": found.paired.metric}
        show.document({**sides, "alone": found.paired.alone, "comparison": found.comparison})
    else:
        _print_comparison(found)
    return OUTCOMES.get(found.comparison.outcome, UNDECIDED)


def _print_comparison(compared: Compared) -> None:
    found, paired = compared.comparison, compared.paired
    difference = found.difference
    show.line(f"{found.outcome}: {compared.after.name} against {compared.before.name}")
    show.line()
    asked = f"beyond {found.threshold:g}" if found.threshold >= 0 else f"margin {-found.threshold:g}"
    rows = [
        ("Metric", f"{paired.metric}; plus is better in the difference"),
        ("Before", show.number(found.baseline)),
        ("After", show.number(found.candidate)),
        ("Difference", f"{difference} {asked}"),
        ("p value", show.number(found.p_value)),
        ("Detectable", f"{show.number(found.detectable)} beyond the threshold, with 80% power"),
    ]
    if found.need_n:
        rows.append(("Needs", f"about {found.need_n} items to decide"))
    show.facts(rows)
    notes = list(found.notes)
    if any(paired.alone):
        notes.append(
            f"left out, measured on one side only: {paired.alone[0]} of A and {paired.alone[1]} of B"
        )
    if compared.on_select:
        notes.append(
            "these are scores on select, where stacks were chosen: a chosen stack looks a little too good"
        )
    for note in notes:
        show.line(show.wrapped(note, indent="  ", first="- "))


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    *,
    as_json: show.Json = False,
) -> int:
    """Write a run's report.html again, and print its verdict."""
    folder = RunFolder.open(run)
    document.write_report(folder)
    page = folder.path / "report.html"
    if as_json:
        show.document({"run": str(folder.path), "report": str(page), "verdict": folder.verdict()})
    else:
        show.line(document.summary(folder).rstrip())
    return 0
