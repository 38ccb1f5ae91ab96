"""From the store to what was said of whose answer: the one place where sides become stacks again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from trimtab.records import Message, Side, Vote
from trimtab.review.sampling import review_of
from trimtab.review.store import Store
from trimtab.review.tables import answers, items, judgements, people, tasks


@dataclass(frozen=True, slots=True)
class Said:
    """One judgement with all that was written beside it.

    Attributes:
        texts: the answers, by their stack.
        correction: a better answer than both; empty where none was written.
        flags: by stack, what its answer was flagged as.
        ratings: by rule and stack, whether its answer keeps the rule.
        forgotten: the rater was forgotten since.
    """

    vote: Vote
    person: int
    messages: tuple[Message, ...]
    texts: Mapping[str, str]
    reason: str
    correction: str
    flags: Mapping[str, tuple[str, ...]]
    ratings: Mapping[str, Mapping[str, bool]]
    version: str
    forgotten: bool


def said(store: Store, review: int) -> list[Said]:
    """All judgements of a review that stand, skipped pairs left out, in the order in which they were made.

    Raises:
        ReviewError: there is no such review.
    """
    with store.reading() as connection:
        review_of(connection, review)
        texts = texts_of(connection, review)
        return [_said(row, texts.get(row["item"], {})) for row in _rows(connection, review)]


def votes(store: Store, review: int) -> list[Vote]:
    """The same as votes alone."""
    return [one.vote for one in said(store, review)]


def order(store: Store, review: int) -> list[str]:
    """Ids of the items of the estimate, in the order in which they were drawn."""
    wanted = select(items.c.example).where(items.c.review == review, items.c.share == "estimate")
    with store.reading() as connection:
        return list(connection.scalars(wanted.order_by(items.c.position)))


def seen(store: Store, review: int) -> list[str]:
    """Ids of the items that were shown to a person, judged or not; those of the training are none of the data's."""
    wanted = select(items.c.example).distinct().join(tasks, tasks.c.item == items.c.id)
    with store.reading() as connection:
        found = connection.scalars(wanted.where(items.c.review == review, items.c.share != "training"))
        return sorted(found)


def _rows(connection: Connection, review: int) -> list[dict[str, Any]]:
    wanted = (
        select(
            judgements, tasks.c.item, tasks.c.person, tasks.c.left, tasks.c.right, tasks.c.again,
            items.c.example, items.c.share, items.c.good, items.c.messages, people.c.forgotten,
        )
        .join(tasks, judgements.c.task == tasks.c.id)
        .join(items, tasks.c.item == items.c.id)
        .join(people, tasks.c.person == people.c.id)
        .where(items.c.review == review, judgements.c.undone.is_(None), judgements.c.choice != "skip")
        .order_by(judgements.c.id)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(wanted).mappings()]


def texts_of(connection: Connection, review: int) -> dict[int, dict[str, str]]:
    """The answers of a review's items, by the number of the item and by stack."""
    found: dict[int, dict[str, str]] = {}
    wanted = select(answers).join(items, answers.c.item == items.c.id).where(items.c.review == review)
    for item, stack, text in connection.execute(wanted):
        found.setdefault(item, {})[stack] = text
    return found


def _said(row: Mapping[str, Any], texts: Mapping[str, str]) -> Said:
    stacks = {"left": row["left"], "right": row["right"]}
    expected: Side | None = None
    if row["good"]:
        expected = "left" if row["left"] == row["good"] else "right"
    vote = Vote(
        row["example"],
        str(row["person"]),
        row["left"],
        row["right"],
        row["choice"],
        row["seconds"],
        row["share"],
        row["again"],
        expected,
    )
    return Said(
        vote,
        row["person"],
        tuple(Message(role, content) for role, content in row["messages"]),
        texts,
        row["reason"],
        row["correction"],
        {stacks[side]: tuple(flags) for side, flags in row["flags"].items()},
        {
            rule: {stacks[side]: kept for side, kept in sides.items()}
            for rule, sides in row["ratings"].items()
        },
        row["version"],
        row["forgotten"] is not None,
    )
