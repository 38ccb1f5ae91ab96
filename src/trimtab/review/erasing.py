"""Texts taken out of a store for good: those of a run's items, and others that quote them. Choices stay.

What is kept of users of served models goes by rows: a row of which one text quotes somebody loses all its texts (an
answer may say in other words what was asked), and so do the rows that refer to it. A new table is among them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, Update, and_, select, update

from trimtab.review.people import note
from trimtab.review.store import Store
from trimtab.review.tables import Words, answers, comments, items, judgements, metadata, reviews, tasks

Holds = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Owned:
    """What is to go: items of runs, by the run's identity, and every text that holds one of somebody's.

    Attributes:
        items: ids of examples; holds: whether a text quotes one.
    """

    items: Mapping[str, Collection[str]]
    holds: Holds


def found(store: Store, owned: Owned) -> tuple[int, int]:
    """How many items there are, and how many texts beside theirs."""
    with store.reading() as connection:
        own = _items(connection, owned)
        quoting = sum(1 for _ in _quoting(connection, owned, own))
        return len(own), quoting + sum(1 for _ in _elsewhere(connection, owned))


def erase(store: Store, owned: Owned) -> None:
    """Empty them, so that no byte of them is left in the store. Doing it again does no harm."""
    with store.writing() as connection:
        own = _items(connection, owned)
        changes = [*_quoting(connection, owned, own), *_elsewhere(connection, owned)]
        for item in own:
            shown = select(tasks.c.id).where(tasks.c.item == item)
            connection.execute(update(items).where(items.c.id == item).values(messages=[]))
            connection.execute(update(answers).where(answers.c.item == item).values(text=""))
            of_item = update(judgements).where(judgements.c.task.in_(shown))
            connection.execute(of_item.values(reason="", correction=""))
        for change in changes:
            connection.execute(change)
        if own or changes:
            note(connection, None, "erased", f"{len(own)} items, {len(changes)} texts")
    store.purge()


def withdraw(connection: Connection, ids: Select[tuple[str]]) -> None:
    """Empty what reviews of live answers show of these answers, and what was written of it; choices stay."""
    shown = (
        select(items.c.id)
        .join(reviews, items.c.review == reviews.c.id)
        .where(reviews.c.purpose == "live", items.c.example.in_(ids))
    )
    of_items = judgements.c.task.in_(select(tasks.c.id).where(tasks.c.item.in_(shown)))
    connection.execute(update(answers).where(answers.c.item.in_(shown)).values(text=""))
    connection.execute(update(judgements).where(of_items).values(reason="", correction=""))
    connection.execute(update(items).where(items.c.id.in_(shown)).values(messages=[]))


def _items(connection: Connection, owned: Owned) -> list[int]:
    """Numbers of the items that are somebody's, and hold a text still."""
    wanted = select(items.c.id, items.c.example, items.c.messages, reviews.c.run).join(
        reviews, items.c.review == reviews.c.id
    )
    return [
        row.id
        for row in connection.execute(wanted.where(items.c.share != "training"))
        if row.messages and row.example in owned.items.get(row.run, ())
    ]


def _quoting(connection: Connection, owned: Owned, own: Collection[int]) -> Iterator[Update]:
    """A change for each text beside those items that quotes somebody's."""
    shown = set(connection.scalars(select(tasks.c.id).where(tasks.c.item.in_(own))))
    # Where texts stand, by which columns a row is known, and which of them says that it is one of the items'.
    for table, keys, column, of, gone in (
        (items, ("id",), "messages", "id", own),
        (answers, ("item", "stack"), "text", "item", own),
        (judgements, ("id",), "reason", "task", shown),
        (judgements, ("id",), "correction", "task", shown),
        (comments, ("id",), "text", "id", ()),
    ):
        for row in connection.execute(select(table)).mappings():
            if row[of] not in gone and any(map(owned.holds, _texts(row[column]))):
                yield _emptied(table, {key: row[key] for key in keys}, column, [] if table is items else "")


def _elsewhere(connection: Connection, owned: Owned) -> Iterator[Update]:
    """A change for each row of other tables that quotes somebody, or refers to one that does."""
    quoted: dict[str, set[Any]] = {}
    # A table comes after those that it refers to.
    for table in metadata.sorted_tables:
        written = [column for column in table.c if isinstance(column.type, Words)]
        own = [column.name for column in table.primary_key]
        if table in (answers, comments, judgements) or not written:
            continue
        hits = quoted[table.name] = set()
        of = [(key.parent.name, quoted.get(key.column.table.name, set())) for key in table.foreign_keys]
        for row in connection.execute(select(table)).mappings():
            texts = [row[column.name] or "" for column in written]
            if any(map(owned.holds, texts)) or any(row[name] in gone for name, gone in of):
                hits.add(row[own[0]])
                if any(texts):
                    here = and_(*(table.c[key] == row[key] for key in own))
                    yield update(table).where(here).values({column.name: "" for column in written})


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [content for _, content in value]


def _emptied(table: Table, row: Mapping[str, Any], column: str, nothing: Any) -> Update:
    here = and_(*(table.c[key] == value for key, value in row.items()))
    return update(table).where(here).values({column: nothing})
