"""A project with runs in a folder of its own, its application, and its author."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

import trimtab
from tests import projects
from tests.serve.made import field
from trimtab import reviewing
from trimtab.review import people
from trimtab.review.store import Store
from trimtab.run import RunFolder
from trimtab.serve.app import application
from trimtab.serve.limits import Limits, Rate
from trimtab.serve.runs.project import Project

QUICK = Rate(10_000, 10_000)


@dataclass
class Place:
    """Runs that are served."""

    root: Path
    store: Store
    project: Project

    @property
    def app(self) -> Any:
        """The application."""
        return application(self.store, limits=Limits(QUICK, QUICK, QUICK), project=self.project)

    def client(self) -> TestClient:
        """A browser without scripts, and not signed in."""
        return TestClient(self.app, raise_server_exceptions=False)

    def joined(self, role: people.Role = "author") -> TestClient:
        """The browser of someone who has come in by an invitation."""
        client = self.client()
        path = f"/join/{people.invite(self.store, 'Ada', role)}"
        answer = client.post(path, data={"seal": field(client.get(path).text, "seal")})
        assert answer.status_code == 200, answer.text
        return client

    def close(self) -> None:
        """Stop what works for it."""
        self.project.__exit__(None, None, None)
        self.store.close()


def place(root: Path) -> Place:
    """The runs in a folder, served."""
    root.mkdir(parents=True, exist_ok=True)
    return Place(root, Store.open(reviewing.beside(root)), Project(root))


def tuned(folder: Path, network: Path, **changes: Any) -> RunFolder:
    """A run that ships."""
    return trimtab.tune(projects.written(folder, network, **changes), root=folder / "runs").folder


def copied(run: RunFolder, name: str) -> RunFolder:
    """The same run under another name."""
    return RunFolder(Path(shutil.copytree(run.path, run.path.with_name(name))))
