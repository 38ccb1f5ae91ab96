"""Fixtures of stores on both databases: a file of SQLite, and PostgreSQL where its server is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.review import postgres
from trimtab.review.store import Store

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for the session."""
    if postgres.binaries() is None:
        reason = "PostgreSQL's server is not installed: apt-get install postgresql"
        if os.environ.get("TRIMTAB_CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres.temporary() as running:
        running.make_template()
        yield running


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store that was just opened for the first time."""
    path = tmp_path_factory.mktemp("opened") / "people.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        with request.getfixturevalue("server").database() as url:
            yield url


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An open store that nobody has written to."""
    if request.param == "sqlite":
        yield request.getfixturevalue("quick")
    else:
        with request.getfixturevalue("server").database("opened") as url:
            found = Store.open(url)
            yield found
            found.close()


@pytest.fixture
def quick(tmp_path: Path, opened: Path) -> Iterator[Store]:
    """An open store in a file, for what takes many judgements and does not depend on the database."""
    shutil.copy(opened, tmp_path / "people.db")
    found = Store.open(f"sqlite:///{tmp_path}/people.db")
    yield found
    found.close()
