"""Copies, conflicts and parts, on rows as they are read."""

from __future__ import annotations

import numpy as np

from tests.audit.made import read, read_rows
from trimtab.audit.features import beginning, compared, features, joined
from trimtab.audit.same import between_parts, conflicts, exact, grouped, kept


def test_groups_are_rows_with_one_key() -> None:
    keys = np.array([5, 0, 7, 5, 0, 7, 5, 9], dtype=np.uint64)
    assert grouped(keys) == ((0, 3, 6), (2, 5))
    assert grouped(np.zeros(3, dtype=np.uint64)) == ()


def test_the_first_of_copies_is_kept() -> None:
    found = features(read(("a", "b"), ("c", "d"), ("a", "b "), ("a", "B"), ("a", "b")))
    copies = exact(found)
    assert copies
    assert (copies.rows, copies.groups) == ((2, 4), ((0, 2, 4),))
    assert kept(found).tolist() == [0, 1, 3]


def test_pairs_with_another_rejected_answer_are_no_copies() -> None:
    pair = {"prompt": "p", "chosen": "c", "rejected": "r"}
    copies = exact(features(read_rows(pair, pair | {"rejected": "s"}, pair)))
    assert copies
    assert copies.rows == (2,)
    assert compared(read_rows(pair)[0]) == ("p", "c r")


def test_choices_told_by_their_place_conflict() -> None:
    ask = {"question": "Which?", "choices": ["one thing", "another thing"], "answer": 0}
    found = features(read_rows(ask, ask | {"answer": 1}))
    assert exact(found) is None
    conflict = conflicts(found)
    assert conflict
    assert conflict.rows == (0, 1)


def test_one_prompt_with_two_answers() -> None:
    found = features(
        read(("p", "a"), ("q", "b"), ("P ", "c"), ("r", "d"), ("q", "b"), ("s", "e"), ("t", "e"))
    )
    conflict = conflicts(found)
    assert conflict
    assert (conflict.rows, conflict.severity) == ((0, 2), "warning")
    assert conflicts(found, near=((0, 2),)) is None


def test_where_most_prompts_repeat_it_is_a_note() -> None:
    found = conflicts(features(read(("p", "a"), ("p", "b"), ("q", "c"), ("q", "d"))))
    assert found
    assert found.severity == "note"


def test_declared_references_do_not_conflict() -> None:
    assert conflicts(features(read(("p", ["a", "b"]), ("p", ["c", "d"])))) is None


def test_copies_in_two_parts_leak() -> None:
    rows = read(("p", "a"), ("p", "b"), ("q", "c"), ("q", "d"), part=("tune", "confirm", "tune", "tune"))
    assert between_parts(features(rows)) == ((0, 1),)
    assert between_parts(features(rows), near=((1, 3),)) == ((0, 1), (1, 3))
    assert between_parts(features(read(("p", "a"), ("p", "b")))) == ()


def test_parts_of_the_features_join() -> None:
    rows = read(*((f"p{n}", "a b") for n in range(5)))
    whole, halves = features(rows), joined([features(rows[:2]), features(rows[2:])])
    assert np.array_equal(whole.signature, halves.signature)
    assert np.array_equal(whole.whole, halves.whole)
    assert whole.words.tolist() == [[1, 2]] * 5


def test_what_all_prompts_begin_with_is_whole_words() -> None:
    rows = read(*((f"Say it plainly: th{n} day", "a") for n in range(30)))
    assert beginning(rows) == "Say it plainly: "
    assert beginning(rows[:5]) == ""
    others = read(("", "a"), ("Quite another prompt", "a"))
    assert beginning([*rows, *others]) == "Say it plainly: "


def test_almost_equal_answers_with_another_number_conflict() -> None:
    long = "The big blue lamp with the brass foot costs {} euros in our shop, and the way home is {} far."
    pairs = [("price?", long.format(12, "not")), ("price?", long.format(15, "not"))]
    assert conflicts(features(read(*pairs)), near=((0, 1),))
    pairs[1] = ("price?", long.format(12, "quite"))
    assert conflicts(features(read(*pairs)), near=((0, 1),))
    pairs[1] = ("price?", long.format("twelve", "not").replace("big", "large"))
    assert conflicts(features(read(*pairs)), near=((0, 1),)) is None


def test_a_finding_says_which_rows_it_counts() -> None:
    found = features(read(("p", "a"), ("p", "a"), ("p", "b")))
    copies, conflict = exact(found), conflicts(found)
    assert copies
    assert conflict
    assert (copies.rows, copies.detail["rows"]) == ((1,), "later copies; groups hold the first too")
    assert (conflict.rows, conflict.detail["rows"]) == ((0, 1, 2), "all of each group")
