"""Pages as answers: from the templates of this package, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from trimtab.document import pages
from trimtab.review.people import Person

REVIEWS, RUNS = "/", "/runs"
# Status: what the page says, and the next step.
REFUSALS: Mapping[int, tuple[str, str]] = {
    400: ("This form cannot be read", "Go back, load the page again, and send it once more."),
    401: ("You are not signed in", "Open the link of your invitation on this device."),
    403: ("This is not yours to do", "If you sent a form of ours, load its page again and send it once more."),
    404: ("There is nothing here", "Begin at the list of your reviews."),
    405: ("There is nothing here", "Begin at the list of your reviews."),
    413: ("That is too long", "Shorten what you wrote, and send it again."),
    422: ("That cannot be taken as it is", "Go back, mend it, and send it again."),
    429: ("That was too fast", "Wait a moment, then load the page again. Nothing that you sent before is lost."),
    503: ("There is too much to do at present", "Wait a moment, then load the page again."),
    500: ("Something went wrong on our side", "Load the page again. Every judgement that was confirmed is kept."),
}  # fmt: skip


class Refused(HTTPException):
    """A request that is not served: its status, and what was wrong with it in one sentence."""

    def __init__(self, status: int, said: str = "") -> None:
        super().__init__(status, said)


def show(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A page for whoever asks; what every page knows of them is added."""
    person = getattr(request.state, "person", None)
    asker = {"me": person, "seal": getattr(request.state, "seal", ""), "home": home(request, person)}
    return HTMLResponse(pages.page(template, {**asker, **context}, "trimtab.serve"), status)


def home(request: Request, person: Person | None) -> str:
    """Where somebody begins: authors at the runs, where these are served, all others at their reviews."""
    app = request.scope.get("app")
    runs = app is not None and app.state.project is not None
    return RUNS if runs and person is not None and person.role == "author" else REVIEWS


def refusal(request: Request, status: int, said: str = "") -> HTMLResponse:
    """The page that says why a request was not served."""
    title, step = REFUSALS.get(status, (HTTPStatus(status).phrase, "Begin at the list of your reviews."))
    return show(request, "refusal.html.j2", {"title": title, "said": said, "step": step}, status)
