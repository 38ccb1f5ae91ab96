"""Who asks, and whether a form is ours: a cookie for the session, and in each form a seal that is bound to it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from trimtab.review import people
from trimtab.review.people import Person
from trimtab.review.store import Store
from trimtab.serve.pages import Refused

COOKIE = "trimtab_session"
# Before there is a session: what binds the form of an invitation to the browser that it was shown in.
VISIT = "trimtab_visit"
SECONDS_OF_A_DAY = 86_400


def store_of(request: Request) -> Store:
    """The store that the application serves."""
    store: Store = request.app.state.store
    return store


def seal(secret: str) -> str:
    """What a form carries to show that it was made for this session: only who knows the cookie can compute it.

    HMAC-SHA256 under the cookie's value, so that it holds across restarts and servers and nothing has to be kept.
    """
    return hmac.new(secret.encode("utf-8", "replace"), b"form", hashlib.sha256).hexdigest()


def set_cookie(request: Request, response: Response, name: str, value: str, days: float) -> None:
    """Give a cookie that no script reads and no other site sends along."""
    secure: bool = request.app.state.secure
    seconds = int(days * SECONDS_OF_A_DAY)
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure, path="/")


def signed_in(request: Request, store: Annotated[Store, Depends(store_of)]) -> Person:
    """Who asks.

    Raises:
        Refused: 401, no session or one that has ended.
    """
    session = request.cookies.get(COOKIE, "")
    person = people.who(store, session) if session else None
    if person is None:
        raise Refused(401)
    request.state.person, request.state.seal = person, seal(session)
    return person


def check(request: Request, fields: FormData, secret: str) -> None:
    """See that a form was sent from a page of ours.

    Raises:
        Refused: 403, another site sent it, or its seal is not that of the session.
    """
    # Browsers say this themselves where the address is secure or local; `Origin` is withheld with the referrer.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "The form was sent from another site.")
    given = fields.get("seal")
    if not secret or not isinstance(given, str):
        raise Refused(403, "The form does not belong to your session.")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), seal(secret).encode()):
        raise Refused(403, "The form does not belong to your session.")


async def plain_form(request: Request) -> FormData:
    """The fields of a form, without files, however it was sent.

    Raises:
        Refused: 400, it is no such form.
    """
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise Refused(400)
    return await request.form()


def sealed_form(
    request: Request,
    fields: Annotated[FormData, Depends(plain_form)],
    _: Annotated[Person, Depends(signed_in)],
) -> FormData:
    """The fields of a form of someone who is signed in.

    Raises:
        Refused: 400, it is no form; 401, no session; 403, it was not made for this session.
    """
    check(request, fields, request.cookies.get(COOKIE, ""))
    return fields


Asker = Annotated[Person, Depends(signed_in)]
Sealed = Annotated[FormData, Depends(sealed_form)]
Kept = Annotated[Store, Depends(store_of)]
