"""Readability, length, repetition, variety."""

from __future__ import annotations

import pytest

from tests.reference import judged
from trimtab.errors import MetricError
from trimtab.language.reading import syllables
from trimtab.language.text import sentences
from trimtab.measure import find
from trimtab.records import Example

ITEM = Example((), id="x")


def of(name: str, text: str, **options: object) -> float:
    score = find(name, options).score
    assert score is not None
    return score(ITEM, text)


@pytest.mark.parametrize(("word", "count"), judged.SYLLABLES.items())
def test_syllables_against_words_counted_by_hand(word: str, count: int) -> None:
    assert syllables(word) == count


@pytest.mark.parametrize(("text", "parts", "words", "beats"), judged.READ)
def test_readability_against_texts_counted_by_hand(text: str, parts: int, words: int, beats: int) -> None:
    ease = 206.835 - 1.015 * words / parts - 84.6 * beats / words
    grade = 0.39 * words / parts + 11.8 * beats / words - 15.59
    assert of("readability", text) == pytest.approx(ease)
    assert of("readability", text, formula="grade") == pytest.approx(grade)


def test_the_grade_is_better_when_lower() -> None:
    assert find("readability").direction == "higher"
    assert find("readability", {"formula": "grade"}).direction == "lower"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It is 1.5 m e.g. here. Dr. J. Doe left.", ["It is 1.5 m e.g. here.", "Dr. J. Doe left."]),
        ("It draws 165 W. Its lid is red.", ["It draws 165 W.", "Its lid is red."]),
        ("A heading\n\nA text without end", ["A heading", "A text without end"]),
        ('He said "go." Then he went...', ['He said "go."', "Then he went..."]),
        ("... !!", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_length_counts_words_and_takes_a_direction() -> None:
    assert of("length", "A well-made lamp, isn't it?") == 5
    assert find("length", {"direction": "higher"}).sign == 1


def test_repetition_is_the_share_of_ngrams_used_before() -> None:
    assert of("repetition", "a b c d e f g") == 0
    assert of("repetition", "a b c d A B C D") == pytest.approx(1 - 4 / 5)
    assert of("repetition", "a a a", order=1) == pytest.approx(2 / 3)
    assert of("repetition", "a b c") == 0


def test_distinct_is_the_share_of_different_bigrams() -> None:
    assert of("distinct", "a b a b a") == pytest.approx(2 / 4)
    assert of("distinct", "a b c") == 1


def test_an_order_out_of_range_is_refused() -> None:
    with pytest.raises(MetricError, match=r"order: .*greater than or equal to 1"):
        find("distinct", {"order": 0})
