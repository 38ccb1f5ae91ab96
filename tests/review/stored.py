"""Reviews in a store, for tests: two stacks, some items, guidelines with examples."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.records import Message
from trimtab.review import people
from trimtab.review.sampling import Item, Plan, Purpose, Review, begin, training
from trimtab.review.store import Store

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
