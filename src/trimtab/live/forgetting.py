"""Forgetting a user: what they were answered and said goes to the last byte, and their key leads to nobody."""

from __future__ import annotations

from sqlalchemy import update

from trimtab.live import answers, keys
from trimtab.review.store import Store
from trimtab.review.tables import api_keys


def forget(store: Store, name: str) -> int:
    """Forget the holder of the keys of a name; returns how many answers there were of theirs.

    The keys are revoked first, so that nothing is added meanwhile; their numbers stay, without a name.

    Raises:
        ReviewError: no key is or was called so.
    """
    theirs = [key.id for key in keys.called(store, name)]
    keys.revoked(store, name)
    gone = sum(answers.forget(store, owner=owner) for owner in theirs)
    with store.writing() as connection:
        ended = update(api_keys).where(api_keys.c.id.in_(theirs))
        connection.execute(ended.values(name="", models=[]))
    store.purge()
    return gone
