"""The start of a review from the browser: what people are to judge, and their links, which are shown once."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from trimtab import reviewing
from trimtab.review import people, sampling
from trimtab.reviewing import STACKS, Wanted
from trimtab.run import RunFolder
from trimtab.serve.pages import Refused, show
from trimtab.serve.review.author import Deciding, link_of
from trimtab.serve.review.forms import lines
from trimtab.serve.runs.jobs import Job
from trimtab.serve.runs.project import Here, Run
from trimtab.serve.runs.trying import JobId
from trimtab.serve.sessions import Kept, Sealed

router = APIRouter(prefix="/runs/{name}/review")
KIND = "review"
PURPOSES = ("", "verdict", "learning")
# Items of a review, and people who are let in at once.
ITEMS, NAMES = 100_000, 50


@router.get("")
def form(request: Request, folder: Run, store: Kept) -> Response:
    """What is to be reviewed, and the reviews that the run has."""
    return _page(request, folder, store)


@router.post("")
def begin(folder: Run, project: Here, asker: Deciding, store: Kept, fields: Sealed) -> Response:
    """Begin it: answers for the verdict are drawn now, which takes its time."""
    wanted, names = _wanted(fields), _names(fields)
    job = Job(asker.id, KIND, {"names": names})
    project.begin(job, lambda report: reviewing.begin(folder.path, store, wanted, report))
    return RedirectResponse(f"/runs/{quote(folder.path.name)}/review/{job.id}", 303)


@router.get("/{job}")
def begun(request: Request, folder: Run, project: Here, asker: Deciding, store: Kept, job: JobId) -> Response:
    """Whether it has begun, and then the form that lets people in."""
    found = project.jobs.find(job, asker.id, KIND)
    if found is None:
        raise Refused(404)
    return _page(request, folder, store, found)


@router.post("/{job}")
def invite(
    request: Request, folder: Run, project: Here, asker: Deciding, store: Kept, job: JobId, fields: Sealed
) -> Response:
    """Let raters in; their links are shown this once."""
    found = project.jobs.find(job, asker.id, KIND)
    if found is None or found.result is None:
        raise Refused(404)
    names = _names(fields)
    if not names:
        raise Refused(422, "Name somebody, one in a line.")
    links = [(name, link_of(request, people.invite(store, name, "rater"))) for name in names]
    found.about = {"names": []}
    return _page(request, folder, store, found, links)


def _page(
    request: Request,
    folder: RunFolder,
    store: Kept,
    job: Job | None = None,
    links: list[tuple[str, str]] | None = None,
) -> Response:
    context: dict[str, Any] = {
        "run": folder.path.name,
        "known": sampling.found(store, reviewing.identity(folder)),
        "job": job,
        "links": links or [],
        "most": ITEMS,
    }
    return show(request, "runs/review.html.j2", context)


def _wanted(fields: FormData) -> Wanted:
    """What a form wants of a review.

    Raises:
        Refused: 422, something that the form does not offer.
    """
    purpose, stacks, items = (str(fields.get(name, "")) for name in ("purpose", "stacks", "items"))
    if purpose not in PURPOSES or stacks not in STACKS:
        raise Refused(422, "That is not to choose.")
    if items and not (items.isascii() and items.isdigit() and len(items) < 7 and 0 < int(items) <= ITEMS):
        raise Refused(422, f"Items are a whole number from 1 to {ITEMS:,}.")
    return Wanted(purpose, int(items or 0), stacks)  # type: ignore[arg-type]


def _names(fields: FormData) -> list[str]:
    """The names that a form gives, one in a line, each once; checked together, so that all are let in or none."""
    found = [name.strip() for name in lines(str(fields.get("names", ""))).split("\n")]
    names = list(dict.fromkeys(filter(None, found)))
    if len(names) > NAMES or max(map(len, names), default=0) > people.LONGEST_NAME:
        raise Refused(422, f"At most {NAMES} names, of at most {people.LONGEST_NAME} characters each.")
    return names
