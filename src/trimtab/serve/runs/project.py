"""The runs of a project as pages see them: found by name, with what works for their readers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path as Folder
from types import TracebackType
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from trimtab import run
from trimtab.errors import Overloaded
from trimtab.records import Report
from trimtab.run import RunFolder
from trimtab.serve.pages import Refused
from trimtab.serve.review.author import Deciding
from trimtab.serve.runs.bench import Bench
from trimtab.serve.runs.jobs import Job, Jobs

# Pages that are told live at once.
STREAMS = 32


class Project:
    """A folder of runs, while it is served.

    Attributes:
        ending: the server was told to stop, so that no answer may wait for more.
    """

    def __init__(self, root: Folder) -> None:
        self.root, self.jobs, self.bench = root, Jobs(), Bench()
        self.ending = False
        self.streaming = 0

    def __enter__(self) -> Project:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.leave()
        self.jobs.ending = True
        self.bench.stop()
        self.jobs.stop()

    def leave(self) -> None:
        """Let answers that wait for more end."""
        self.ending = True

    def begin(self, job: Job, task: Callable[[Report], Any]) -> None:
        """Do a task when those before it are done.

        Raises:
            Refused: 503, too many wait already, or the server is stopping.
        """
        try:
            self.jobs.begin(job, task)
        except Overloaded as error:
            raise Refused(503, f"{error.message[:1].upper()}{error.message[1:]}.") from None

    def runs(self) -> list[RunFolder]:
        """All runs, newest first, but those whose names no address can hold."""
        return [folder for folder in run.runs(self.root)[::-1] if folder.path.name.isprintable()]

    def find(self, name: str) -> RunFolder | None:
        """A run by its name, which is looked for among those that are there and never becomes a path."""
        return next((folder for folder in self.runs() if folder.path.name == name), None)

    @contextlib.contextmanager
    def stream(self) -> Iterator[bool]:
        """Whether one more page may be told live; it counts while the block lasts."""
        free = self.streaming < STREAMS
        self.streaming += free
        try:
            yield free
        finally:
            self.streaming -= free


def project_of(request: Request) -> Project:
    """The project that the application serves."""
    found: Project = request.app.state.project
    return found


Here = Annotated[Project, Depends(project_of)]
Name = Annotated[str, Path(max_length=200)]


def run_of(name: Name, asker: Deciding, project: Here) -> RunFolder:
    """The run that an address names, for an author.

    Raises:
        Refused: 401, 403, not an author; 404, there is no such run.
    """
    found = project.find(name)
    if found is None:
        raise Refused(404)
    return found


Run = Annotated[RunFolder, Depends(run_of)]
