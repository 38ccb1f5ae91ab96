"""What users say of their answers: a thumb, a rating, a better answer, a reason; the last word counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, insert, select

from trimtab.errors import ReviewError, several
from trimtab.live import answers
from trimtab.live.answers import Kept
from trimtab.review.judging import LONGEST
from trimtab.review.store import Store
from trimtab.review.tables import feedback, live_answers

THUMBS, RATINGS = (-1, 1), (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Given:
    """What was said of one answer.

    Attributes:
        answer: its id. owner: whose answer it is; nobody else is heard.
        time: ISO 8601.
        rating: 1 is worst. correction: a better answer. Empty or None where nothing was said.
    """

    answer: str
    owner: str
    time: str
    thumb: Literal[-1, 1] | None = None
    rating: int | None = None
    correction: str = ""
    reason: str = ""


class Unknown(ReviewError):
    """An answer that is not there, or somebody else's: which of both is not said."""


def give(store: Store, given: Given) -> None:
    """Keep what is said of an answer, in place of what was said before; when this returns it is on disk.

    Raises:
        Unknown: there is no such answer of this owner's.
        ReviewError: nothing was said, or what was said is too long or out of range.
        StoreError: the database cannot be reached or written.
    """
    problems = list(_problems(given))
    if problems:
        raise ReviewError(f"this cannot be taken:\n{several(problems)}", "send what is named above")
    row = {name: getattr(given, name) for name in Given.__slots__} | {"time": answers.seconds(given.time)}
    owned = select(live_answers.c.id).where(
        live_answers.c.id == given.answer, live_answers.c.owner == given.owner
    )
    with store.writing() as connection:
        if connection.execute(owned).first() is None:
            raise Unknown("there is no such answer of yours", "the id is that of the response")
        connection.execute(delete(feedback).where(feedback.c.answer == given.answer))
        connection.execute(insert(feedback).values(**row))


def of(store: Store, *, model: str = "", stack: str = "", since: str = "") -> list[tuple[Kept, Given]]:
    """Answers of which something was said, and what, in the order in which the answers were given."""
    said = [column.label(f"said_{column.name}") for column in feedback.c]
    wanted = (
        select(live_answers, *said)
        .join(feedback, feedback.c.answer == live_answers.c.id)
        .where(*answers.only(model=model, stack=stack, since=since))
        .order_by(live_answers.c.time, live_answers.c.id)
    )
    with store.reading() as connection:
        return [
            (answers.of_row(row), _given({name: row[f"said_{name}"] for name in Given.__slots__}))
            for row in connection.execute(wanted).mappings()
        ]


def _given(fields: dict[str, object]) -> Given:
    return Given(**fields | {"time": answers.iso(fields["time"])})  # type: ignore[arg-type]


def _problems(given: Given) -> list[str]:
    found = []
    if given.thumb is None and given.rating is None and not given.correction and not given.reason:
        found.append("nothing: give a thumb, a rating, a correction or a reason")
    if given.thumb not in (None, *THUMBS):
        found.append(f"thumb {given.thumb}: -1 or 1")
    if given.rating not in (None, *RATINGS):
        found.append(f"rating {given.rating}: 1 to 5")
    for name, text in (("correction", given.correction), ("reason", given.reason)):
        if len(text) > LONGEST:
            found.append(f"{name}: {len(text):,} characters, at most {LONGEST:,}")
    return found
