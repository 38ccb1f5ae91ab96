"""The style sheet, the script and the icon of the pages: read once, so that no address leads to a file."""

from __future__ import annotations

import functools
from importlib import resources

from fastapi import APIRouter
from starlette.responses import Response

from trimtab.serve.pages import Refused

router = APIRouter(prefix="/assets")
# Name: its type, and the files it is made of, each with its package.
ASSETS = {
    "pages.css": (
        "text/css",
        (
            ("trimtab.document", "templates/theme.css"),
            ("trimtab.document", "templates/report.css"),
            ("trimtab.serve", "static/review.css"),
            ("trimtab.serve", "static/runs.css"),
        ),
    ),
    "icon.svg": ("image/svg+xml", (("trimtab.serve", "static/icon.svg"),)),
    "review.js": ("text/javascript", (("trimtab.serve", "static/review.js"),)),
    "runs.js": ("text/javascript", (("trimtab.serve", "static/runs.js"),)),
}


@router.get("/{name}")
def asset(name: str) -> Response:
    """One of them."""
    if name not in ASSETS:
        raise Refused(404)
    kind, _ = ASSETS[name]
    return Response(_content(name), media_type=kind, headers={"cache-control": "max-age=300"})


@functools.cache
def _content(name: str) -> str:
    _, files = ASSETS[name]
    return "\n".join((resources.files(package) / path).read_text(encoding="utf-8") for package, path in files)
