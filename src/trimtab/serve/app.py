"""The application: routes, what stands before them, and what is said when something is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from trimtab.errors import ReviewError, RunError, StoreError
from trimtab.review.store import Store
from trimtab.serve import assets
from trimtab.serve.limits import Limits
from trimtab.serve.pages import Refused, refusal
from trimtab.serve.review import author, joining, judging
from trimtab.serve.runs import routers
from trimtab.serve.shield import Shield

if TYPE_CHECKING:
    from trimtab.serve.runs.project import Project


def application(
    store: Store,
    *,
    secure: bool = False,
    limits: Limits | None = None,
    clock: Callable[[], float] = time.monotonic,
    project: Project | None = None,
) -> ASGIApp:
    """The pages of all reviews in a store, and of a project's runs.

    Args:
        project: the runs that authors see as well; None: none.
        secure: they are reached by https, so that cookies travel by nothing else.
        limits: how often and how much one may ask.
        clock: seconds that never run backwards, for the limits.
    """
    app = FastAPI(title="Trimtab", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store, app.state.secure, app.state.project = store, secure, project
    for part in (assets, joining, judging, author):
        app.include_router(part.router)
    if project is not None:
        for router in routers():
            app.include_router(router)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unknown)
    app.add_exception_handler(ReviewError, _mistaken)
    app.add_exception_handler(RunError, _mistaken)
    app.add_exception_handler(Exception, _broken)
    # Around the application and not a middleware of it: the page of an error on our side is made outside of those.
    return Shield(app, limits=limits or Limits(), secure=secure, clock=clock)


def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    # What the framework says of its own refusals is not for readers.
    return refusal(request, status, error.detail if isinstance(error, Refused) else "")


def _unknown(request: Request, _: Exception) -> Response:
    """A number in an address that is none, or too large: there is nothing there."""
    return refusal(request, 404)


def _mistaken(request: Request, error: Exception) -> Response:
    if isinstance(error, StoreError):
        # It names the database, which is for whoever runs the server: it goes to their log.
        raise error
    said = error.message if isinstance(error, ReviewError | RunError) else ""
    return refusal(request, 422, f"{said[:1].upper()}{said[1:]}." if said else "")


def _broken(request: Request, _: Exception) -> Response:
    return refusal(request, 500)
