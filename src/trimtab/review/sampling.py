"""What a review shows: its plan, its items, and how both get into the store."""

from __future__ import annotations

import dataclasses
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import Connection, RowMapping, insert, select, update

from trimtab.errors import ReviewError, several
from trimtab.records import NAN, Example, Message, Share
from trimtab.review.people import inserted, note
from trimtab.review.store import Store
from trimtab.review.tables import LONG, SHORT, answers, items, reviews

# For the verdict, on confirm; to learn from, on select; and of answers that users were given.
Purpose = Literal["verdict", "learning", "live"]
PURPOSES = get_args(Purpose)
# Texts of these leave the store when the review is closed: what is sealed, and what belongs to users.
_FLEETING = ("verdict", "live")
# Whose answers an attention item shows: the one that belongs to its prompt, and one of another prompt.
OWN, STRAY = "own", "stray"
# Whose texts a training item shows: a rule's example that keeps it, and one that breaks it.
KEEPS, BREAKS = "keeps", "breaks"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided of a review before anybody saw it.

    Attributes:
        per_item: people who judge each item.
        again: chance that the next pair is one that the rater judged before, with its sides swapped.
        attention: chance that it is one whose right answer is known.
        pass_mark: least share of training items that a rater must get right.
        level, min_gain, margin: how the win rate is judged; a margin where it is a guard.
    """

    question: str = "Which answer is better?"
    per_item: int = 2
    again: float = 0.1
    attention: float = 0.1
    pass_mark: float = 0.7
    seed: int = 0
    level: float = 0.95
    min_gain: float = 0.0
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What is shown to raters: a conversation and the answers of each stack to it.

    Attributes:
        good: whose answer is the right one, where that is known.
        rule: id of the rule that a training item teaches.
    """

    example: str
    messages: tuple[Message, ...]
    answers: Mapping[str, str]
    share: Share = "estimate"
    good: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What a review is about; `made` and `closed` are seconds since 1970, UTC.

    Attributes:
        run: identity of the run.
        stacks: hashes, the base model's first.
        guidelines: as they are shown: version, audience, tone, and rules with id, text, good and bad examples.
    """

    run: str
    title: str
    purpose: Purpose
    stacks: tuple[str, ...]
    guidelines: Mapping[str, Any]
    plan: Plan
    id: int = 0
    made: float = NAN
    closed: float | None = None


def drawn(
    examples: Sequence[Example], doubts: Mapping[str, float], *, count: int, share: float, seed: int
) -> list[tuple[Example, Share]]:
    """Items in the order in which they are shown: at random for the estimate, and the most doubtful for learning.

    The two are mixed, so that nobody can tell them apart, and the estimate reads the random ones alone.

    Args:
        doubts: of examples by id: how much a judgement of one is expected to teach; the larger, the sooner.
        count: most items; 0 takes all.
        share: of the items, in [0, 1), that are the most doubtful of those that were not drawn at random.
    """
    dice = random.Random(f"{seed} review")
    shuffled = dice.sample(list(examples), len(examples))
    count = min(count or len(shuffled), len(shuffled))
    # Where all items are shown nothing is chosen, and all of them serve the estimate.
    taken = count - round(count * share) if doubts and count < len(shuffled) else count
    rest = sorted(shuffled[taken:], key=lambda example: -doubts.get(example.id, 0.0))
    mixed: list[tuple[Example, Share]] = [(example, "estimate") for example in shuffled[:taken]]
    mixed += [(example, "chosen") for example in rest[: count - taken]]
    dice.shuffle(mixed)
    return mixed


def attention(examples: Sequence[Example], *, count: int, seed: int) -> list[Item]:
    """Items whose right answer is known: an item's own reference beside the reference of another one."""
    dice = random.Random(f"{seed} attention")
    usable = [example for example in examples if example.references and example.references[0].strip()]
    found = []
    for example in dice.sample(usable, min(count, len(usable))):
        others = [one for one in usable if one.references[0] != example.references[0]]
        if not others:
            break
        texts = {OWN: example.references[0], STRAY: dice.choice(others).references[0]}
        found.append(Item(example.id, example.messages, texts, "attention", OWN))
    return found


def training(guidelines: Mapping[str, Any]) -> list[Item]:
    """The qualification: of each rule with a good and a bad example, which of the two keeps it."""
    return [
        Item(
            f"{rule['id']}-{number}",
            (Message("user", rule["text"]),),
            {KEEPS: good, BREAKS: bad},
            "training",
            KEEPS,
            rule["id"],
        )
        for rule in guidelines.get("rules", ())
        for number, (good, bad) in enumerate(zip(rule["good"], rule["bad"], strict=False))
    ]


def begin(store: Store, review: Review, wanted: Sequence[Item]) -> Review:
    """Put a review into the store, open to raters from now on; returns it with its number.

    Raises:
        ReviewError: an item cannot be shown, or a name is too long, with all that is wrong.
    """
    problems = list(_problems(review, wanted))
    if problems:
        raise ReviewError(
            f"this review cannot begin:\n{several(problems)}", "see to the items, then begin again"
        )
    now = time.time()
    content = dataclasses.asdict(review) | {"stacks": list(review.stacks), "made": now, "closed": None}
    del content["id"]
    with store.writing() as connection:
        number = inserted(connection.execute(insert(reviews).values(**content)))
        for position, item in enumerate(wanted):
            _put(connection, number, position, item)
        note(connection, None, "begun", f"review {number}")
    return dataclasses.replace(review, id=number, made=now, closed=None)


def _problems(review: Review, wanted: Sequence[Item]) -> Iterator[str]:
    long = [review.run, review.title, *(item.example for item in wanted)]
    short = {*review.stacks, *(name for item in wanted for name in (item.rule, *item.answers))}
    for most, names in ((LONG, long), (SHORT, sorted(short))):
        yield from (
            f"{name[:40]}...: {len(name)} characters, at most {most}" for name in names if len(name) > most
        )
    twice = Counter((item.example, item.share) for item in wanted)
    yield from (
        f"item {name[:64]!r}: {times} times as {share}" for (name, share), times in twice.items() if times > 1
    )
    for item in wanted:
        if len(item.answers) < 2:
            yield f"item {item.example[:64]!r}: a pair needs two answers, {len(item.answers)} given"
        if item.good and item.good not in item.answers:
            yield f"item {item.example[:64]!r}: the right answer is {item.good[:64]!r}, which is none of its answers"


def _put(connection: Connection, review: int, position: int, item: Item) -> None:
    content = {
        "review": review,
        "example": item.example,
        "share": item.share,
        "position": position,
        "messages": [[message.role, message.content] for message in item.messages],
        "good": item.good or None,
        "rule": item.rule or None,
    }
    number = inserted(connection.execute(insert(items).values(**content)))
    texts = [{"item": number, "stack": stack, "text": text} for stack, text in item.answers.items()]
    connection.execute(insert(answers), texts)


def close(store: Store, review: int) -> None:
    """End a review; of one on the sealed part or on live answers, the texts go: only what was judged of them stays.

    Raises:
        ReviewError: there is no such review.
    """
    with store.writing() as connection:
        known = review_of(connection, review)
        ended = update(reviews).where(reviews.c.id == review, reviews.c.closed.is_(None))
        connection.execute(ended.values(closed=time.time()))
        if known.purpose in _FLEETING:
            of_review = select(items.c.id).where(items.c.review == review)
            connection.execute(update(answers).where(answers.c.item.in_(of_review)).values(text=""))
            connection.execute(update(items).where(items.c.review == review).values(messages=[]))
        note(connection, None, "closed", f"review {review}")
    if known.purpose in _FLEETING:
        store.purge()


def found(store: Store, run: str = "") -> list[Review]:
    """The reviews of a run, or all of them, in the order in which they were begun."""
    wanted = select(reviews).order_by(reviews.c.id)
    if run:
        wanted = wanted.where(reviews.c.run == run)
    with store.reading() as connection:
        return [_review(row) for row in connection.execute(wanted).mappings()]


def review_of(connection: Connection, number: int) -> Review:
    """A review by its number.

    Raises:
        ReviewError: there is none.
    """
    row = connection.execute(select(reviews).where(reviews.c.id == number)).mappings().first()
    if row is None:
        raise ReviewError(f"no review has the number {number}", "go back to the list of reviews")
    return _review(row)


def _review(row: RowMapping) -> Review:
    content = dict(row) | {"stacks": tuple(row["stacks"]), "plan": Plan(**row["plan"])}
    return Review(**content)
