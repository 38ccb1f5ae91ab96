"""What is taken of a rater, what is refused, and what is taken back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from tests.review.stored import PLAIN, RULES, at_once, begun, rater, rows, say, shown, some_items
from trimtab.errors import ReviewError
from trimtab.review.assigning import by_id, next_task
from trimtab.review.judging import LONGEST, SLOWEST, Answer, Feedback, comment, guidelines, judge, undo
from trimtab.review.reading import said, votes
from trimtab.review.sampling import Plan, close
from trimtab.review.store import Store
from trimtab.review.tables import comments, events, judgements

KEY = "k" * 32


def test_a_judgement_is_kept_with_all_that_was_said(store: Store) -> None:
    review = begun(
        store, rules={**RULES, "rules": [{"id": "short", "text": "Be short.", "good": [], "bad": []}]}
    )
    person = rater(store, "Ada")
    pair = shown(store, review, person)
    ratings, flags = {"short": {"left": True, "right": False}}, {"right": ["private", "harmful", "private"]}
    say(store, person, pair.task, "right", KEY, ratings=ratings, flags=flags, reason=" So. ", seconds=4.5)
    row = rows(store, judgements)[0]
    assert {name: row[name] for name in ("task", "key", "choice", "reason", "correction")} == {
        "task": pair.task, "key": KEY, "choice": "right", "reason": "So.", "correction": "",
    }  # fmt: skip
    assert row["ratings"] == ratings
    assert row["flags"] == {"right": ["harmful", "private"]}
    assert (row["seconds"], row["version"], row["undone"]) == (4.5, "3", None)


def test_what_is_sent_twice_is_taken_once(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    pair = shown(store, review, person)
    for choice in ("left", "right"):
        assert say(store, person, pair.task, choice, KEY) is None  # type: ignore[arg-type]
    assert [(row["key"], row["choice"]) for row in rows(store, judgements)] == [(KEY, "left")]


def test_a_late_repeat_does_not_undo_what_was_taken_back(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    pair = shown(store, review, person)
    say(store, person, pair.task, "left", KEY)
    undo(store, review, person)
    say(store, person, pair.task, "left", KEY)
    assert votes(store, review) == []
    say(store, person, pair.task, "right")
    assert [vote.choice for vote in votes(store, review)] == ["right"]


def test_a_key_belongs_to_one_pair(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    say(store, person, shown(store, review, person).task, key=KEY)
    with pytest.raises(ReviewError, match="key of another"):
        say(store, person, shown(store, review, person).task, key=KEY)
    assert len(rows(store, judgements)) == 1


def test_of_two_devices_at_once_one_stands(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    for number in range(4):
        pair = shown(store, review, person)
        found = at_once(4, lambda one, task=pair.task: say(store, person, task, "tie" if one % 2 else "left"))
        assert sum(isinstance(one, ReviewError) for one in found) == 3
        assert len(votes(store, review)) == number + 1


def test_the_same_judgement_sent_at_once_is_acknowledged_each_time(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    pair = shown(store, review, person)
    assert at_once(5, lambda _: say(store, person, pair.task, "left", KEY)) == [None] * 5
    assert len(rows(store, judgements)) == 1


def test_the_tables_keep_one_standing_judgement(store: Store) -> None:
    """Whatever writes: a second one that stands is refused by the database itself."""
    review, person = begun(store), rater(store, "Ada")
    say(store, person, shown(store, review, person).task)
    row = rows(store, judgements)[0]
    del row["id"]
    with pytest.raises(DBAPIError), store.writing() as connection:
        connection.execute(insert(judgements).values(**row | {"key": "other-key"}))
    with store.writing() as connection:
        connection.execute(insert(judgements).values(**row | {"key": "other-key", "undone": 1.0}))


def test_a_judged_pair_is_judged_again_only_after_undo(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    pair = shown(store, review, person)
    say(store, person, pair.task, "left")
    with pytest.raises(ReviewError, match="judged already") as caught:
        say(store, person, pair.task, "right")
    assert "undo" in str(caught.value.hint)
    assert undo(store, review, person) == pair.task
    assert shown(store, review, person) == pair
    say(store, person, pair.task, "right")
    assert [vote.choice for vote in votes(store, review)] == ["right"]
    assert [(row["choice"], row["undone"] is None) for row in rows(store, judgements)] == [
        ("left", False),
        ("right", True),
    ]
    assert [(row["what"], row["about"]) for row in rows(store, events)][-1] == ("undone", pair.task)


def test_undo_goes_back_step_by_step_and_for_oneself_alone(store: Store) -> None:
    review, ada, ben = begun(store), rater(store, "Ada"), rater(store, "Ben")
    tasks = []
    for _ in range(3):
        tasks.append(shown(store, review, ada).task)
        say(store, ada, tasks[-1])
        say(store, ben, shown(store, review, ben).task)
    pending = shown(store, review, ada)
    assert [undo(store, review, ada) for _ in range(4)] == [*reversed(tasks), None]
    assert [shown(store, review, ada).task, len(votes(store, review))] == [tasks[0], 3]
    for task in (*tasks, pending.task):
        assert shown(store, review, ada).task == task
        say(store, ada, task)


def test_a_skip_is_taken_back_too(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    pair = shown(store, review, person)
    say(store, person, pair.task, "skip")
    assert shown(store, review, person).task != pair.task
    assert undo(store, review, person) == pair.task
    assert shown(store, review, person).task == pair.task


def test_training_is_not_taken_back_once_its_answer_is_known(store: Store) -> None:
    review, person = begun(store, rules=RULES), rater(store, "Ada")
    pair = shown(store, review, person)
    assert pair.kind == "training"
    wrong = "left" if pair.left == "Well, yes, of course." else "right"
    feedback = say(store, person, pair.task, wrong)  # type: ignore[arg-type]
    assert feedback == Feedback(False, "right" if wrong == "left" else "left", "short")
    assert undo(store, review, person) is None
    with pytest.raises(ReviewError, match="judged already"):
        say(store, person, pair.task, feedback.expected)


def test_the_same_training_answer_sent_twice_tells_the_same(store: Store) -> None:
    review, person = begun(store, rules=RULES), rater(store, "Ada")
    pair = shown(store, review, person)
    first = say(store, person, pair.task, "left", KEY)
    assert first == say(store, person, pair.task, "left", KEY)
    assert first is not None
    assert first.right == (pair.left == "Yes.")


def test_the_pair_of_another_person_is_not_judged(store: Store) -> None:
    review, ada, ben = begun(store), rater(store, "Ada"), rater(store, "Ben")
    pair = shown(store, review, ada)
    for person, task in ((ben, pair.task), (ada, "nonsense"), (ada, "\x00\ud800")):
        with pytest.raises(ReviewError, match="not shown to you"):
            say(store, person, task)
    assert by_id(store, review, pair.task, ben) is None
    assert by_id(store, review, "\x00", ada) is None
    assert by_id(store, begun(store), pair.task, ada) is None
    assert by_id(store, review, pair.task, ada) == pair
    assert rows(store, judgements) == []


def test_nothing_is_judged_in_a_closed_review(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    first = shown(store, review, person).task
    say(store, person, first, key=KEY)
    pair = shown(store, review, person)
    close(store, review)
    with pytest.raises(ReviewError, match="closed"):
        say(store, person, pair.task)
    with pytest.raises(ReviewError, match="closed"):
        undo(store, review, person)
    # What was taken before it closed is still acknowledged.
    assert say(store, person, first, key=KEY) is None
    assert len(votes(store, review)) == 1
    assert next_task(store, review, person) is None


def test_all_that_is_wrong_with_a_judgement_is_said_at_once(store: Store) -> None:
    review, person = begun(store, purpose="verdict"), rater(store, "Ada")
    wrong: dict[str, Any] = {
        "choice": "best",
        "key": "short",
        "reason": "x" * (LONGEST + 1),
        "correction": "better",
        "ratings": {"unknown": {"middle": True, "left": "yes"}},
        "flags": {"left": ["ugly"]},
    }
    with pytest.raises(ReviewError) as caught:
        judge(store, person, Answer(shown(store, review, person).task, **wrong))
    for part in (
        "'best': one of left, right, tie, bad, skip",
        "a key of 5 characters",
        "reason: 20,001 characters, at most 20,000",
        "not corrected",
        "rules that the guidelines do not have: unknown",
        "a side other than",
        "a rating other than",
        "a flag other than harmful, private, wrong fact",
    ):
        assert part in str(caught.value)
    assert rows(store, judgements) == []


def test_a_correction_is_for_learning_alone(store: Store) -> None:
    person = rater(store, "Ada")
    review = begun(store)
    say(store, person, shown(store, review, person).task, correction=" Better. ")
    assert said(store, review)[0].correction == "Better."
    sealed = begun(store, purpose="verdict")
    with pytest.raises(ReviewError, match="not corrected"):
        say(store, person, shown(store, sealed, person).task, correction="Better.")
    assert votes(store, sealed) == []


@pytest.mark.parametrize(
    ("seconds", "kept"), [(-1.0, 0.0), (float("nan"), 0.0), (float("inf"), 0.0), (1e9, SLOWEST), (2.5, 2.5)]
)
def test_time_is_bounded(seconds: float, kept: float, store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    say(store, person, shown(store, review, person).task, seconds=seconds)
    assert votes(store, review)[0].seconds == kept


def test_what_is_written_may_hold_anything(store: Store) -> None:
    review, person = begun(store), rater(store, "Ada")
    odd = "a\x00b \ud800 \udc00 🦀 ‮ " + "é" * (LONGEST - 20)
    say(
        store, person, shown(store, review, person).task, key="key\x00\ud800 long", reason=odd, correction=odd
    )
    one = said(store, review)[0]
    assert (
        one.reason
        == one.correction
        == odd.replace("\x00", "\ufffd").replace("\ud800", "\ufffd").replace("\udc00", "\ufffd")
    )
    comment(store, review, person, "", odd)
    assert rows(store, comments)[0]["text"] == one.reason


def test_comments_are_bounded_and_about_known_rules(store: Store) -> None:
    review, person = begun(store, rules=RULES), rater(store, "Ada")
    comment(store, review, person, "short", " How short? ")
    comment(store, review, person, "", "Good.")
    assert [(row["rule"], row["text"]) for row in rows(store, comments)] == [
        ("short", "How short?"),
        ("", "Good."),
    ]
    for text in ("", " \n", "x" * (LONGEST + 1)):
        with pytest.raises(ReviewError, match="characters"):
            comment(store, review, person, "", text)
    with pytest.raises(ReviewError, match="rule"):
        comment(store, review, person, "long", "Why?")
    with pytest.raises(ReviewError, match="no review has the number 99"):
        comment(store, 99, person, "", "Where?")
    assert len(rows(store, comments)) == 2
    assert not [row for row in rows(store, events) if "How short" in row["about"]]


def test_guidelines_are_those_of_the_review(store: Store) -> None:
    first, second = begun(store, rules=RULES), begun(store, rules=PLAIN)
    assert guidelines(store, first) == RULES
    assert guidelines(store, second) == PLAIN


def test_twenty_raters_at_once_lose_and_double_nothing(store: Store) -> None:
    raters, per_item, count = 20, 3, 30
    review = begun(store, some_items(count), plan=Plan(per_item=per_item, again=0.0, attention=0.0))
    numbers = [rater(store, f"Rater {number}") for number in range(raters)]

    def work(number: int) -> list[str]:
        done = []
        while pair := next_task(store, review, numbers[number]):
            say(store, numbers[number], pair.task, "left" if number % 2 else "tie")
            done.append(pair.task)
        return done

    acknowledged = [task for done in at_once(raters, work) for task in done]
    kept = rows(store, judgements)
    assert sorted(acknowledged) == sorted(row["task"] for row in kept)
    assert len(set(acknowledged)) == len(acknowledged) == per_item * count
    found = votes(store, review)
    assert all(sum(vote.item == f"item-{n}" for vote in found) == per_item for n in range(count))
    assert len({(vote.item, vote.rater) for vote in found}) == len(found)
