"""What models said of the pairs of a review: asked once, kept apart from people's judgements, held against them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from trimtab.records import Estimate, Message, Vote, plain
from trimtab.review import reading
from trimtab.review.judged import Judged, judged
from trimtab.review.sampling import Item, Review
from trimtab.review.store import Store
from trimtab.review.tables import items, machines
from trimtab.run import estimate_from


def shown(store: Store, review: int) -> list[Item]:
    """The items of the estimate with their answers, in the order in which they were drawn."""
    wanted = select(items).where(items.c.review == review, items.c.share == "estimate")
    with store.reading() as connection:
        rows = connection.execute(wanted.order_by(items.c.position)).mappings().all()
        texts = reading.texts_of(connection, review)
    return [
        Item(row["example"], tuple(Message(*one) for one in row["messages"]), texts[row["id"]])
        for row in rows
    ]


def keep(
    store: Store,
    review: int,
    votes: Sequence[Vote],
    *,
    judge: str,
    silent: Sequence[str],
    consistent: Estimate,
) -> None:
    """Keep what a model said; what it said before of this review is replaced."""
    row = {
        "review": review,
        "judge": judge,
        "votes": [[vote.item, vote.left, vote.right, vote.choice] for vote in votes],
        "silent": list(silent),
        "consistent": plain(consistent),
        "made": time.time(),
    }
    with store.writing() as connection:
        same = (machines.c.review == review, machines.c.judge == judge)
        connection.execute(delete(machines).where(*same))
        connection.execute(insert(machines).values(**row))


def held(store: Store, review: Review, people: Sequence[Vote]) -> list[Judged]:
    """Every model that judged a review, held against people's votes: its score is never without its agreement."""
    with store.reading() as connection:
        wanted = select(machines).where(machines.c.review == review.id).order_by(machines.c.made)
        rows = connection.execute(wanted).mappings().all()
    return [
        judged(
            people,
            [
                Vote(item, row["judge"], left, right, choice, machine=True)
                for item, left, right, choice in row["votes"]
            ],
            stacks=(review.stacks[0], review.stacks[1]),
            consistent=estimate_from(row["consistent"]),
            silent=row["silent"],
            level=review.plan.level,
            seed=review.plan.seed,
        )
        for row in rows
    ]
