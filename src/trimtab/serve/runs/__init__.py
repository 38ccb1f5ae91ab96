"""The pages of a project's runs: live ladders, reports, two runs or two stacks side by side, the start of a review."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> tuple[APIRouter, ...]:
    """The routes of all these pages, which need more than those of a review: they are imported now."""
    from trimtab.serve.runs import comparing, live, looking, reviewing, trying

    return looking.router, live.router, comparing.router, trying.router, reviewing.router
