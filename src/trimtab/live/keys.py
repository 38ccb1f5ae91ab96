"""Keys to served models: made once, kept as a hash, each for some models or all.

A key is 256 random bits, which nobody guesses: SHA-256 alone keeps it (a slow or salted hash guards what people
choose), and looking a hash up tells a watch nothing, since who sends a key cannot steer its hash.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from trimtab.errors import ReviewError, several
from trimtab.review.people import LONGEST_NAME, note
from trimtab.review.store import Store
from trimtab.review.tables import LONG, api_keys

# What a key begins with, so that one that was left lying about is recognised; bytes that are drawn.
MARK, BYTES = "tt-", 32
SHAPE = re.compile(re.escape(MARK) + "[A-Za-z0-9_-]{43}")
MOST_MODELS = 1000


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the server knows it.

    Attributes:
        id: under which answers and feedback are kept.
        models: names of served models that it opens; empty: all.
        made, revoked: seconds since 1970; None where it is valid.
    """

    id: str
    name: str
    models: tuple[str, ...] = ()
    made: float = 0.0
    revoked: float | None = None

    def opens(self, model: str) -> bool:
        """Whether a model may be asked for with it."""
        return not self.models or model in self.models


def made(store: Store, name: str, models: Sequence[str] = ()) -> str:
    """Make a key and return it: it cannot be shown again.

    Raises:
        ReviewError: an empty or long name, one that a valid key has, or no name of a model.
    """
    name, wanted = name.strip(), tuple(dict.fromkeys(one.strip() for one in models))
    problems = []
    if not 1 <= len(name) <= LONGEST_NAME:
        problems.append(f"a name of {len(name)} characters: 1 to {LONGEST_NAME}")
    if not all(1 <= len(one) <= LONG for one in wanted) or len(wanted) > MOST_MODELS:
        problems.append(f"models: at most {MOST_MODELS}, each of 1 to {LONG} characters")
    if problems:
        raise ReviewError(f"no key was made:\n{several(problems)}", "a pseudonym is enough of a name")
    key = MARK + secrets.token_urlsafe(BYTES)
    id, now = secrets.token_hex(8), time.time()
    with store.writing() as connection:
        valid = select(api_keys.c.id).where(api_keys.c.name == name, api_keys.c.revoked.is_(None))
        if connection.execute(valid).first() is not None:
            raise ReviewError(f"there is a key called {name!r}", "revoke it first, or choose another name")
        row = insert(api_keys).values(id=id, hash=_hash(key), name=name, models=wanted, made=now)
        connection.execute(row)
        note(connection, None, "key made", id)
    return key


def known(store: Store, text: str) -> Key | None:
    """Whose key a text is; None where it is none, or was revoked."""
    wanted = select(api_keys).where(api_keys.c.hash == _hash(text), api_keys.c.revoked.is_(None))
    with store.reading() as connection:
        row = connection.execute(wanted).first()
    return _key(row) if row is not None else None


def shaped(text: str) -> bool:
    """Whether a text could be a key: what cannot is not looked for."""
    return SHAPE.fullmatch(text) is not None


def needed(store: Store) -> bool:
    """Whether a key was ever made: revoking the last one opens nothing."""
    with store.reading() as connection:
        return connection.execute(select(api_keys.c.id).limit(1)).first() is not None


def listed(store: Store) -> list[Key]:
    """All keys, revoked ones too, in the order in which they were made."""
    with store.reading() as connection:
        return [_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.made))]


def called(store: Store, name: str) -> list[Key]:
    """All keys that have or had a name.

    Raises:
        ReviewError: there are none.
    """
    found = [key for key in listed(store) if key.name == name.strip()]
    if not found:
        names = ", ".join(sorted({key.name for key in listed(store) if key.name}))
        raise ReviewError(f"no key is called {name[:LONGEST_NAME]!r}", f"there are: {names or 'none'}")
    return found


def revoked(store: Store, name: str) -> None:
    """End the key of this name, at once; what was answered with it stays.

    Raises:
        ReviewError: no key is called so.
    """
    found = called(store, name)
    with store.writing() as connection:
        ended = update(api_keys).where(
            api_keys.c.id.in_([key.id for key in found]), api_keys.c.revoked.is_(None)
        )
        connection.execute(ended.values(revoked=time.time()))
        note(connection, None, "key revoked", found[-1].id)


def _key(row: object) -> Key:
    found = row._mapping  # type: ignore[attr-defined]
    return Key(found["id"], found["name"], tuple(found["models"]), found["made"], found["revoked"])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
