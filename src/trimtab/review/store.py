"""The store of judgements: SQLite in a file by default, PostgreSQL by URL; opened, migrated, read and written.

What `writing` ends without an error is on disk, also when the process is killed at once afterwards. There is one writer
at a time, in PostgreSQL too, so that what is counted first and written then still fits.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
    TimeoutError,
)

from trimtab.errors import MissingPart, ReviewError, StoreError
from trimtab.review.tables import metadata

# Beside the runs, unless this variable names another place: an address may hold a password, which has no place on a
# command line.
FILE, VARIABLE = "people.db", "TRIMTAB_DATABASE"
MIGRATIONS = Path(__file__).parent / "migrations"
# Seconds that a writer waits for the others, who each hold the file for some milliseconds.
PATIENCE = 30.0
# Any number, the same for all: what a writer holds in PostgreSQL.
LOCK = 7_341_952
ADDRESSES = "sqlite:///path/people.db, or postgresql://user:password@host/database of a running server"
AGAIN = "see that its server runs and its disk has room, then do it again: nothing was half written"
# Classes of PostgreSQL's errors (SQLSTATE) that are not of our making: connection, authorization, read-only, unknown
# database, privileges, resources, locks, the operator, the system, the server itself.
THEIRS = ("08", "28", "25", "3D", "42501", "53", "55", "57", "58", "XX")
# Alembic keeps where it is in variables of its module.
_migrating = threading.Lock()


def named() -> str:
    """The URL of the store that the environment names; empty where it names none."""
    return os.environ.get(VARIABLE, "")


@dataclass(frozen=True, slots=True)
class Store:
    """An open store."""

    engine: Engine
    # Within a process writers stand in line here; between processes SQLite lets the luckiest through.
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def open(cls, url: str) -> Store:
        """Open a store by its URL, `sqlite:///path` or `postgresql://user@host/name`, and bring its tables up to date.

        Raises:
            ReviewError: the URL is wrong, the database cannot be reached, or a newer Trimtab wrote it.
            MissingPart: PostgreSQL without its driver.
        """
        store = cls(_engine(url))
        try:
            with _connected(store.engine, writing=True, hint=ADDRESSES) as connection, _migrating:
                _migrate(connection)
        except BaseException:
            store.close()
            raise
        return store

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are all kept when the block ends, or none of them.

        Raises:
            StoreError: the database cannot be reached or written.
        """
        with self.turn, _connected(self.engine, writing=True) as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the store.

        Raises:
            StoreError: the database cannot be reached.
        """
        with _connected(self.engine, writing=False) as connection:
            yield connection

    def purge(self) -> None:
        """Let nothing of what was erased stay on disk: in free pages, dead rows, or the log of SQLite.

        PostgreSQL's own log and backups of either are out of reach.
        """
        with contextlib.closing(self.engine.raw_connection()) as plain:
            if self.engine.dialect.name == "sqlite":
                plain.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return
            written = ", ".join(metadata.tables)
            own: Any = plain.driver_connection
            try:
                # It cannot be done in a transaction.
                own.rollback()
                own.autocommit = True
                own.cursor().execute(f"VACUUM FULL {written}")
            finally:
                # The pool does not get it back as it is now.
                plain.invalidate()

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


@contextlib.contextmanager
def _connected(engine: Engine, *, writing: bool, hint: str = AGAIN) -> Iterator[Connection]:
    try:
        with engine.connect() as plain:
            connection = plain.execution_options(writing=writing)
            with connection.begin():
                yield connection
    except (DBAPIError, TimeoutError) as error:
        if not _theirs(error):
            raise
        shown = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"{shown}: {_reason(error)}", hint) from None


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+pg8000")
        if address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:"):
            return _sqlite(address)
        if address.get_backend_name() == "postgresql":
            return _postgresql(address)
    except (ArgumentError, NoSuchModuleError, ValueError):
        pass
    raise ReviewError("the address of the store of judgements is none", ADDRESSES)


def _sqlite(address: URL) -> Engine:
    path = Path(str(address.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Names and what people wrote: for nobody else on the machine. An empty file is an empty database.
        path.touch(mode=0o600)
    except OSError as error:
        raise ReviewError(f"{path}: cannot be opened: {error.strerror}", ADDRESSES) from None
    engine = create_engine(address, connect_args={"timeout": PATIENCE})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # The driver would begin transactions by itself, and late: each begins below, as it is meant.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its place at once: two that read first and then write would block each other.
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql(address: URL) -> Engine:
    try:
        engine = create_engine(address, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise MissingPart(
            f"PostgreSQL cannot be reached without {error.name}", 'pip install "trimtab[postgresql]"'
        ) from None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        if writing:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        elif writing is False:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        shown = connection.engine.url.render_as_string(hide_password=True)
        raise ReviewError(f"{shown}: written by a newer Trimtab", "upgrade, then open it again") from None


def _theirs(error: Exception) -> bool:
    """Whether an error is the database's, and not a wrong statement of ours."""
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return True
    said = error.orig.args[0] if error.orig and error.orig.args else ""
    if isinstance(said, dict):
        return str(said.get("C", "")).startswith(THEIRS)
    return not isinstance(error, ProgrammingError | IntegrityError | DataError)


def _reason(error: Exception) -> str:
    said: Any = error.orig if isinstance(error, DBAPIError) else error
    # The driver of PostgreSQL hands on the fields of the server's answer.
    if said is not None and said.args and isinstance(said.args[0], dict):
        said = said.args[0].get("M", "")
    lines = str(said).splitlines()
    return lines[0][:200] if lines else "no reason given"
