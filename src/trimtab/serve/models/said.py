"""The address where users say what they think of an answer."""

from __future__ import annotations

from functools import partial
from time import time
from typing import Any

from fastapi import APIRouter, Request

from trimtab.errors import ReviewError
from trimtab.live import feedback
from trimtab.live.answers import iso
from trimtab.live.feedback import Given, Unknown
from trimtab.serve.models.account import account_of
from trimtab.serve.models.schema import Feedback, Refusal
from trimtab.serve.models.serving import Serving

router = APIRouter(prefix="/v1")


@router.post("/feedback")
async def give(request: Request, said: Feedback) -> dict[str, Any]:
    """Say something of an answer of one's own, in place of what was said before; acknowledged once it is on disk."""
    serving: Serving = request.app.state.serving
    recorder = serving.recorder
    if recorder is None:
        raise Refusal(404, "no feedback is kept here", code="no_feedback")
    given = Given(
        f"{said.id}-{said.index}",
        account_of(request).owner,
        iso(time()),
        said.thumb,
        said.rating,
        said.correction.strip(),
        said.reason.strip(),
    )
    try:
        await recorder.do(partial(feedback.give, recorder.store, given))
    except Unknown as unknown:
        raise Refusal(404, unknown.message, code="answer_not_found", param="id") from None
    except ReviewError as error:
        if type(error) is not ReviewError:
            raise
        raise Refusal(400, error.message) from None
    return {"object": "feedback", "id": said.id, "index": said.index, "kept": True}
