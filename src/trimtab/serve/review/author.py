"""What the author of a review sees of it, and whom they let in; viewers see the same and change nothing.

Even here nothing says which answer is whose: an author may judge as well.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import RedirectResponse, Response

from trimtab.document import reviewed
from trimtab.document.sections import Section, Table
from trimtab.review import people, sampling
from trimtab.review.outcome import outcome
from trimtab.review.overview import Overview, overview
from trimtab.review.people import Person, Role
from trimtab.serve.pages import Refused, show
from trimtab.serve.review.forms import lines
from trimtab.serve.review.judging import Number
from trimtab.serve.sessions import Asker, Kept, Sealed

router = APIRouter()
Who = Annotated[int, Path(ge=1, lt=2**31)]
ROLES = get_args(Role)


def looking(asker: Asker) -> Person:
    """Someone who may see how a review goes.

    Raises:
        Refused: 403, raters may not.
    """
    if asker.role == "rater":
        raise Refused(403, "How a review goes is shown to its author, so that it moves nobody's judgement.")
    return asker


def deciding(asker: Asker) -> Person:
    """Someone who may let people in and end a review.

    Raises:
        Refused: 403, only authors may.
    """
    if asker.role != "author":
        raise Refused(403, "Only an author may do this.")
    return asker


Looking = Annotated[Person, Depends(looking)]
Deciding = Annotated[Person, Depends(deciding)]


@router.get("/reviews/{review}/author")
def standing(request: Request, review: Number, asker: Looking, store: Kept) -> Response:
    """How a review goes: progress, what it says so far, raters, disputes, comments."""
    found = overview(store, review)
    section = reviewed.section(outcome(store, found.review).content)
    context = {"found": found, "section": section, "raters": _raters(found), "unclear": _unclear(found)}
    return show(request, "author.html.j2", context)


@router.post("/reviews/{review}/author/close")
def close(review: Number, asker: Deciding, store: Kept, _: Sealed) -> Response:
    """End a review: nobody judges any more."""
    sampling.close(store, review)
    return RedirectResponse(f"/reviews/{review}/author", 303)


@router.get("/people")
def everyone(request: Request, asker: Deciding, store: Kept) -> Response:
    """Everybody who was let in."""
    return _people(request, store)


@router.post("/people")
def invite(request: Request, asker: Deciding, store: Kept, fields: Sealed) -> Response:
    """Let somebody in; their link is shown this once."""
    name, role = (lines(str(fields.get(field, ""))) for field in ("name", "role"))
    token = people.invite(store, name, role)  # type: ignore[arg-type]
    return _people(request, store, {"name": name.strip(), "link": link_of(request, token)})


@router.post("/people/{person}/link")
def link(request: Request, person: Who, asker: Deciding, store: Kept, _: Sealed) -> Response:
    """Another link for somebody; it too is shown once."""
    token = people.invite_again(store, person)
    name = next(one.name for one in people.everyone(store) if one.id == person)
    return _people(request, store, {"name": name, "link": link_of(request, token)})


@router.post("/people/{person}/revoke")
def revoke(person: Who, asker: Deciding, store: Kept, _: Sealed) -> Response:
    """End somebody's links and sessions; what they judged stays."""
    _not_oneself(person, asker)
    people.revoke(store, person)
    return RedirectResponse("/people", 303)


@router.post("/people/{person}/forget")
def forget(person: Who, asker: Deciding, store: Kept, fields: Sealed) -> Response:
    """Erase what is known of somebody, once it was said that it is meant."""
    _not_oneself(person, asker)
    if fields.get("meant") != "yes":
        raise Refused(422, "Tick the box beside it to say that you mean it: it cannot be undone.")
    people.forget(store, person)
    return RedirectResponse("/people", 303)


def _not_oneself(person: int, asker: Person) -> None:
    if person == asker.id:
        raise Refused(422, "That is you: nobody could let you in again.")


def _people(request: Request, store: Kept, invited: dict[str, str] | None = None) -> Response:
    context: dict[str, Any] = {"everyone": people.everyone(store), "roles": ROLES, "invited": invited}
    return show(request, "people.html.j2", context)


def link_of(request: Request, token: str) -> str:
    """The address of an invitation."""
    return f"{str(request.base_url).rstrip('/')}/join/{token}"


def _raters(found: Overview) -> Table:
    rows = tuple(
        (one.person.name, f"rater {one.person.id}", f"{one.judged:,}", reviewed.time_of(one.seconds))
        for one in found.raters
    )
    return Table("Who has judged how much", ("name", "in the record", "judged", "a pair"), rows)


def _unclear(found: Overview) -> Section | None:
    """Rules that people who rated the same answer by them read differently."""
    rows = tuple((one.rule, f"{one.apart:,} of {one.pairs:,}") for one in found.unclear if one.pairs)
    if not rows:
        return None
    said = "Where two people often disagree on whether an answer keeps a rule, the rule is unclear."
    table = Table("Ratings by two people that disagree", ("rule", "apart"), rows)
    return Section("unclear", "Rules that are read differently", (said,), (table,))
