"""The store of judgements: SQLite in a file by default, PostgreSQL by URL; opened, migrated, read and written.

What `writing` ends without an error is on disk, also when the process is killed at once afterwards.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from trimtab.errors import ReviewError

MIGRATIONS = Path(__file__).parent / "migrations"
# Seconds that a writer waits for the others, who each hold the file for some milliseconds.
PATIENCE = 30.0
# Any number, the same for all: only one process at a time brings the tables up to date.
LOCK = 7_341_952


@dataclass(frozen=True, slots=True)
class Store:
    """An open store."""

    engine: Engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Open a store by its URL, `sqlite:///path` or `postgresql://user@host/name`, and bring its tables up to date.

        Raises:
            ReviewError: the URL is wrong, the database cannot be reached, or a newer Trimtab wrote it.
        """
        engine = _engine(url)
        shown = engine.url.render_as_string(hide_password=True)
        try:
            with _connected(engine, writing=True) as connection:
                _migrate(connection)
        except CommandError:
            raise ReviewError(f"{shown}: written by a newer Trimtab", "upgrade, then open it again") from None
        except DBAPIError as error:
            raise ReviewError(
                f"{shown}: cannot be opened: {_first_line(error.orig)}",
                "sqlite:///path/people.db, or postgresql://user:password@host/database of a running server",
            ) from None
        return cls(engine)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are all kept when the block ends, or none of them."""
        with _connected(self.engine, writing=True) as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the store."""
        with _connected(self.engine, writing=False) as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


@contextlib.contextmanager
def _connected(engine: Engine, *, writing: bool) -> Iterator[Connection]:
    with engine.connect() as plain:
        connection = plain.execution_options(writing=writing)
        with connection.begin():
            yield connection


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+pg8000")
        if address.get_backend_name() == "sqlite":
            return _sqlite(address)
        return create_engine(address, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError):
        raise ReviewError(
            "the address of the store of judgements is none",
            "sqlite:///path/people.db, or postgresql://user:password@host/database",
        ) from None


def _sqlite(address: Any) -> Engine:
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, connect_args={"timeout": PATIENCE})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # The driver would begin transactions by itself, and late: each begins below, as it is meant.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its place at once: two that read first and then write would block each other.
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _first_line(error: BaseException | None) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else "no reason given"
