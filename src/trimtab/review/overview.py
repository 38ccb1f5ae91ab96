"""Where a review stands, for its author: progress, raters, where people disagree, what they say of the guidelines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import func, select

from trimtab.records import NAN, Message
from trimtab.review.people import Person, everyone
from trimtab.review.reading import Said, said
from trimtab.review.sampling import Review, review_of
from trimtab.review.store import Store
from trimtab.review.tables import comments, items, people

MOST = 10


@dataclass(frozen=True, slots=True)
class Rater:
    """How far one rater has come; seconds: median of a judgement, nan where there is none."""

    person: Person
    judged: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Disputed:
    """An item on which people disagree: how many are for each answer, and for neither.

    Attributes:
        answers: the texts, in an order that says nothing; none of a review on the sealed part.
        votes: for each answer, and last for neither.
        reasons: what raters wrote.
    """

    example: str
    messages: tuple[Message, ...]
    answers: tuple[str, ...]
    votes: tuple[int, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """A rule, and how often two people who rated the same answer by it disagreed: of `pairs`, `apart`."""

    rule: str
    pairs: int
    apart: int


@dataclass(frozen=True, slots=True)
class Comment:
    """What a rater says of the guidelines; rule is empty where it is about all of them."""

    name: str
    rule: str
    text: str
    made: float


@dataclass(frozen=True, slots=True)
class Overview:
    """A review as its author sees it; `wanted` judgements make it complete."""

    review: Review
    judged: int
    wanted: int
    raters: tuple[Rater, ...]
    disputed: tuple[Disputed, ...]
    unclear: tuple[Unclear, ...]
    comments: tuple[Comment, ...]


def overview(store: Store, review: int) -> Overview:
    """All of it, as of now.

    Raises:
        ReviewError: there is no such review.
    """
    found = said(store, review)
    real = [one for one in found if one.vote.share in ("estimate", "chosen") and not one.vote.again]
    with store.reading() as connection:
        known = review_of(connection, review)
        shares = items.c.share.in_(("estimate", "chosen"))
        count = select(func.count()).select_from(items).where(items.c.review == review, shares)
        total = connection.scalar(count) or 0
        wanted = (
            select(people.c.name, comments.c.rule, comments.c.text, comments.c.made)
            .join(people, comments.c.person == people.c.id)
            .where(comments.c.review == review, comments.c.text != "")
            .order_by(comments.c.made)
        )
        written = tuple(Comment(*row) for row in connection.execute(wanted))
    sealed = known.purpose == "verdict"
    return Overview(
        known,
        len(real),
        total * known.plan.per_item,
        _raters(found, everyone(store)),
        () if sealed else _disputed(real),
        _unclear(real),
        written,
    )


def _raters(found: Sequence[Said], known: Sequence[Person]) -> tuple[Rater, ...]:
    times: dict[int, list[float]] = defaultdict(list)
    for one in found:
        times[one.person].append(one.vote.seconds)
    return tuple(
        Rater(person, len(times[person.id]), median(times[person.id]) if times[person.id] else NAN)
        for person in known
        if person.role == "rater" or times[person.id]
    )


def _disputed(real: Sequence[Said]) -> tuple[Disputed, ...]:
    by_item: dict[str, list[Said]] = defaultdict(list)
    for one in real:
        by_item[one.vote.item].append(one)
    found = []
    for item, votes in by_item.items():
        count = Counter(one.vote.won for one in votes)
        if len(votes) < 2 or len(count) < 2:
            continue
        texts = votes[0].texts
        # By text, so that the order does not tell whose they are.
        stacks = sorted(texts, key=lambda stack: texts[stack])
        found.append(
            Disputed(
                item,
                votes[0].messages,
                tuple(texts[stack] for stack in stacks),
                (*(count[stack] for stack in stacks), count[""]),
                tuple(one.reason for one in votes if one.reason),
            )
        )
    found.sort(key=lambda one: (max(one.votes) / sum(one.votes), -sum(one.votes), one.example))
    return tuple(found[:MOST])


def _unclear(real: Sequence[Said]) -> tuple[Unclear, ...]:
    """Rules that were rated, those on which people disagree most first."""
    rated: dict[str, dict[tuple[str, str], list[bool]]] = defaultdict(lambda: defaultdict(list))
    for one in real:
        for rule, stacks in one.ratings.items():
            for stack, kept in stacks.items():
                rated[rule][one.vote.item, stack].append(kept)
    found = []
    for rule, answers in rated.items():
        pairs = sum(len(given) * (len(given) - 1) // 2 for given in answers.values())
        apart = sum(sum(given) * (len(given) - sum(given)) for given in answers.values())
        found.append(Unclear(rule, pairs, apart))
    return tuple(sorted(found, key=lambda one: (-(one.apart / max(one.pairs, 1)), one.rule)))
