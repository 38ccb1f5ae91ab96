"""One run that ships, tuned once for all tests of these pages, and a copy of it for each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.runs import made
from trimtab.run import RunFolder


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory, network: Path) -> RunFolder:
    """A run that ships; it is only read."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        return made.tuned(folder, network)


@pytest.fixture
def run(shipped: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of it in a project of the test's own."""
    return RunFolder(Path(shutil.copytree(shipped.path, tmp_path / "runs" / shipped.path.name)))


@pytest.fixture
def place(run: RunFolder) -> Iterator[made.Place]:
    """The project of that run, served."""
    found = made.place(run.path.parent)
    yield found
    found.close()
