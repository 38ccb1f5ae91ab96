"""Two runs side by side: how each came out, how they compare on the same items, and what was asked differently."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from trimtab import comparing
from trimtab.document import figures, words
from trimtab.document.figures import interval, known, percent, significant
from trimtab.document.listing import listed
from trimtab.document.masking import mask, printable
from trimtab.document.record import metric_title, suite_title
from trimtab.document.sections import Row, Table
from trimtab.errors import RunError, UserError
from trimtab.records import Estimate, GuardResult
from trimtab.run import RunFolder
from trimtab.serve.pages import Refused, show
from trimtab.serve.runs.looking import shown
from trimtab.serve.runs.project import Here, Run

router = APIRouter()
# Characters of an option that are shown.
LONGEST = 300


@router.get("/runs/{name}/compare")
def side_by_side(
    request: Request, folder: Run, project: Here, other: Annotated[str, Query(max_length=200)]
) -> Response:
    """A run beside another one."""
    second = project.find(other)
    if second is None:
        raise Refused(404)
    pair = (folder, second)
    context: dict[str, Any] = {
        "names": [one.path.name for one in pair],
        "outcomes": _outcomes(pair),
        "paired": _paired(*pair),
        "recipes": _recipes(*pair),
    }
    return show(request, "runs/compare.html.j2", context)


def _outcomes(pair: tuple[RunFolder, RunFolder]) -> Table:
    """What each run's own verdict says, guard by guard."""
    runs = [shown(listed(folder)) for folder in pair]
    rows: list[Row] = [
        ("outcome", *(one.run.outcome for one in runs)),
        ("about the rung", *(one.run.rung or "–" for one in runs)),
        ("goal", *(one.goal for one in runs)),
    ]
    verdicts = [_verdict(folder) for folder in pair]
    rows.append(("gain over its base model", *(_estimate(v.difference if v else None) for v in verdicts)))
    guards: list[dict[str, GuardResult]] = [
        {f"{suite_title(g.suite)}, {metric_title(g.metric)}": g for g in (v.guards if v else ())}
        for v in verdicts
    ]
    for name in dict.fromkeys([*guards[0], *guards[1]]):
        rows.append((f"guard: {name}", *(_guard(found.get(name)) for found in guards)))
    rows.append(("time", *(one.time or "–" for one in runs)))
    return Table("What each verdict says", ("what", "A", "B"), tuple(rows))


def _verdict(folder: RunFolder) -> Any:
    try:
        return folder.verdict()
    except (RunError, KeyError, TypeError):
        return None


def _estimate(found: Estimate | None) -> str:
    if found is None:
        return "–"
    said = interval(found)
    return said if found.undefined else f"{said}; n {found.n:,}, level {percent(found.level)}, {found.method}"


def _guard(found: GuardResult | None) -> str:
    if found is None:
        return "not set"
    if found.by_construction:
        return words.guard_word(found)
    return f"{words.guard_word(found)}: {_estimate(found.comparison.difference)}; margin {significant(found.margin)}"


def _paired(one: RunFolder, other: RunFolder) -> dict[str, Any]:
    """The two stacks on the items of select that both were measured on, or why they cannot be compared."""
    try:
        found = comparing.compare(one.path, other.path)
    except UserError as error:
        return {"trouble": mask(printable(error.message))}
    except (KeyError, TypeError):
        return {"trouble": "a file of one of them is damaged"}
    result, alone = found.comparison, found.paired.alone
    rows: list[Row] = [
        ("difference, B less A, plus is better for B", _estimate(result.difference)),
        ("A", significant(result.baseline)),
        ("B", significant(result.candidate)),
        ("held against", significant(result.threshold)),
        ("p", figures.significant(result.p_value, 2) if known(result.p_value) else "–"),
        ("items needed to decide", f"about {result.need_n:,}" if result.need_n else "–"),
        (
            "detectable beyond it, at 80% power",
            significant(result.detectable) if known(result.detectable) else "–",
        ),
        ("items of one run alone, left out", f"{alone[0]:,} of A, {alone[1]:,} of B"),
    ]
    caption = f"{metric_title(found.paired.metric)} on the same items of select"
    return {
        "outcome": result.outcome,
        "table": Table(caption, ("what", "value"), tuple(rows)),
        "notes": result.notes,
    }


def _recipes(one: RunFolder, other: RunFolder) -> Table | None:
    """What was asked differently; None where a run has no recipe yet."""
    try:
        found = comparing.recipes(one, other)
    except RunError:
        return None
    rows = tuple((name, *(_short(value) for value in values)) for name, *values in found)
    return Table("Options of the recipe that differ", ("option", "A", "B"), rows)


def _short(value: str) -> str:
    text = mask(printable(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
