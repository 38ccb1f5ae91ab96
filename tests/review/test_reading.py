"""From the store to votes: sides become stacks again, and a planted preference comes back."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from tests.review.stored import BASE, RULES, TUNED, begun, rater, say, shown, some_items
from trimtab.errors import ReviewError
from trimtab.records import Example, Message
from trimtab.review import people
from trimtab.review.assigning import next_task
from trimtab.review.judging import undo
from trimtab.review.reading import order, said, seen, votes
from trimtab.review.sampling import Item, Plan, attention
from trimtab.review.store import Store


def test_a_planted_preference_is_recovered(store: Store) -> None:
    """Raters who prefer the second answer on every item but one in five, by its text alone, wherever it stands."""
    count = 40
    review = begun(store, some_items(count), plan=Plan(again=0.2, attention=0.0))
    dice = random.Random(5)
    worse = {f"item-{n}" for n in dice.sample(range(count), count // 5)}
    for number in range(2):
        person = rater(store, f"Rater {number}")
        while pair := next_task(store, review, person):
            wanted = "first" if f"item-{pair.left.rsplit()[-1]}" in worse else "second"
            say(store, person, pair.task, "left" if pair.left.startswith(wanted) else "right")
    found = votes(store, review)
    assert {vote.item for vote in found if vote.preference(TUNED) == 0.0} == worse
    assert {vote.item for vote in found if vote.preference(TUNED) == 1.0} == {
        f"item-{n}" for n in range(count)
    } - worse
    assert all(vote.preference(TUNED) + vote.preference(BASE) == 1.0 for vote in found)
    assert fmean(vote.preference(TUNED) for vote in found if not vote.again) == pytest.approx(0.8)
    # Nobody could have learned it from the side.
    assert 0.25 < fmean(vote.left == TUNED for vote in found) < 0.75


def test_what_was_said_is_told_of_stacks(store: Store) -> None:
    review = begun(
        store, rules={**RULES, "rules": [{"id": "short", "text": "Be short.", "good": [], "bad": []}]}
    )
    for name in ("Ada", "Ben"):
        person = rater(store, name)
        pair = shown(store, review, person)
        second = "left" if pair.left.startswith("second") else "right"
        first = "right" if second == "left" else "left"
        ratings = {"short": {second: True, first: False}}
        flags = {first: ["harmful"]}
        say(store, person, pair.task, second, ratings=ratings, flags=flags, seconds=3.0)  # type: ignore[arg-type]
    one, two = said(store, review)
    # Shown the other way round, and told the same.
    assert (one.vote.left, one.vote.right) == (two.vote.right, two.vote.left)
    for each in (one, two):
        assert each.ratings == {"short": {TUNED: True, BASE: False}}
        assert each.flags == {BASE: ("harmful",)}
        assert each.texts == {BASE: "first answer 0", TUNED: "second answer 0"}
        assert each.messages == (Message("user", "Question 0?"),)
        assert (each.vote.item, each.vote.share, each.vote.preference(TUNED)) == ("item-0", "estimate", 1.0)
        assert (each.vote.rater, each.vote.seconds, each.version) == (str(each.person), 3.0, "3")


def test_ties_and_both_bad_count_a_half_and_skips_nothing(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    for choice in ("tie", "bad", "skip", "left"):
        say(store, person, shown(store, review, person).task, choice)  # type: ignore[arg-type]
    say(store, person, shown(store, review, person).task)
    undo(store, review, person)
    found = votes(store, review)
    assert [vote.choice for vote in found] == ["tie", "bad", "left"]
    assert [vote.preference(TUNED) for vote in found][:2] == [0.5, 0.5]
    assert found[2].preference("another") != found[2].preference("another")


def test_a_judgement_that_was_made_anew_comes_in_its_new_place(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    first = shown(store, review, person).task
    say(store, person, first, "left")
    undo(store, review, person)
    other = rater(store, "Ben")
    say(store, other, shown(store, review, other).task, "tie")
    say(store, person, first, "bad")
    assert [vote.choice for vote in votes(store, review)] == ["tie", "bad"]


def test_items_of_the_estimate_come_in_their_order(store: Store) -> None:
    mixed = [
        Item(f"m{n}", (Message("user", "?"),), {BASE: "a", TUNED: "b"}, "chosen" if n % 2 else "estimate")
        for n in range(6)
    ]
    review = begun(store, mixed, rules=RULES)
    assert order(store, review) == ["m0", "m2", "m4"]


def test_what_was_shown_counts_as_seen_judged_or_not(store: Store) -> None:
    examples = [Example((Message("user", f"{n}?"),), (f"{n}!",), f"check-{n}") for n in range(3)]
    checks = attention(examples, count=3, seed=0)
    plan = Plan(again=0.0, attention=1.0)
    review = begun(store, [*some_items(4), *checks], rules=RULES, plan=plan)
    assert seen(store, review) == []
    person = rater(store, "Ada")
    for _ in range(2):
        pair = shown(store, review, person)
        say(store, person, pair.task, "left" if pair.left in ("Yes.", "No.") else "right")
    # The training is of the guidelines and none of the data's.
    assert seen(store, review) == []
    say(store, person, shown(store, review, person).task)
    shown(store, review, person)
    assert seen(store, review) == [checks[0].example, "item-0"]


def test_who_was_forgotten_is_told(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    say(store, person, shown(store, review, person).task)
    assert [one.forgotten for one in said(store, review)] == [False]
    people.forget(store, person)
    assert [one.forgotten for one in said(store, review)] == [True]


def test_there_is_nothing_of_an_unknown_review(store: Store) -> None:
    with pytest.raises(ReviewError, match="no review has the number 99"):
        said(store, 99)
