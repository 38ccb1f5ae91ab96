"""Verdicts read from replies as models write them, and the rule that joins two."""

from __future__ import annotations

import time

import pytest

from trimtab.measure.verdicts import LONGEST_REPLY, joined, read


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("A", "A"),
        ("b", "B"),
        (" B.\n", "B"),
        ("**A**", "A"),
        ('"A"', "A"),
        ("(B)", "B"),
        ("A: it keeps every rule.", "A"),
        ("B, since it is shorter", "B"),
        ("A\n\nThe first answer is complete.", "A"),
        ("Answer A", "A"),
        ("Response B is better.", "B"),
        ("A is the best", "A"),
        ("B wins", "B"),
        ("Answer: B", "B"),
        ("answer is A.", "A"),
        ("The better answer is **B**.", "B"),
        ("My verdict: tie", "tie"),
        ("Tie", "tie"),
        ("neither", "tie"),
        ("Both.", "tie"),
        ('{"answer": "A"}', "A"),
        ('```json\n{"reason": "B is longer", "verdict": "a"}\n```', "A"),
        ('{"winner": "tie", "score": 1}', "tie"),
        ("A keeps more rules.\nAnswer: A\nBut B is right.\nAnswer: B", "B"),
        ("<think>Answer: A, or not?</think>\nB", "B"),
    ],
)
def test_replies_that_say_a_label(reply: str, label: str) -> None:
    assert read(reply) == label


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "A good answer names the date.",
        "A or B",
        "A, B, tie.",
        "A is worse",
        "A is not better",
        "A's style is poor",
        "A-levels are exams",
        "Both A and B are good",
        "I cannot judge this.",
        "<think>Answer: A seems right, but",
        '{"answer": "A"} {"answer": "B"}',
        '{"score": "A"}',
        "C",
        "Basically the same",
    ],
)
def test_replies_that_say_none(reply: str) -> None:
    assert read(reply) is None


def test_only_the_end_of_a_long_reply_is_read_and_quickly() -> None:
    assert read("Answer: A " + " " * LONGEST_REPLY) is None
    started = time.process_time()
    for piece in ("answer ", "{", "answer: ", '{"answer": ', "(*_\"'", "is "):
        read(piece * 100_000)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("first", "second", "side"),
    [
        ("A", "B", "left"),
        ("B", "A", "right"),
        ("tie", "tie", "tie"),
        # The place decided, not the answer.
        ("A", "A", "tie"),
        ("B", "B", "tie"),
        ("A", "tie", "tie"),
        ("tie", "A", "tie"),
        (None, "A", None),
        ("tie", None, None),
    ],
)
def test_two_orders_are_joined(first: str | None, second: str | None, side: str | None) -> None:
    assert joined(first, second) == side  # type: ignore[arg-type]
