"""Whether the server lives, whether it answers, and its counts, for whatever watches it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from trimtab.serve.models.counts import FORM

router = APIRouter()


@router.get("/healthz")
def lives() -> dict[str, str]:
    """It lives."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "It stops."}})
def answers(request: Request) -> JSONResponse:
    """It answers requests; it does not while it stops."""
    ready = request.app.state.serving.engine.alive
    return JSONResponse({"status": "ok" if ready else "stopping"}, 200 if ready else 503)


@router.get("/metrics", response_class=Response)
def counts(request: Request) -> Response:
    """What it counted since it began, for Prometheus."""
    return Response(request.app.state.serving.counts.text(), headers={"content-type": FORM})
