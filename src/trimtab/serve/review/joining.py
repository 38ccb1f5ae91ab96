"""Coming in by an invitation, the list of one's reviews, and leaving."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from trimtab.review import assigning, people
from trimtab.serve.pages import Refused, home, show
from trimtab.serve.sessions import (
    COOKIE,
    VISIT,
    Asker,
    Kept,
    Sealed,
    check,
    plain_form,
    seal,
    set_cookie,
)

router = APIRouter()
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{16,128}$")]
VISIT_DAYS = 1.0


@router.get("/join/{token}")
def invited(request: Request, token: Token) -> Response:
    """What an invitation opens; looking at it begins nothing, since programs look at links too."""
    visit = request.cookies.get(VISIT) or secrets.token_urlsafe(24)
    request.state.seal = seal(visit)
    page = show(request, "join.html.j2", {"token": token})
    set_cookie(request, page, VISIT, visit, VISIT_DAYS)
    return page


@router.post("/join/{token}")
def join(
    request: Request, token: Token, store: Kept, fields: Annotated[FormData, Depends(plain_form)]
) -> Response:
    """Begin a session with an invitation."""
    check(request, fields, request.cookies.get(VISIT, ""))
    entered = people.enter(store, token)
    if entered is None:
        raise Refused(404, "This invitation has ended, was withdrawn, or never was. Ask for a new one.")
    session, person = entered
    answer = RedirectResponse(home(request, person), 303)
    set_cookie(request, answer, COOKIE, session, people.SESSION_DAYS)
    answer.delete_cookie(VISIT)
    return answer


@router.post("/leave")
def leave(request: Request, store: Kept, _: Sealed) -> Response:
    """End this session, on this device alone."""
    people.leave(store, request.cookies[COOKIE])
    answer = RedirectResponse("/left", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/left")
def left(request: Request) -> Response:
    """What is shown after leaving."""
    return show(request, "left.html.j2", {})


@router.get("/")
def reviews(request: Request, asker: Asker, store: Kept) -> Response:
    """The reviews that someone can judge in, with how far they are; for authors and viewers, where to see more."""
    return show(request, "reviews.html.j2", {"reviews": assigning.open_reviews(store, asker.id)})
