"""The application that serves models: its routes, what stands before them, and how refusals are said."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from trimtab.errors import StoreError
from trimtab.serve.models import api, edge, health, said
from trimtab.serve.models.account import account_of
from trimtab.serve.models.schema import Refusal
from trimtab.serve.models.serving import Serving


def application(serving: Serving) -> ASGIApp:
    """The interface to what is served."""
    app = FastAPI(title="Trimtab", version="1", docs_url=None, redoc_url=None)
    app.state.serving = serving
    for part in (api, said, health):
        app.include_router(part.router)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _wrong)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(StoreError, _unkept)
    app.add_exception_handler(Exception, _broken)
    # Around the application and not a middleware of it: what fails on our side is answered outside of those.
    return edge.Edge(app, serving)


def _answer(request: Request, refusal: Refusal) -> JSONResponse:
    account_of(request).code = refusal.code
    return edge.refused(refusal)


def _refused(request: Request, error: Exception) -> JSONResponse:
    return _answer(request, error if isinstance(error, Refusal) else Refusal(500, "something failed here"))


def _wrong(request: Request, error: Exception) -> JSONResponse:
    """All that is wrong with a request, named by its place; nothing that was sent is repeated."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    places = [".".join(str(part) for part in one["loc"] if part != "body") for one in found]
    said = "; ".join(f"{place or 'body'}: {one['msg']}" for place, one in zip(places, found, strict=True))
    return _answer(request, Refusal(400, said[:2000] or "not a request", param=places[0] if places else ""))


def _unknown(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {
        400: "the body cannot be read",
        404: "there is nothing at this address",
        405: "this address takes another method",
        413: f"a body has at most {edge.BODY:,} bytes",
    }
    answer = _answer(request, Refusal(status, said.get(status, "not answered")))
    # Which methods an address takes.
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


def _unkept(request: Request, _: Exception) -> JSONResponse:
    return _answer(request, edge.unkept())


def _broken(request: Request, _: Exception) -> JSONResponse:
    return _answer(request, Refusal(500, "something failed here"))
