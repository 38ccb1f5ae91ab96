"""Who may see and judge: invitations, sessions, roles. All that is kept of a person is the name that invited them."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Connection, CursorResult, delete, insert, select, update

from trimtab.errors import ReviewError, several
from trimtab.review.store import Store
from trimtab.review.tables import comments, events, judgements, keys, people, tasks

Role = Literal["author", "rater", "viewer"]
DAY = 86_400.0
SESSION_DAYS = 30.0
LONGEST_NAME = 80
LONGEST_DAYS = 3650.0


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who was invited."""

    id: int
    name: str
    role: Role


def invite(store: Store, name: str, role: Role, *, days: float = 30.0) -> str:
    """Let a person in, and return the token of their invitation, which works on several devices until it expires.

    Only its SHA-256 is kept, so that it cannot be shown again.

    Raises:
        ReviewError: an empty or long name, an unknown role, or no time to come.
    """
    name = name.strip()
    problems = []
    if not 1 <= len(name) <= LONGEST_NAME:
        problems.append(f"a name of {len(name)} characters: 1 to {LONGEST_NAME}")
    if role not in get_args(Role):
        problems.append(f"role {str(role)[:20]!r}: one of {', '.join(get_args(Role))}")
    if not 0 < days <= LONGEST_DAYS:
        problems.append(f"{days:g} days: more than 0, at most {LONGEST_DAYS:g}")
    if problems:
        raise ReviewError(f"nobody was invited:\n{several(problems)}", "a pseudonym is enough of a name")
    now = time.time()
    with store.writing() as connection:
        found = connection.execute(insert(people).values(name=name, role=role, invited=now))
        person = inserted(found)
        note(connection, person, "invited", role)
        return _key(connection, person, "invitation", days)


def invite_again(store: Store, person: int, *, days: float = 30.0) -> str:
    """Another invitation for someone who was invited before; earlier ones stay valid until they expire.

    Raises:
        ReviewError: there is no such person, or they were forgotten.
    """
    with store.writing() as connection:
        _known(connection, person)
        note(connection, person, "invited", "again")
        return _key(connection, person, "invitation", days)


def enter(store: Store, token: str) -> tuple[str, Person] | None:
    """Begin a session with an invitation: its token and whose it is; None where the invitation is not valid."""
    with store.writing() as connection:
        person = _owner(connection, token, "invitation")
        if person is None:
            return None
        session = _key(connection, person.id, "session", SESSION_DAYS)
        note(connection, person.id, "entered", "")
    return session, person


def who(store: Store, session: str) -> Person | None:
    """Whose session this is; None where it has ended or never was."""
    with store.reading() as connection:
        return _owner(connection, session, "session")


def leave(store: Store, session: str) -> None:
    """End a session."""
    with store.writing() as connection:
        ended = update(keys).where(keys.c.hash == _hash(session), keys.c.kind == "session")
        connection.execute(ended.values(revoked=time.time()))


def revoke(store: Store, person: int) -> None:
    """End a person's invitations and sessions; what they judged stays.

    Raises:
        ReviewError: there is no such person.
    """
    with store.writing() as connection:
        _known(connection, person)
        valid = update(keys).where(keys.c.person == person, keys.c.revoked.is_(None))
        connection.execute(valid.values(revoked=time.time()))
        note(connection, person, "revoked", "")


def everyone(store: Store) -> list[Person]:
    """All who were invited and not forgotten, in that order."""
    with store.reading() as connection:
        rows = connection.execute(
            select(people.c.id, people.c.name, people.c.role)
            .where(people.c.forgotten.is_(None))
            .order_by(people.c.id)
        )
        return [Person(*row) for row in rows]


def forget(store: Store, person: int) -> None:
    """Erase what is known of a person: name, invitations, sessions, and every text that they wrote.

    Their choices stay, under a number that leads to nobody. What is erased is gone from the disk too (`Store.purge`).

    Raises:
        ReviewError: there is no such person.
    """
    with store.writing() as connection:
        _known(connection, person)
        connection.execute(delete(keys).where(keys.c.person == person))
        connection.execute(update(comments).where(comments.c.person == person).values(text=""))
        theirs = select(tasks.c.id).where(tasks.c.person == person)
        connection.execute(
            update(judgements).where(judgements.c.task.in_(theirs)).values(reason="", correction="")
        )
        connection.execute(update(people).where(people.c.id == person).values(name="", forgotten=time.time()))
        note(connection, person, "forgotten", "")
    store.purge()


def note(connection: Connection, person: int | None, what: str, about: str) -> None:
    """Enter into the audit log who did what; never a text that someone wrote."""
    connection.execute(insert(events).values(at=time.time(), person=person, what=what, about=about[:200]))


def inserted(result: CursorResult[Any]) -> int:
    """The number that a new row was given."""
    key = result.inserted_primary_key
    return int(key[0]) if key is not None else 0


def _key(connection: Connection, person: int, kind: str, days: float) -> str:
    token, now = secrets.token_urlsafe(24), time.time()
    connection.execute(
        insert(keys).values(hash=_hash(token), person=person, kind=kind, made=now, expires=now + days * DAY)
    )
    return token


def _owner(connection: Connection, token: str, kind: str) -> Person | None:
    found = connection.execute(
        select(people.c.id, people.c.name, people.c.role)
        .join(keys, keys.c.person == people.c.id)
        .where(
            keys.c.hash == _hash(token),
            keys.c.kind == kind,
            keys.c.revoked.is_(None),
            keys.c.expires > time.time(),
        )
    ).first()
    return Person(*found) if found else None


def _known(connection: Connection, person: int) -> None:
    there = select(people.c.id).where(people.c.id == person, people.c.forgotten.is_(None))
    if connection.execute(there).first() is None:
        raise ReviewError(f"no person has the number {person}", "see them with: trimtab review RUN --people")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
