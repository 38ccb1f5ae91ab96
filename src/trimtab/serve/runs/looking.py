"""The list of runs, the page of one, its report and its card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from trimtab.document import figures, words
from trimtab.document.listing import Listed, listed
from trimtab.document.record import Record, metric_title, read, suite_title
from trimtab.errors import RunError
from trimtab.run import RunFolder, estimate_from
from trimtab.serve.pages import RUNS, Refused, show
from trimtab.serve.review.author import Deciding
from trimtab.serve.runs.live import standing
from trimtab.serve.runs.project import Here, Run

router = APIRouter()
PAGE = 50
FILES = {"report": "report.html", "card": "card.html"}
# A page that was written whole, with its style in it and no script: it may do nothing but be read.
ALONE = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A run in a list, as its page shows it."""

    run: Listed
    when: str
    gain: str
    items: str
    time: str
    tone: str
    goal: str


@router.get(RUNS)
def everything(
    request: Request, asker: Deciding, project: Here, page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    """All runs, newest first."""
    folders = project.runs()
    some = folders[(page - 1) * PAGE : page * PAGE]
    context: dict[str, Any] = {
        "runs": [shown(listed(folder)) for folder in some],
        "root": project.root.name,
        "page": page,
        "more": len(folders) > page * PAGE,
    }
    return show(request, "runs/list.html.j2", context)


@router.get("/runs/{name}")
def one(request: Request, folder: Run, project: Here) -> Response:
    """One run: live while it is tuned, else what came out, and where to go from there."""
    found = standing(folder)
    context: dict[str, Any] = {
        "standing": found,
        "shown": shown(found.run),
        "pieces": found.pieces(),
        "verdict": None if found.tuning else _verdict(folder),
        "others": [other.path.name for other in project.runs() if other.path.name != folder.path.name][:200],
        "files": [kind for kind, name in FILES.items() if folder.has(name)],
    }
    return show(request, "runs/one.html.j2", context)


@router.get("/runs/{name}/report")
def report(folder: Run) -> Response:
    """The report, as it lies in the run's folder."""
    return _alone(folder, "report")


@router.get("/runs/{name}/card")
def card(folder: Run) -> Response:
    """The card of its model."""
    return _alone(folder, "card")


def shown(run: Listed) -> Shown:
    """A run as a list shows it."""
    estimate = estimate_from(run.difference) if run.difference else None
    when = figures.moment(run.time)
    return Shown(
        run,
        # A folder that somebody renamed says no time.
        run.run if when == run.time else when,
        figures.interval(estimate) if estimate else "",
        f"{estimate.n:,} items" if estimate and not estimate.undefined else "",
        figures.duration(60 * run.minutes) if figures.known(run.minutes) else "",
        run.outcome if run.outcome in words.VERDICTS else "explored",
        metric_title(run.goal) if run.goal != "-" else "no goal yet",
    )


def _alone(folder: RunFolder, kind: str) -> Response:
    if not folder.has(FILES[kind]):
        raise Refused(404, f"This run has no {kind} yet.")
    content = (folder.path / FILES[kind]).read_bytes()
    return Response(content, media_type="text/html", headers={"content-security-policy": ALONE})


def _verdict(folder: RunFolder) -> dict[str, Any] | None:
    """What came out, in the report's own words; None where nothing did, or it cannot be read."""
    try:
        record = read(folder) if folder.has("verdict.json") else None
    except (RunError, KeyError, TypeError, ValueError):
        return None
    return None if record is None else _said(record)


def _said(record: Record) -> dict[str, Any]:
    return {
        "kind": words.kind(record),
        "word": words.VERDICTS[words.kind(record)],
        "headline": words.headline(record),
        "meaning": words.meaning(record),
        "next": words.next_step(record),
        "stack": record.verdict.stack,
        "guards": [
            {
                "name": f"{suite_title(guard.suite)}, {metric_title(guard.metric)}",
                "word": words.guard_word(guard),
                "sentence": words.guard_sentence(guard, looked=record.verdict.look > 0),
            }
            for guard in record.verdict.guards
        ],
    }
