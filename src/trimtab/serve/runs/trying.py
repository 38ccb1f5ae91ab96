"""Two stacks side by side on a question of one's own, each at a strength of one's choice."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from trimtab.adjust.stack import BASE
from trimtab.document.figures import duration, percent
from trimtab.document.listing import listed
from trimtab.document.masking import mask, printable
from trimtab.document.record import read
from trimtab.document.samples import common_instruction
from trimtab.document.sections import Table
from trimtab.errors import RunError
from trimtab.records import Message
from trimtab.run import RunFolder
from trimtab.serve.pages import Refused, show
from trimtab.serve.review.author import Deciding
from trimtab.serve.review.forms import lines
from trimtab.serve.runs.bench import Answered, Side
from trimtab.serve.runs.jobs import Job
from trimtab.serve.runs.project import Here, Project, Run
from trimtab.serve.sessions import Sealed

router = APIRouter(prefix="/runs/{name}/try")
KIND, SIDES = "try", ("left", "right")
STRONGEST, STEP = 1.5, 0.05
# Characters of a question; runs that may be chosen; words of an answer that are compared.
LONGEST, CHOICES, WORDS = 20_000, 50, 1000
JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{8,32}$")]


@router.get("")
def form(request: Request, folder: Run, project: Here) -> Response:
    """What is asked, and of whom."""
    asked = {
        "instruction": _instruction(folder),
        "question": "",
        "left": "",
        "left_strength": 1.0,
        "right": folder.path.name,
        "right_strength": 1.0,
    }
    return _page(request, folder, project, asked)


@router.post("")
def ask(request: Request, folder: Run, project: Here, asker: Deciding, fields: Sealed) -> Response:
    """Ask it; the answers appear on a page of their own."""
    asked = _asked(fields, _choices(folder, project))
    sides = [
        Side(project.find(asked[side]) if asked[side] else None, asked[f"{side}_strength"]) for side in SIDES
    ]
    messages = [Message("system", asked["instruction"])] if asked["instruction"].strip() else []
    messages.append(Message("user", asked["question"]))
    job = Job(asker.id, KIND, asked)
    project.begin(job, lambda report: project.bench.ask(folder, sides, messages, report))
    return RedirectResponse(f"/runs/{quote(folder.path.name)}/try/{job.id}", 303)


@router.get("/{job}")
def answers(request: Request, folder: Run, project: Here, asker: Deciding, job: JobId) -> Response:
    """What came of it so far."""
    found = project.jobs.find(job, asker.id, KIND)
    if found is None:
        raise Refused(404, "What is tried is not kept for long: ask again.")
    return _page(request, folder, project, found.about, found)


def _page(
    request: Request, folder: RunFolder, project: Project, asked: Mapping[str, Any], job: Job | None = None
) -> Response:
    # Looked at once, and first: it may end while the page is made.
    pending = job is not None and not job.done
    given: list[Answered] = job.result if job is not None and job.result and not pending else []
    context: dict[str, Any] = {
        "run": folder.path.name,
        "asked": asked,
        "choices": _choices(folder, project),
        "strongest": STRONGEST,
        "step": STEP,
        "longest": LONGEST,
        "job": job,
        "pending": pending,
        "titles": [_title(asked, side) for side in SIDES],
        "answers": marked(*(mask(printable(one.text)) for one in given)) if given else [],
        "same": len({one.text for one in given}) == 1,
        "took": _table(given, asked) if given else None,
    }
    return show(request, "runs/try.html.j2", context)


def _choices(folder: RunFolder, project: Project) -> dict[str, str]:
    """What may answer, by the name that a form sends: the base model, and stacks of runs of the same one."""
    found = {"": "the base model"}
    model = folder.recipe()["model"]
    for one in [folder, *(other for other in project.runs() if other.path.name != folder.path.name)]:
        if len(found) > CHOICES:
            break
        try:
            about = listed(one)
            usable = one.recipe()["model"] == model and one.verdict().stack != BASE and not about.tainted
        except (RunError, KeyError, TypeError):
            continue
        if usable:
            found[one.path.name] = f"{about.rung or 'stack'}, {about.outcome}: {one.path.name}"
    return found


def _asked(fields: FormData, choices: Mapping[str, str]) -> dict[str, Any]:
    """What a form asks, checked.

    Raises:
        Refused: 422, something is missing, too long, not to choose, or no strength.
    """
    found: dict[str, Any] = {
        name: lines(str(fields.get(name, ""))) for name in ("instruction", "question", *SIDES)
    }
    if not found["question"].strip():
        raise Refused(422, "There is no question.")
    if max(len(found["question"]), len(found["instruction"])) > LONGEST:
        raise Refused(422, f"A text of more than {LONGEST:,} characters.")
    for side in SIDES:
        if found[side] not in choices:
            raise Refused(422, "There is no such run to try, or it has no stack.")
        found[f"{side}_strength"] = _strength(str(fields.get(f"{side}_strength", "1")))
    return found


def _strength(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= STRONGEST:
        raise Refused(422, f"A strength is a number from 0 to {STRONGEST:g}.")
    return value


def _instruction(folder: RunFolder) -> str:
    """The instruction that all examples of a run begin with."""
    try:
        return common_instruction(read(folder))
    except (RunError, KeyError, TypeError):
        return ""


def _title(asked: Mapping[str, Any], side: str) -> str:
    if not asked[side]:
        return "The base model"
    return f"{asked[side]} at strength {asked[f'{side}_strength']:.2f}"


def _table(given: list[Answered], asked: Mapping[str, Any]) -> Table:
    """What each answer took."""
    strengths = [asked[f"{side}_strength"] if asked[side] else 1.0 for side in SIDES]
    sure = [
        "–"
        if one.confidence is None
        else percent(one.confidence, 1) + ("" if strength == 1 else ", calibrated for 1")
        for one, strength in zip(given, strengths, strict=True)
    ]
    rows = (
        ("tokens drawn", *(f"{one.tokens:,}" for one in given)),
        ("seconds", *(duration(one.seconds) for one in given)),
        (
            "ended",
            *({"stop": "by itself", "length": "at the limit"}.get(one.finish, one.finish) for one in given),
        ),
        ("confidence", *sure),
        ("rules fired", *(", ".join(one.fired) or "none" for one in given)),
    )
    return Table("What each answer took", ("what", "left", "right"), rows)


def marked(left: str, right: str) -> list[list[tuple[str, bool]]]:
    """Two texts in pieces, each with whether the other lacks it; word by word, of long ones all of it unmarked."""
    one, other = _words(left), _words(right)
    if max(len(one), len(other)) > WORDS:
        return [[(left, False)], [(right, False)]]
    found: list[list[tuple[str, bool]]] = [[], []]
    for tag, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        for side, some in enumerate((one[a:b], other[c:d])):
            if some:
                found[side].append(("".join(some), tag != "equal"))
    return found


def _words(text: str) -> list[str]:
    """Words with the white space after them."""
    found, start = [], 0
    for at in range(1, len(text) + 1):
        if at == len(text) or (text[at - 1].isspace() and not text[at].isspace()):
            found.append(text[start:at])
            start = at
    return found
