"""Reviews in a store, for tests: two stacks, some items, guidelines with examples."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Table, select, update

from trimtab.errors import UserError
from trimtab.records import Message
from trimtab.review import people
from trimtab.review.assigning import Shown, next_task
from trimtab.review.judging import Answer, Choice, Feedback, judge
from trimtab.review.sampling import Item, Plan, Purpose, Review, begin, training
from trimtab.review.store import Store
from trimtab.review.tables import tasks

BASE, TUNED = "b" * 16, "c" * 16
RULES = {
    "version": "3",
    "audience": "Customers.",
    "tone": "Plain.",
    "rules": [
        {
            "id": "short",
            "text": "Be short.",
            "good": ["Yes.", "No."],
            "bad": ["Well, yes, of course.", "Oh no no."],
        }
    ],
}
NO_CHECKS = Plan(again=0.0, attention=0.0)
PLAIN = {"version": "3", "audience": "", "tone": "", "rules": []}


def some_items(count: int) -> list[Item]:
    return [
        Item(
            f"item-{number}",
            (Message("user", f"Question {number}?"),),
            {BASE: f"first answer {number}", TUNED: f"second answer {number}"},
        )
        for number in range(count)
    ]


def begun(
    store: Store,
    wanted: Sequence[Item] | None = None,
    *,
    purpose: Purpose = "learning",
    rules: dict[str, object] = PLAIN,
    plan: Plan = NO_CHECKS,
) -> int:
    about = Review("run-1", "Plain words", purpose, (BASE, TUNED), rules, plan)
    return begin(store, about, [*training(rules), *(wanted or some_items(6))]).id


def rater(store: Store, name: str) -> int:
    token = people.invite(store, name, "rater")
    entered = people.enter(store, token)
    assert entered is not None
    return entered[1].id


def shown(store: Store, review: int, person: int) -> Shown:
    """The next pair, which there must be."""
    found = next_task(store, review, person)
    assert found is not None
    return found


def say(
    store: Store, person: int, task: str, choice: Choice = "left", key: str = "", **more: Any
) -> Feedback | None:
    """Judge a pair that was shown."""
    return judge(store, person, Answer(task, key or secrets.token_hex(16), choice, **more))


def age(store: Store, seconds: float) -> None:
    """Let all that was shown have been shown so much earlier."""
    with store.writing() as connection:
        connection.execute(update(tasks).values(shown=tasks.c.shown - seconds))


def rows(store: Store, table: Table) -> list[dict[str, Any]]:
    """All that a table holds."""
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What so many threads return that begin together; an error of a user is returned as well."""
    line = threading.Barrier(count)

    def one(number: int) -> Any:
        line.wait()
        try:
            return act(number)
        except UserError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
