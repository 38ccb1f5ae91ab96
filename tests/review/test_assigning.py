"""Which pair comes next, for whom, with which answer on which side."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import pytest

from tests.review.stored import (
    BASE,
    PLAIN,
    RULES,
    TUNED,
    age,
    at_once,
    begun,
    rater,
    rows,
    say,
    shown,
    some_items,
)
from trimtab.errors import ReviewError
from trimtab.records import Example, Message, Vote
from trimtab.review.assigning import APART, HELD, Listed, Shown, listed, next_task, open_reviews
from trimtab.review.judging import undo
from trimtab.review.reading import said, votes
from trimtab.review.sampling import Item, Plan, Review, attention, begin, close
from trimtab.review.store import Store
from trimtab.review.tables import answers, judgements, tasks

QUIET = Plan(again=0.0, attention=0.0)
THIRD = "d" * 16
EXAMPLES = [Example((Message("user", f"{n}?"),), (f"{n}!",), f"check-{n}") for n in range(60)]


def through(store: Store, review: int, person: int, most: int = 1000) -> list[Shown]:
    """All that a person is shown when they judge each pair at once."""
    found: list[Shown] = []
    while len(found) < most and (pair := next_task(store, review, person)):
        found.append(pair)
        say(store, person, pair.task)
    return found


def asked(pairs: list[Shown]) -> list[str]:
    return [pair.messages[0].content for pair in pairs]


def test_items_come_in_order_and_each_once(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    got = through(store, review, person)
    assert asked(got) == [f"Question {n}?" for n in range(6)]
    assert [(pair.number, pair.of) for pair in got] == [(n + 1, 6) for n in range(6)]
    assert {pair.kind for pair in got} == {"task"}


def test_nothing_that_is_shown_says_whose_it_is(store: Store) -> None:
    review, person = begun(store, plan=dataclasses.replace(QUIET, again=0.5)), rater(store, "Ada")
    for pair in through(store, review, person):
        assert set(dataclasses.asdict(pair)) == {
            "task", "kind", "messages", "left", "right", "rule", "number", "of",
        }  # fmt: skip
        text = str(dataclasses.asdict(pair))
        assert BASE not in text
        assert TUNED not in text
        assert re.fullmatch("[0-9a-f]{32}", pair.task)


def test_a_pair_stays_until_it_is_judged(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    first = shown(store, review, person)
    assert at_once(4, lambda _: next_task(store, review, person)) == [first] * 4
    age(store, HELD * 10)
    assert shown(store, review, person) == first
    say(store, person, first.task)
    assert shown(store, review, person) != first


def test_a_new_pair_asked_for_at_once_is_one(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    assert len({pair.task for pair in at_once(4, lambda _: next_task(store, review, person))}) == 1
    assert len(rows(store, tasks)) == 1


@pytest.mark.parametrize("per_item", [1, 2, 3])
def test_each_item_is_judged_by_as_many_as_planned(per_item: int, store: Store) -> None:
    review = begun(store, plan=dataclasses.replace(QUIET, per_item=per_item))
    people = [rater(store, f"Rater {n}") for n in range(4)]
    got = [len(through(store, review, person)) for person in people]
    assert got == [6] * per_item + [0] * (4 - per_item)
    assert Counter(vote.item for vote in votes(store, review)) == {f"item-{n}": per_item for n in range(6)}


def test_a_pair_that_is_held_is_not_shown_to_more_than_planned(store: Store) -> None:
    review = begun(store, plan=dataclasses.replace(QUIET, per_item=1))
    ada, ben = rater(store, "Ada"), rater(store, "Ben")
    held = shown(store, review, ada)
    assert asked([shown(store, review, ben)]) == ["Question 1?"]
    age(store, HELD - 60)
    assert asked(through(store, review, ben)) == [f"Question {n}?" for n in range(1, 6)]
    assert next_task(store, review, ben) is None
    age(store, 61)
    assert asked(through(store, review, ben)) == asked([held])
    # Whoever held it may still judge it: one more than planned.
    say(store, ada, held.task)
    assert Counter(vote.item for vote in votes(store, review))["item-0"] == 2


def test_a_skipped_item_goes_to_another_rater_and_does_not_come_back(store: Store) -> None:
    review = begun(store, plan=dataclasses.replace(QUIET, per_item=1))
    ada, ben = rater(store, "Ada"), rater(store, "Ben")
    first = shown(store, review, ada)
    say(store, ada, first.task, "skip")
    assert asked(through(store, review, ada)) == [f"Question {n}?" for n in range(1, 6)]
    assert asked(through(store, review, ben)) == asked([first])
    assert [vote.rater for vote in votes(store, review) if vote.item == "item-0"] == [str(ben)]


def test_what_is_taken_back_is_open_to_its_rater_alone(store: Store) -> None:
    review = begun(store, plan=dataclasses.replace(QUIET, per_item=1))
    ada, ben = rater(store, "Ada"), rater(store, "Ben")
    through(store, review, ada)
    undo(store, review, ada)
    assert next_task(store, review, ben) is None
    assert asked(through(store, review, ada)) == ["Question 5?"]


def test_each_answer_of_an_item_stands_left_as_often_as_right(store: Store) -> None:
    review = begun(store, plan=dataclasses.replace(QUIET, per_item=4))
    for number in range(4):
        through(store, review, rater(store, f"Rater {number}"))
    left = Counter((vote.item, vote.left) for vote in votes(store, review))
    assert left == {(f"item-{n}", stack): 2 for n in range(6) for stack in (BASE, TUNED)}


def test_with_one_rater_an_item_sides_fall_by_chance(store: Store) -> None:
    review = begun(store, some_items(100), plan=dataclasses.replace(QUIET, per_item=1))
    through(store, review, rater(store, "Ada"))
    left = sum(vote.left == BASE for vote in votes(store, review))
    # 50 expected, with a standard deviation of 5.
    assert 30 < left < 70


def test_a_skip_does_not_unbalance_the_sides(store: Store) -> None:
    review = begun(store, some_items(1), plan=dataclasses.replace(QUIET, per_item=9))
    for number in range(6):
        person = rater(store, f"Rater {number}")
        say(store, person, shown(store, review, person).task, "skip" if number < 2 else "left")
    assert Counter(row["left"] for row in rows(store, tasks)) == {BASE: 3, TUNED: 3}


def test_the_pairs_of_three_stacks_take_turns(store: Store) -> None:
    texts = {BASE: "one", TUNED: "two", THIRD: "three"}
    wanted = [Item(f"item-{n}", (Message("user", "?"),), texts) for n in range(3)]
    review = begun(store, wanted, plan=dataclasses.replace(QUIET, per_item=6))
    for number in range(6):
        through(store, review, rater(store, f"Rater {number}"))
    orders = Counter((vote.item, vote.left, vote.right) for vote in votes(store, review))
    assert len(orders) == 3 * 6
    assert set(orders.values()) == {1}


def test_some_pairs_come_again_swapped_and_not_soon(store: Store) -> None:
    count = 120
    review = begun(store, some_items(count), plan=Plan(again=0.2, attention=0.0, per_item=1))
    through(store, review, rater(store, "Ada"))
    found = votes(store, review)
    first: dict[str, tuple[int, Vote]] = {}
    repeats = 0
    for at, vote in enumerate(found):
        if not vote.again:
            first[vote.item] = (at, vote)
            continue
        before, was = first[vote.item]
        assert (vote.left, vote.right) == (was.right, was.left)
        assert at - before > APART
        repeats += 1
    assert len(first) == count
    assert len({vote.item for vote in found if vote.again}) == repeats
    # Of 120 pairs and their repeats a fifth, with a standard deviation of five.
    assert 10 < repeats < 50


def test_a_skipped_pair_does_not_come_again(store: Store) -> None:
    review, person = begun(store, some_items(30), plan=Plan(again=1.0, attention=0.0)), rater(store, "Ada")
    for _ in range(10):
        say(store, person, shown(store, review, person).task, "skip")
    assert not any(row["again"] for row in rows(store, tasks))


def test_attention_comes_at_its_rate_and_says_what_is_right(store: Store) -> None:
    checks = attention(EXAMPLES, count=60, seed=0)
    review = begun(store, [*some_items(100), *checks], plan=Plan(again=0.0, attention=0.2))
    person = rater(store, "Ada")
    while pair := next_task(store, review, person):
        own = {f"{n}!": f"{n}?" for n in range(60)}
        choice = "left" if own.get(pair.left) == pair.messages[0].content else "right"
        say(store, person, pair.task, choice)  # type: ignore[arg-type]
        assert pair.kind == "task"
    found = [vote for vote in votes(store, review) if vote.share == "attention"]
    # A fifth of some 125 pairs, with a standard deviation of five.
    assert 10 < len(found) < 45
    assert len({vote.item for vote in found}) == len(found)
    assert all(vote.choice == vote.expected for vote in found)
    assert votes(store, review)[0].share != "attention"
    assert {vote.left for vote in found} == {"own", "stray"}


def teach(store: Store, review: int, person: int, right: list[bool]) -> list[Shown]:
    """Answer as many training items, rightly or not."""
    found = []
    for good in right:
        pair = shown(store, review, person)
        assert pair.kind == "training"
        side = "left" if pair.left in ("Yes.", "No.") else "right"
        wrong = "right" if side == "left" else "left"
        feedback = say(store, person, pair.task, side if good else wrong)  # type: ignore[arg-type]
        assert feedback is not None
        assert (feedback.right, feedback.expected, feedback.rule) == (good, side, "short")
        found.append(pair)
    return found


def test_training_comes_first_and_wrong_ones_once_more_swapped(store: Store) -> None:
    review, person = begun(store, rules=RULES), rater(store, "Ada")
    got = teach(store, review, person, [False, True, True])
    assert asked(got) == ["Be short."] * 3
    assert [(pair.number, pair.of) for pair in got][:2] == [(1, 2), (2, 2)]
    assert (got[2].left, got[2].right) == (got[0].right, got[0].left)
    after = shown(store, review, person)
    assert (after.kind, after.number, after.of) == ("task", 1, 6)
    assert asked(through(store, review, person)) == [f"Question {n}?" for n in range(6)]


def test_who_passes_at_once_is_not_taught_twice(store: Store) -> None:
    review, person = begun(store, rules=RULES), rater(store, "Ada")
    teach(store, review, person, [True, True])
    assert shown(store, review, person).kind == "task"


def test_who_does_not_pass_is_barred(store: Store) -> None:
    review, ada, ben = begun(store, rules=RULES), rater(store, "Ada"), rater(store, "Ben")
    teach(store, review, ada, [False, True])
    assert not open_reviews(store, ada)[0].barred
    teach(store, review, ada, [False])
    assert next_task(store, review, ada) is None
    listed = open_reviews(store, ada)[0]
    assert listed.barred
    assert not listed.open
    teach(store, review, ben, [True, True])
    assert shown(store, review, ben).kind == "task"


def test_the_pass_mark_is_the_plans(store: Store) -> None:
    review, person = (
        begun(store, rules=RULES, plan=dataclasses.replace(QUIET, pass_mark=0.5)),
        rater(store, "Ada"),
    )
    teach(store, review, person, [False, True, False])
    assert shown(store, review, person).kind == "task"


def test_training_is_for_each_rater_whatever_others_did(store: Store) -> None:
    review = begun(store, rules=RULES, plan=dataclasses.replace(QUIET, per_item=1))
    for number in range(3):
        teach(store, review, rater(store, f"Rater {number}"), [True, True])


def test_reviews_are_listed_newest_first_while_open_or_judged_in(store: Store) -> None:
    old, closed, new = begun(store), begun(store), begun(store, purpose="verdict")
    ada, ben = rater(store, "Ada"), rater(store, "Ben")
    say(store, ada, shown(store, closed, ada).task)
    say(store, ada, shown(store, old, ada).task)
    close(store, closed)
    about = ("Plain words", "learning")
    assert open_reviews(store, ada) == [
        Listed(new, "Plain words", "verdict", 0, 6, True),
        Listed(closed, *about, 1, 1, False),
        Listed(old, *about, 1, 6, True),
    ]
    assert [one.id for one in open_reviews(store, ben)] == [new, old]
    for person in (ada, ben):
        singly = [listed(store, number, person) for number in (new, closed, old)]
        assert [one for one in singly if one] == open_reviews(store, person)
    with pytest.raises(ReviewError, match="no review has the number 99"):
        listed(store, 99, ada)


def test_a_last_pair_that_is_pending_keeps_the_review_open(store: Store) -> None:
    review, person = begun(store, some_items(1)), rater(store, "Ada")
    pair = shown(store, review, person)
    listed = open_reviews(store, person)[0]
    assert (listed.open, listed.done, listed.of) == (True, 0, 1)
    say(store, person, pair.task)
    listed = open_reviews(store, person)[0]
    assert (listed.open, listed.done, listed.of) == (False, 1, 1)


def test_there_is_no_unknown_review(store: Store) -> None:
    with pytest.raises(ReviewError, match="no review has the number 99"):
        next_task(store, 99, rater(store, "Ada"))


def test_reviews_do_not_mix(store: Store) -> None:
    first, second = begun(store), begun(store)
    person = rater(store, "Ada")
    through(store, first, person)
    assert len(through(store, second, person)) == 6
    assert len(said(store, first)) == len(said(store, second)) == 6
    assert len(rows(store, judgements)) == 12


def test_a_review_without_items_has_nothing_to_show(store: Store) -> None:
    about = Review("run-1", "Empty", "learning", (BASE, TUNED), PLAIN, Plan())
    review = begin(store, about, []).id
    assert next_task(store, review, rater(store, "Ada")) is None
    assert rows(store, answers) == []
