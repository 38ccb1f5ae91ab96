"""Which pair a rater sees next, with which answer on which side; nothing that is handed out says whose they are.

A pair that was shown stays the rater's next one until it is judged, on whichever device. Items come in the order of
the plan, so that the first ones are complete first; each answer stands left as often as right.
"""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, and_, case, func, insert, or_, select

from trimtab.records import Message
from trimtab.review.sampling import Review, review_of
from trimtab.review.store import Store
from trimtab.review.tables import answers, items, judgements, people, reviews, tasks

# Seconds after which a pair that was shown and not judged is shown to others as well.
HELD = 1800.0
# Judgements that lie at least between a pair and its repeat.
APART = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """What a rater sees; `number` of `of` pairs, as far as is known now."""

    task: str
    kind: Literal["task", "training"]
    messages: tuple[Message, ...]
    left: str
    right: str
    rule: str
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A review in a rater's list. `barred`: the training was not passed."""

    id: int
    title: str
    purpose: str
    done: int
    of: int
    open: bool
    barred: bool = False


class Waiting(NamedTuple):
    """What a person could still be shown: how many items of either kind, and the position of the first one."""

    training: int
    tasks: int
    first: int


def open_reviews(store: Store, person: int) -> list[Listed]:
    """The reviews that are open, and those that this person judged in or oversees, newest first."""
    with store.reading() as connection:
        numbers = connection.scalars(select(reviews.c.id).order_by(reviews.c.id.desc())).all()
        found = (_listed(connection, number, person) for number in numbers)
        return [one for one in found if one is not None]


def listed(store: Store, review: int, person: int) -> Listed | None:
    """One of these by its number; None where this person would not find it among them."""
    with store.reading() as connection:
        known = connection.scalar(select(reviews.c.id).where(reviews.c.id == review))
        return None if known is None else _listed(connection, known, person)


def _listed(connection: Connection, number: int, person: int) -> Listed | None:
    review = review_of(connection, number)
    history = _history(connection, review, person)
    role = connection.scalar(select(people.c.role).where(people.c.id == person))
    if review.closed is not None and not history and role == "rater":
        return None
    done = sum(row["choice"] is not None for row in history)
    pending = len(history) - done
    left = 0
    if review.closed is None:
        ahead = _waiting(connection, review, person)
        left = pending + ahead.training + ahead.tasks
    barred = _barred(review, history)
    return Listed(number, review.title, review.purpose, done, done + left, left > 0 and not barred, barred)


def next_task(store: Store, review: int, person: int) -> Shown | None:
    """The pair that a person judges next; None where there is none, the training was not passed, or it is closed.

    Raises:
        ReviewError: there is no such review.
    """
    with store.writing() as connection:
        known = review_of(connection, review)
        history = _history(connection, known, person)
        pending = [row for row in history if row["choice"] is None]
        if known.closed is not None:
            return None
        waiting = _waiting(connection, known, person)
        row = pending[0] if pending else _drawn(connection, known, person, history, waiting)
        return _shown(connection, row, history, waiting) if row else None


def by_id(store: Store, review: int, task: str, person: int) -> Shown | None:
    """A pair that was shown to this person in a review that is open; None where it was not.

    Raises:
        ReviewError: there is no such review.
    """
    with store.reading() as connection:
        known = review_of(connection, review)
        history = _history(connection, known, person)
        row = next((row for row in history if row["task"] == task), None)
        if row is None or known.closed is not None:
            return None
        return _shown(connection, row, history, _waiting(connection, known, person))


def _history(connection: Connection, review: Review, person: int) -> list[dict[str, Any]]:
    """A person's tasks in a review as they were shown, with the judgement that stands of each, or None."""
    wanted = (
        select(
            tasks.c.id.label("task"), tasks.c.item, tasks.c.left, tasks.c.right, tasks.c.again, tasks.c.shown,
            items.c.share, items.c.good, items.c.rule, judgements.c.choice,
        )
        .join(items, tasks.c.item == items.c.id)
        .outerjoin(judgements, and_(judgements.c.task == tasks.c.id, judgements.c.undone.is_(None)))
        .where(items.c.review == review.id, tasks.c.person == person)
        .order_by(tasks.c.shown, tasks.c.id)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(wanted).mappings()]


def _waiting(connection: Connection, review: Review, person: int) -> Waiting:
    """What a person could still be shown: their training first, then what too few have judged."""
    standing = and_(judgements.c.task == tasks.c.id, judgements.c.undone.is_(None))
    held = and_(judgements.c.id.is_(None), tasks.c.shown > time.time() - HELD)
    judged = and_(judgements.c.id.is_not(None), judgements.c.choice != "skip")
    # Counted once for all items, and not for each: PostgreSQL could scan all judgements for every one.
    taken = (
        select(tasks.c.item, func.count().label("people"))
        .select_from(tasks.join(items, tasks.c.item == items.c.id).outerjoin(judgements, standing))
        .where(items.c.review == review.id, tasks.c.again.is_(False), or_(held, judged))
        .group_by(tasks.c.item)
        .subquery()
    )
    few = func.coalesce(taken.c.people, 0) < review.plan.per_item
    free = or_(items.c.share == "training", and_(items.c.share.in_(("estimate", "chosen")), few))
    mine = select(tasks.c.item).where(tasks.c.person == person)
    training = case((items.c.share == "training", 1), else_=0).label("training")
    wanted = (
        select(training, func.count(), func.min(items.c.position))
        .select_from(items.outerjoin(taken, taken.c.item == items.c.id))
        .where(items.c.review == review.id, free, items.c.id.not_in(mine))
        .group_by("training")
    )
    found = {kind: (count, first) for kind, count, first in connection.execute(wanted)}
    (taught, lesson), (real, task) = found.get(1, (0, -1)), found.get(0, (0, -1))
    return Waiting(taught, real, lesson if taught else task)


def _drawn(
    connection: Connection,
    review: Review,
    person: int,
    history: Sequence[dict[str, Any]],
    waiting: Waiting,
) -> dict[str, Any] | None:
    """Put down the next task of a person: training, now and then an item that checks, else the next in order."""
    if _barred(review, history):
        return None
    dice = random.Random(f"{review.plan.seed} {review.id} {person} {len(history)}")
    chance = dice.random()
    real = [row for row in history if row["share"] in ("estimate", "chosen")]
    if not waiting.training and (wrong := _wrong_once(history)):
        return _swapped(connection, wrong[0], person)
    if not waiting.training and waiting.tasks and real:
        if chance < review.plan.attention:
            checks = _attention(connection, review, person)
            if checks:
                return _new(connection, checks[0], person, dice)
        elif chance < review.plan.attention + review.plan.again:
            repeat = _repeatable(real)
            if repeat:
                return _swapped(connection, repeat, person)
    place = (items.c.review == review.id, items.c.position == waiting.first)
    item = connection.scalar(select(items.c.id).where(*place))
    return _new(connection, item, person, dice) if item is not None else None


def _barred(review: Review, history: Sequence[dict[str, Any]]) -> bool:
    """Whether a person has gone through the training, the second chance of each item too, and did not pass it."""
    taught = [row for row in history if row["share"] == "training" and row["choice"] is not None]
    last = {row["item"]: _is_right(row) for row in taught}
    repeated = {row["item"] for row in taught if row["again"]}
    wrong = {item for item, right in last.items() if not right}
    done = bool(last) and not any(row["share"] == "training" and row["choice"] is None for row in history)
    return done and wrong <= repeated and len(last) - len(wrong) < review.plan.pass_mark * len(last)


def _wrong_once(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Training items that were judged wrong and have not come again."""
    again = {row["item"] for row in history if row["again"]}
    taught = [row for row in history if row["share"] == "training" and row["choice"] is not None]
    return [row for row in taught if not _is_right(row) and row["item"] not in again]


def _is_right(row: dict[str, Any]) -> bool:
    side = "left" if row["left"] == row["good"] else "right"
    return bool(row["choice"] == side)


def _repeatable(real: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The oldest pair that a person decided some time ago and has not seen again."""
    again = {row["item"] for row in real if row["again"]}
    old = real[: max(0, len(real) - APART)]
    return next(
        (row for row in old if row["item"] not in again and row["choice"] not in (None, "skip")), None
    )


def _attention(connection: Connection, review: Review, person: int) -> list[int]:
    mine = select(tasks.c.item).where(tasks.c.person == person)
    wanted = select(items.c.id).where(
        items.c.review == review.id, items.c.share == "attention", items.c.id.not_in(mine)
    )
    return list(connection.scalars(wanted.order_by(items.c.position)))


def _new(connection: Connection, item: int, person: int, dice: random.Random) -> dict[str, Any]:
    """A task with the pair of this item's stacks, and the order of its sides, that was shown least; a tie by chance."""
    stacks = sorted(connection.scalars(select(answers.c.stack).where(answers.c.item == item)))
    seen = Counter(
        (left, right)
        for left, right in connection.execute(
            select(tasks.c.left, tasks.c.right).where(tasks.c.item == item, tasks.c.again.is_(False))
        )
    )
    pairs = list(combinations(stacks, 2))
    dice.shuffle(pairs)
    one, other = min(pairs, key=lambda pair: seen[pair] + seen[pair[::-1]])
    sides = [(one, other), (other, one)]
    dice.shuffle(sides)
    return _put(connection, item, person, min(sides, key=lambda pair: seen[pair]), again=False)


def _swapped(connection: Connection, row: Mapping[str, Any], person: int) -> dict[str, Any]:
    """The same pair again, with its sides swapped."""
    return _put(connection, row["item"], person, (row["right"], row["left"]), again=True)


def _put(
    connection: Connection, item: int, person: int, sides: tuple[str, str], *, again: bool
) -> dict[str, Any]:
    task = secrets.token_hex(16)
    row = {"id": task, "item": item, "person": person, "left": sides[0], "right": sides[1]}
    connection.execute(insert(tasks).values(**row, again=again, shown=time.time()))
    facts = select(items.c.share, items.c.good, items.c.rule).where(items.c.id == item)
    known = connection.execute(facts).mappings().one()
    return {"task": task, **row, **known, "again": again, "choice": None}


def _shown(
    connection: Connection,
    row: dict[str, Any],
    history: Sequence[dict[str, Any]],
    waiting: Waiting,
) -> Shown:
    messages = connection.scalar(select(items.c.messages).where(items.c.id == row["item"])) or []
    found = connection.execute(select(answers.c.stack, answers.c.text).where(answers.c.item == row["item"]))
    texts = {row.stack: row.text for row in found}
    training = row["share"] == "training"
    others = [one for one in history if one["task"] != row["task"]]
    alike = [one for one in others if (one["share"] == "training") == training]
    done = sum(one["choice"] is not None for one in alike)
    # What was drawn just now was still counted as waiting; what checks is counted like it, or the total would grow
    # as it is shown, and say what it is.
    fresh = len(others) == len(history)
    counted = (fresh and not _checks(row)) if training else (fresh or _checks(row))
    ahead = (waiting.training if training else waiting.tasks) - counted
    ahead += sum(one["choice"] is None and not _checks(one) for one in alike)
    return Shown(
        row["task"],
        "training" if training else "task",
        tuple(Message(role, content) for role, content in messages),
        texts[row["left"]],
        texts[row["right"]],
        row["rule"] or "",
        done + 1,
        done + 1 + max(0, ahead),
    )


def _checks(row: Mapping[str, Any]) -> bool:
    """Whether a pair is shown for what it says of the rater."""
    return bool(row["again"] or row["share"] == "attention")
