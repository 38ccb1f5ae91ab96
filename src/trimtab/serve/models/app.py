"""The application that serves models: its routes, and how refusals are said."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from trimtab.serve.models import api, health
from trimtab.serve.models.schema import Refusal
from trimtab.serve.models.serving import Serving


def application(serving: Serving) -> FastAPI:
    """The interface to what is served."""
    app = FastAPI(title="Trimtab", version="1", docs_url=None, redoc_url=None)
    app.state.serving = serving
    app.include_router(api.router)
    app.include_router(health.router)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _wrong)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(Exception, _broken)
    return app


def _answer(refusal: Refusal) -> JSONResponse:
    again = {"retry-after": "1"} if refusal.status in (429, 503) else {}
    return JSONResponse(refusal.content, refusal.status, headers=again)


def _refused(_: Request, error: Exception) -> JSONResponse:
    return _answer(error if isinstance(error, Refusal) else Refusal(500, "something failed here"))


def _wrong(_: Request, error: Exception) -> JSONResponse:
    """All that is wrong with a request, named by its place; nothing that was sent is repeated."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    places = [".".join(str(part) for part in one["loc"] if part != "body") for one in found]
    said = "; ".join(f"{place or 'body'}: {one['msg']}" for place, one in zip(places, found, strict=True))
    return _answer(Refusal(400, said[:2000] or "not a request", param=places[0] if places else ""))


def _unknown(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {404: "there is nothing at this address", 405: "this address takes another method"}
    return _answer(Refusal(status, said.get(status, "not answered")))


def _broken(_: Request, __: Exception) -> JSONResponse:
    return _answer(Refusal(500, "something failed here"))
