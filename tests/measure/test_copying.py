"""Variety over answers and verbatim copies, on texts whose figures are known."""

from __future__ import annotations

import math
import random

import pytest

from trimtab.measure.copying import COPIED_WORDS, copied, singular, variety


def test_variety_of_known_texts() -> None:
    same = ["one two three"] * 20
    (found,) = variety(same)
    assert found == pytest.approx(2 / 40)
    all_new = [f"a{n} b{n} c{n}" for n in range(20)]
    assert variety(all_new) == (1.0,)


def test_collections_are_read_as_far_as_the_shortest() -> None:
    """A longer collection of the same kind is not called less varied for its length."""
    rng = random.Random(0)
    kind = [" ".join(rng.choices("abcdefgh", k=9)) for _ in range(400)]
    short, long = variety(kind[:40], kind)
    assert short == long
    (whole,) = variety(kind)
    assert whole < short / 2


def test_variety_of_next_to_nothing_is_undefined() -> None:
    found = variety(["ok"] * 50, ["quite a few words here"] * 50)
    assert all(math.isnan(value) for value in found)


TALE = "the quick brown fox jumps over the lazy dog while the old cat sleeps by the warm stove"
PHRASE = "we thank you for your order and hope to see you again in our shop very soon"


def test_what_one_example_alone_says_is_singular() -> None:
    found = singular([[f"{TALE}. {PHRASE}"], [f"Another. {PHRASE}"], [PHRASE]])
    inside = [gram for gram in found if set(gram) <= set(PHRASE.split())]
    assert inside == []
    assert tuple(TALE.split()[:COPIED_WORDS]) in found
    assert all(len(gram) == COPIED_WORDS for gram in found)


def test_a_copy_counts_unless_the_item_may_say_it() -> None:
    learned = singular([[TALE], [PHRASE]])
    answers = {
        "copy": ["Well: The Quick brown fox jumps over the lazy dog, while the old cat sleeps."],
        "prompted": [TALE],
        "short": ["The quick brown fox jumps over the lazy dog while the"],
        "own": ["something else altogether that nobody has written before in any of the rows at all"],
    }
    assert copied(answers, learned, {"prompted": [f"Repeat: {TALE}"]}) == pytest.approx(1 / 4)
    assert copied(answers, learned, {}) == pytest.approx(2 / 4)
    assert copied({"copy": [*answers["copy"], "no"]}, learned, {}) == pytest.approx(1 / 2)
    assert math.isnan(copied({}, learned, {}))


def test_every_run_of_words_is_found_as_a_plain_search_finds_it() -> None:
    """Against a search for substrings of joined words."""
    rng = random.Random(3)
    references = [[" ".join(rng.choices("abcdefghij", k=30))] for _ in range(20)]
    learned = singular(references, order=4)
    joined = [f" {texts[0]} " for texts in references]
    for _ in range(60):
        text = " ".join(rng.choices("abcdefghij", k=12))
        tokens = text.split()
        runs = [f" {' '.join(tokens[at : at + 4])} " for at in range(9)]
        expected = any(sum(run in reference for reference in joined) == 1 for run in runs)
        assert copied({"x": [text]}, learned, {}, order=4) == float(expected)
