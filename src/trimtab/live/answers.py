"""Answers that were given, as far as the operator has them kept; who has no owner is asked for by nobody."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select

from trimtab.errors import ReviewError
from trimtab.review import erasing
from trimtab.review.people import note
from trimtab.review.store import Store
from trimtab.review.tables import api_keys, feedback, live_answers
from trimtab.watch.rows import Traffic


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer.

    Attributes:
        id: the response's, a dash, and the number of the choice.
        time: when it was given, ISO 8601, UTC.
        owner: id of the key that asked; empty where no key was asked for.
        model: the name that was asked for, of a stack or a profile.
        prompt, answer: what the user said last, and what was answered; empty where texts are not kept.
        confidence: in [0, 1]; None where the stack gives none. fired: ids of rules that changed the answer.
        arm: what a profile chose for this answer; empty where it chose nothing.
    """

    id: str
    time: str
    owner: str
    model: str
    stack: str
    prompt: str
    answer: str
    confidence: float | None
    fired: tuple[str, ...]
    arm: str = ""


def keep(store: Store, rows: Sequence[Kept]) -> None:
    """Keep answers; when this returns they are on disk. Those of a user who was forgotten meanwhile are not kept.

    Raises:
        StoreError: the database cannot be reached or written.
    """
    owners = {one.owner for one in rows}
    with store.writing() as connection:
        left = select(api_keys.c.id).where(api_keys.c.id.in_(owners), api_keys.c.name == "")
        gone = set(connection.scalars(left))
        if wanted := [_row(one) for one in rows if one.owner not in gone]:
            connection.execute(insert(live_answers), wanted)


def found(store: Store, id: str, owner: str) -> Kept | None:
    """An answer by its id; None where there is none of this owner's."""
    wanted = select(live_answers).where(live_answers.c.id == id, live_answers.c.owner == owner)
    with store.reading() as connection:
        row = connection.execute(wanted).mappings().first()
    return of_row(row) if row is not None else None


def kept(
    store: Store, *, model: str = "", stack: str = "", since: str = "", owner: str | None = None
) -> list[Kept]:
    """Answers in the order in which they were given; of one owner where one is named, "" being those without a key.

    Args:
        since: ISO 8601, UTC where it names no zone; empty: from the beginning.

    Raises:
        ReviewError: `since` is no time.
    """
    wanted = select(live_answers).where(*only(model=model, stack=stack, since=since, owner=owner))
    with store.reading() as connection:
        rows = connection.execute(wanted.order_by(live_answers.c.time, live_answers.c.id)).mappings()
        return [of_row(row) for row in rows]


def traffic(rows: Iterable[Kept]) -> list[Traffic]:
    """The same as what is watched."""
    return [Traffic(row.time, row.prompt, row.answer, row.confidence, row.fired, row.stack) for row in rows]


def forget(store: Store, *, model: str = "", owner: str | None = None, before: str = "") -> int:
    """Delete answers and what was said of them, so that no byte is left in the store; how many there were.

    Args:
        before: only those given earlier, ISO 8601.
    """
    wanted = only(model=model, owner=owner)
    if before:
        wanted.append(live_answers.c.time < seconds(before))
    with store.writing() as connection:
        gone = _delete(connection, select(live_answers.c.id).where(*wanted))
        if gone:
            note(connection, None, "answers forgotten", f"{gone} answers")
    if gone:
        store.purge()
    return gone


def only(
    *, model: str = "", stack: str = "", since: str = "", owner: str | None = None
) -> list[ColumnElement[bool]]:
    """Conditions on the table of answers."""
    wanted: list[ColumnElement[bool]] = []
    if model:
        wanted.append(live_answers.c.model == model)
    if stack:
        wanted.append(live_answers.c.stack == stack)
    if since:
        wanted.append(live_answers.c.time >= seconds(since))
    if owner is not None:
        wanted.append(live_answers.c.owner == owner)
    return wanted


def seconds(text: str) -> float:
    """ISO 8601 as seconds since 1970; UTC where it names no zone.

    Raises:
        ReviewError: it is no time.
    """
    try:
        found = datetime.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ReviewError(
            f"{text[:40]!r} is no time", "write it as 2026-03-31 or 2026-03-31T12:00:00"
        ) from None


def iso(at: float) -> str:
    """Seconds since 1970 as ISO 8601, UTC, to the microsecond."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="microseconds")


def of_row(row: Any) -> Kept:
    """An answer as a row of the table says it."""
    fields = {name: row[name] for name in Kept.__slots__}
    return Kept(**fields | {"time": iso(row["time"]), "fired": tuple(row["fired"])})


def _row(one: Kept) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in Kept.__slots__}
    return fields | {"time": seconds(one.time), "fired": list(one.fired)}


def _delete(connection: Any, ids: Any) -> int:
    erasing.withdraw(connection, ids)
    connection.execute(delete(feedback).where(feedback.c.answer.in_(ids)))
    return int(connection.execute(delete(live_answers).where(live_answers.c.id.in_(ids))).rowcount)
