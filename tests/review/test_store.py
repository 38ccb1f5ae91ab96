"""Opening, migrating, reading and writing a store, on both databases."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, inspect, select, text

from tests.review.postgres import PASSWORD, Server
from trimtab.errors import MissingPart, ReviewError
from trimtab.review.store import MIGRATIONS, Store
from trimtab.review.tables import events, metadata, people

OPEN = "import sys; from trimtab.review.store import Store; Store.open(sys.argv[1]).close()"


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.reading() as connection:
        names = [*metadata.tables, "alembic_version"]
        return {
            name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))] for name in names
        }


def event(what: str) -> dict[str, object]:
    return {"at": 0.0, "what": what, "about": ""}


def test_the_migrations_make_the_tables(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        standing = {index["name"]: index for index in inspect(connection).get_indexes("judgements")}
        assert standing["uq_judgements_standing"]["unique"]
        wheres = standing["uq_judgements_standing"]["dialect_options"].values()
        assert any("undone IS NULL" in str(where) for where in wheres)


def test_a_missing_index_would_be_seen(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("DROP INDEX ix_tasks_item"))
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) != []


def test_opening_again_changes_nothing(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(insert(people).values(name="Ada", role="rater", invited=1.0))
    before = contents(store)
    again = Store.open(store.engine.url.render_as_string(hide_password=False))
    assert contents(again) == before
    again.close()


def test_processes_that_open_a_new_store_at_once_all_succeed(empty: str) -> None:
    command = [sys.executable, "-W", "error", "-c", OPEN, empty]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in started] == [""] * 3
    assert [process.returncode for process in started] == [0] * 3


def test_threads_that_open_new_stores_at_once_all_succeed(tmp_path: Path) -> None:
    failed: list[BaseException] = []

    def begin(number: int) -> None:
        try:
            Store.open(f"sqlite:///{tmp_path}/{number % 4}.db").close()
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_store_of_a_newer_trimtab_is_refused(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = contents(store)
    with pytest.raises(ReviewError, match="written by a newer Trimtab") as caught:
        Store.open(store.engine.url.render_as_string(hide_password=False))
    assert "upgrade" in str(caught.value.hint)
    assert PASSWORD not in str(caught.value)
    assert contents(store) == before


def test_what_fails_leaves_nothing(store: Store) -> None:
    def half() -> None:
        with store.writing() as connection:
            connection.execute(insert(events).values(**event("half")))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert contents(store)["events"] == []


def test_a_reader_sees_one_state(store: Store) -> None:
    with store.reading() as reader:
        assert reader.scalar(select(func.count()).select_from(events)) == 0
        with store.writing() as writer:
            writer.execute(insert(events).values(**event("later")))
        assert reader.scalar(select(func.count()).select_from(events)) == 0
    assert len(contents(store)["events"]) == 1


def test_a_reader_cannot_change_postgresql(server: Server) -> None:
    with server.database("opened") as url:
        found = Store.open(url)
        with pytest.raises(ReviewError, match="read-only transaction"), found.reading() as reader:
            reader.execute(insert(events).values(**event("sneaked")))
        found.close()


def test_writers_of_two_processes_wait_for_each_other(store: Store) -> None:
    """What is counted first and written then still fits: the second store is that of another process."""
    other = Store.open(store.engine.url.render_as_string(hide_password=False))

    def add(one: Store) -> None:
        with one.writing() as connection:
            count = connection.scalar(select(func.count()).select_from(events))
            time.sleep(0.1)
            connection.execute(insert(events).values(**event(str(count))))

    threads = [threading.Thread(target=add, args=(one,)) for one in (store, other, store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert [row[3] for row in contents(store)["events"]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "people.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "mysql://user@host/name",
        "postgresql://h:x/n",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ReviewError, match="address") as caught:
        Store.open(url)
    assert "sqlite:///path/people.db" in str(caught.value.hint)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 100, encoding="utf-8")
    with pytest.raises(ReviewError, match=r"notes\.txt: file is not a database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_text(encoding="utf-8").startswith("not a database")


@pytest.mark.parametrize("path", ["notes.txt/people.db", "folder"])
def test_a_path_that_cannot_be_opened_is_named(path: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a file", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ReviewError, match=path) as caught:
        Store.open(f"sqlite:///{tmp_path}/{path}")
    assert caught.value.hint


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(ReviewError, match=r"127\.0\.0\.1:1/people: ") as caught:
        Store.open("postgresql://ada:seldom-guessed@127.0.0.1:1/people")
    assert "seldom-guessed" not in f"{caught.value} {caught.value.hint}"
    assert "running server" in str(caught.value.hint)


def test_a_wrong_password_or_database_is_named_without_the_password(server: Server) -> None:
    with pytest.raises(ReviewError, match="password authentication failed") as caught:
        Store.open(server.address("opened").replace(PASSWORD, "wrong-one"))
    assert "wrong-one" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(ReviewError, match='database "nowhere" does not exist') as caught:
        Store.open(server.address("nowhere"))
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"


def test_a_lost_connection_is_an_error_with_a_hint_and_the_next_one_works(server: Server) -> None:
    with server.database("opened") as url:
        found = Store.open(url)

        def lose() -> None:
            with found.writing() as connection:
                server.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'store_%'"
                )
                connection.execute(insert(events).values(**event("lost")))

        with pytest.raises(ReviewError) as caught:
            lose()
        assert "do it again" in str(caught.value.hint)
        with found.writing() as connection:
            connection.execute(insert(events).values(**event("kept")))
        assert [row[3] for row in contents(found)["events"]] == ["kept"]
        found.close()


def test_a_full_disk_is_an_error_with_a_hint_and_nothing_is_half_written(tmp_path: Path) -> None:
    found = Store.open(f"sqlite:///{tmp_path}/people.db")
    with found.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(ReviewError, match="disk is full") as caught, found.writing() as connection:
        connection.execute(insert(events), [event("x" * 30) for _ in range(5000)])
    assert "room" in str(caught.value.hint)
    assert contents(found)["events"] == []
    found.close()


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    found = Store.open(f"sqlite:///{tmp_path}/deep/people.db")
    with found.writing() as connection:
        connection.execute(insert(events).values(**event("x")))
        modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "deep").iterdir()}
    found.close()
    assert modes
    assert set(modes.values()) == {0}


def test_what_is_written_is_on_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    found = Store.open(f"sqlite:///{tmp_path}/people.db")
    with found.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with found.writing() as connection:
        connection.execute(insert(events).values(**event("kept")))
    with sqlite3.connect(tmp_path / "people.db") as other:
        assert other.execute("SELECT what FROM events").fetchall() == [("kept",)]
    other.close()
    found.close()


def test_postgresql_needs_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pg8000", None)
    with pytest.raises(MissingPart) as caught:
        Store.open("postgresql://ada@127.0.0.1/people")
    assert "trimtab[postgresql]" in str(caught.value.hint)


def test_the_migrations_are_part_of_the_package() -> None:
    spec = importlib.util.find_spec("trimtab.review")
    assert spec is not None
    assert spec.origin is not None
    assert MIGRATIONS.parent == Path(os.path.dirname(spec.origin))
    assert {path.suffix for path in MIGRATIONS.iterdir()} >= {".py", ".mako"}
