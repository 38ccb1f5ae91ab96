"""The page of one pair, and what is sent from it: a judgement, taking it back, a comment on a rule.

A page is made from texts, ids of tasks and guidelines alone: nothing that it is made from says whose an answer is.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from trimtab.review import assigning, judging, sampling
from trimtab.review.assigning import Listed, Shown
from trimtab.review.judging import Feedback
from trimtab.review.people import Person
from trimtab.review.store import Store
from trimtab.serve.pages import Refused, show
from trimtab.serve.review.forms import FLAGS, answer_of, lines
from trimtab.serve.sessions import Asker, Kept, Sealed

router = APIRouter(prefix="/reviews/{review}")
# What PostgreSQL keeps in an integer.
Number = Annotated[int, Path(ge=1, lt=2**31)]
TaskId = Annotated[str, Query(max_length=32)]
# Half the bytes of a task's key, in hexadecimal.
KEY_BYTES = 16


@router.get("")
def pair(
    request: Request, review: Number, asker: Asker, store: Kept, task: TaskId = "", noted: bool = False
) -> Response:
    """The pair that this person judges next, or the one that they took back; or why there is none."""
    listed = _listed(store, review, asker)
    found = assigning.by_id(store, review, task, asker.id) if task else None
    shown = found if task else assigning.next_task(store, review, asker.id)
    if task and shown is None:
        raise Refused(404)
    if shown is None:
        return show(request, "finished.html.j2", {"review": listed})
    return show(request, "judge.html.j2", _context(store, listed, shown) | {"noted": noted})


@router.post("/judgements")
def judge(request: Request, review: Number, asker: Asker, store: Kept, fields: Sealed) -> Response:
    """Take a judgement; it is on disk before this answers. After a training item, say whether it was right."""
    listed = _listed(store, review, asker)
    answer = answer_of(fields, [rule["id"] for rule in judging.guidelines(store, review).get("rules", ())])
    feedback = judging.judge(store, asker.id, answer)
    shown = assigning.by_id(store, review, answer.task, asker.id) if feedback else None
    if feedback is None or shown is None:
        return RedirectResponse(f"/reviews/{review}", 303)
    context = _context(store, listed, shown)
    return show(request, "feedback.html.j2", context | {"feedback": feedback} | _taught(context, feedback))


@router.post("/undo")
def undo(review: Number, asker: Asker, store: Kept, _: Sealed) -> Response:
    """Take back the last judgement, and show its pair again."""
    _listed(store, review, asker)
    task = judging.undo(store, review, asker.id)
    return RedirectResponse(f"/reviews/{review}" + (f"?task={task}" if task else ""), 303)


@router.post("/comments")
def comment(review: Number, asker: Asker, store: Kept, fields: Sealed) -> Response:
    """Keep a comment on a rule, or on the guidelines, for their author."""
    _listed(store, review, asker)
    rule, text = (lines(str(fields.get(name, ""))) for name in ("rule", "text"))
    judging.comment(store, review, asker.id, rule, text)
    return RedirectResponse(f"/reviews/{review}?noted=yes", 303)


def _listed(store: Store, review: int, asker: Person) -> Listed:
    """A review that this person may judge in.

    Raises:
        Refused: 403, a viewer judges nothing; 404, there is no such review for them.
    """
    if asker.role == "viewer":
        raise Refused(403, "You were invited to look at results, not to judge.")
    found = assigning.listed(store, review, asker.id)
    if found is None:
        raise Refused(404)
    return found


def _context(store: Store, listed: Listed, shown: Shown) -> dict[str, Any]:
    with store.reading() as connection:
        known = sampling.review_of(connection, listed.id)
    return {
        "review": listed,
        "shown": shown,
        "question": known.plan.question,
        "guidelines": known.guidelines,
        "flags": FLAGS,
        "key": secrets.token_hex(KEY_BYTES),
    }


def _taught(context: Mapping[str, Any], feedback: Feedback) -> dict[str, Any]:
    rules = context["guidelines"].get("rules", ())
    return {"rule": next((rule for rule in rules if rule["id"] == feedback.rule), None)}
