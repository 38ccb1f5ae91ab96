"""A run while it is tuned: how far it is and how its rungs came out, told as that changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from trimtab import tracking
from trimtab.document import pages, rungs
from trimtab.document.figures import duration, known
from trimtab.document.listing import TUNING, Listed, listed
from trimtab.document.sections import Table
from trimtab.errors import RunError
from trimtab.records import Progress
from trimtab.run import RunFolder
from trimtab.serve.runs.project import Here, Project, Run

router = APIRouter()
# Seconds between two looks at the folder; looks after which a page says that it is still there, and after which it is
# let go: the browser asks again by itself.
EVERY, SILENT, LONGEST = 1.0, 15, 900


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands.

    Attributes:
        progress: what it said last of itself; None where it says nothing.
        climb: its rungs, those that are still ahead included.
    """

    run: Listed
    progress: Progress | None
    climb: Table
    budget: str = ""

    @property
    def tuning(self) -> bool:
        """Whether a process works on it."""
        return self.run.outcome == TUNING

    def pieces(self) -> dict[str, str]:
        """The parts of the page that change, as HTML, by the ids of their places."""
        context: dict[str, Any] = {"standing": self}
        if self.progress is not None:
            context |= {"share": tracking.share(self.progress), "facts": tracking.facts(self.progress)}
        return {
            name: pages.page(f"runs/{name}.html.j2", context, "trimtab.serve")
            for name in ("progress", "climb")
        }


def standing(folder: RunFolder) -> Standing:
    """Where a run stands, as far as its folder can be read."""
    try:
        recipe = folder.recipe()
    except RunError:
        recipe = {}
    ladder, goal, budget = (_mapping(recipe, key) for key in ("ladder", "goal", "budget"))
    try:
        entries = folder.read("ladder.json")["rungs"] if folder.has("ladder.json") else []
    except (RunError, KeyError):
        entries = []
    found = listed(folder)
    tried = {entry["rung"] for entry in entries}
    ahead = [str(rung) for rung in ladder if rung not in tried] if found.outcome == TUNING else []
    least, minutes = goal.get("min_gain"), budget.get("minutes")
    table = rungs.climb(entries, float(least) if known(least) else 0.0, ahead)
    said = duration(60 * minutes) if known(minutes) else ""
    return Standing(found, tracking.progress(folder), table, said)


@router.get("/runs/{name}/events")
async def events(folder: Run, project: Here) -> Response:
    """What changes on the page of a run that is tuned, as server-sent events."""
    return StreamingResponse(_told(project, folder), media_type="text/event-stream")


async def _told(project: Project, folder: RunFolder) -> AsyncIterator[str]:
    """Pieces of the page when they change, until the run ends, the reader leaves, or the server does."""
    told: dict[str, str] = {}
    with project.stream() as free:
        if not free:
            yield _event("full", "")
            return
        for look in range(LONGEST):
            now = await asyncio.to_thread(standing, folder)
            pieces = await asyncio.to_thread(now.pieces)
            for name, piece in pieces.items():
                if told.get(name) != piece:
                    yield _event(name, piece)
            told = pieces
            if not now.tuning:
                yield _event("end", "")
                return
            if look % SILENT == 0:
                yield ": still there\n\n"
            await asyncio.sleep(EVERY)
            if project.ending:
                return


def _event(name: str, content: str) -> str:
    lines = "".join(f"data: {line}\n" for line in content.replace("\r", "").split("\n"))
    return f"event: {name}\n{lines}\n"


def _mapping(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}
