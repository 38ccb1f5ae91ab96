"""What a rater says of a pair: taken once, on disk before it is acknowledged, taken back without being lost."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import Connection, and_, insert, select, update

from trimtab.errors import ReviewError, several
from trimtab.review.people import note
from trimtab.review.sampling import review_of
from trimtab.review.store import Store
from trimtab.review.tables import comments, items, judgements, tasks

Choice = Literal["left", "right", "tie", "bad", "skip"]
Flag = Literal["harmful", "private", "wrong fact"]
SIDES = ("left", "right")
# Characters of a text, and seconds that a judgement can have taken: who goes for a walk does not judge meanwhile.
LONGEST, SLOWEST = 20_000, 3600.0
KEY = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """A judgement as a page sends it.

    Attributes:
        key: made with the page: what is sent twice is the same judgement.
        ratings: by rule of the guidelines: whether the answer on each side keeps it.
        correction: a better answer than both; empty where none was written.
        flags: what is wrong with the answer on each side.
    """

    task: str
    key: str
    choice: Choice
    ratings: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    reason: str = ""
    correction: str = ""
    flags: Mapping[str, Sequence[Flag]] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a rater learns after a training item; `expected` is the right side."""

    right: bool
    expected: Literal["left", "right"]
    rule: str


def judge(store: Store, person: int, answer: Answer) -> Feedback | None:
    """Take a judgement; when this returns it is on disk. After a training item, whether it was right.

    A judgement that was taken before, by its key, is acknowledged again and not taken twice.

    Raises:
        ReviewError: the pair was not shown to this person, was judged already, or the review is closed;
            or what was sent is not a judgement, with all that is wrong with it.
    """
    with store.writing() as connection:
        task = _task(connection, answer.task, person)
        if not _taken(connection, answer):
            _take(connection, task, answer)
    if task["share"] != "training":
        return None
    expected: Literal["left", "right"] = "left" if task["left"] == task["good"] else "right"
    return Feedback(answer.choice == expected, expected, task["rule"] or "")


def undo(store: Store, review: int, person: int) -> str | None:
    """Take back a person's last judgement in an open review; returns the pair that is open again.

    Those of the training stand: what is right was told after them.

    Raises:
        ReviewError: there is no such review, or it is closed.
    """
    with store.writing() as connection:
        if review_of(connection, review).closed is not None:
            raise _closed()
        last = connection.execute(
            select(judgements.c.id, judgements.c.task)
            .join(tasks, judgements.c.task == tasks.c.id)
            .join(items, tasks.c.item == items.c.id)
            .where(
                items.c.review == review,
                items.c.share != "training",
                tasks.c.person == person,
                judgements.c.undone.is_(None),
            )
            .order_by(judgements.c.id.desc())
            .limit(1)
        ).first()
        if last is None:
            return None
        gone = update(judgements).where(judgements.c.id == last.id).values(undone=time.time())
        connection.execute(gone)
        note(connection, person, "undone", last.task)
        return str(last.task)


def comment(store: Store, review: int, person: int, rule: str, text: str) -> None:
    """Keep what a rater says of the guidelines, or of one rule by its id, for their author.

    Raises:
        ReviewError: an empty or long text, an unknown rule, or no such review.
    """
    text = text.strip()
    if not 1 <= len(text) <= LONGEST:
        raise ReviewError(f"a comment of {len(text)} characters", f"write 1 to {LONGEST:,}")
    with store.writing() as connection:
        known = review_of(connection, review)
        if rule and rule not in {one["id"] for one in known.guidelines.get("rules", ())}:
            raise ReviewError("a comment on a rule that the guidelines do not have", "name one of its rules")
        row = {"review": review, "person": person, "rule": rule, "text": text, "made": time.time()}
        connection.execute(insert(comments).values(**row))
        note(connection, person, "commented", rule)


def guidelines(store: Store, review: int) -> Mapping[str, Any]:
    """The guidelines of a review as raters see them.

    Raises:
        ReviewError: there is no such review.
    """
    with store.reading() as connection:
        return review_of(connection, review).guidelines


def _task(connection: Connection, task: str, person: int) -> dict[str, Any]:
    row = (
        connection.execute(
            select(tasks.c.left, tasks.c.right, items.c.share, items.c.good, items.c.rule, items.c.review)
            .join(items, tasks.c.item == items.c.id)
            .where(tasks.c.id == task, tasks.c.person == person)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise ReviewError("this pair was not shown to you", "go on with the next one")
    return dict(row)


def _taken(connection: Connection, answer: Answer) -> bool:
    """Whether this judgement was taken before."""
    task = connection.scalar(select(judgements.c.task).where(judgements.c.key == answer.key))
    if task not in (None, answer.task):
        raise ReviewError("this judgement came with the key of another pair's", "judge the pair on its page")
    return task is not None


def _take(connection: Connection, task: Mapping[str, Any], answer: Answer) -> None:
    review = review_of(connection, task["review"])
    if review.closed is not None:
        raise _closed()
    rules = [rule["id"] for rule in review.guidelines.get("rules", ())]
    problems = list(_problems(answer, rules, corrects=review.purpose == "learning"))
    if problems:
        raise ReviewError(
            f"this judgement cannot be taken:\n{several(problems)}", "judge the pair on its page"
        )
    standing = and_(judgements.c.task == answer.task, judgements.c.undone.is_(None))
    if connection.execute(select(judgements.c.id).where(standing)).first() is not None:
        raise ReviewError("this pair is judged already", "take the judgement back first: undo")
    connection.execute(
        insert(judgements).values(
            task=answer.task,
            key=answer.key,
            choice=answer.choice,
            ratings={rule: dict(sides) for rule, sides in answer.ratings.items()},
            reason=answer.reason.strip(),
            correction=answer.correction.strip(),
            flags={side: sorted(set(flags)) for side, flags in answer.flags.items() if flags},
            seconds=min(max(answer.seconds, 0.0), SLOWEST) if math.isfinite(answer.seconds) else 0.0,
            version=str(review.guidelines.get("version", ""))[:40],
            made=time.time(),
        )
    )


def _problems(answer: Answer, rules: Sequence[str], *, corrects: bool) -> list[str]:
    found = []
    if answer.choice not in get_args(Choice):
        found.append(f"choice {str(answer.choice)[:20]!r}: one of {', '.join(get_args(Choice))}")
    if not 8 <= len(answer.key) <= KEY:
        found.append(f"a key of {len(answer.key)} characters: 8 to {KEY}")
    for name, text in (("reason", answer.reason), ("correction", answer.correction)):
        if len(text) > LONGEST:
            found.append(f"{name}: {len(text):,} characters, at most {LONGEST:,}")
    if answer.correction.strip() and not corrects:
        found.append("correction: in this review answers are judged, not corrected")
    unknown = [rule[:64] for rule in answer.ratings if rule not in rules]
    if unknown:
        found.append(f"ratings of rules that the guidelines do not have: {', '.join(unknown[:5])}")
    sides = {side for given in answer.ratings.values() for side in given} | set(answer.flags)
    if sides - set(SIDES):
        found.append("a side other than left and right")
    if not all(isinstance(kept, bool) for given in answer.ratings.values() for kept in given.values()):
        found.append("a rating other than true and false")
    if {flag for flags in answer.flags.values() for flag in flags} - set(get_args(Flag)):
        found.append(f"a flag other than {', '.join(get_args(Flag))}")
    return found


def _closed() -> ReviewError:
    return ReviewError("this review is closed", "nothing more can be judged in it")
