"""Where words, sentences and items of a list begin and end."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.sentences import sentences as plainly
from trimtab.language.text import replaced, sentence_spans, sentences, unit_spans, word_spans, words

PROSE = st.lists(
    st.sampled_from(
        ["Mr.", "Dr", "a", "B.", "e.g.", "kettle", "1.", "3.5", " ", "  ", "\n", "\n\n", ".", "!", "?", "…", "。",
         '"', "”", ")", "—", "é", "水", "- ", "* ", "x_y"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(PROSE | st.text(max_size=60))
def test_sentences_agree_with_a_plainer_reading(text: str) -> None:
    assert sentences(text) == plainly(text)


@given(PROSE | st.text(max_size=60))
def test_spans_are_in_order_hold_every_word_and_begin_where_the_last_ended(text: str) -> None:
    for spans in (sentence_spans(text), unit_spans(text)):
        assert all(start < end for start, end in spans)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
        held = [word for start, end in spans for word in words(text[start:end])]
        assert held == words(text)
    assert [text[start:end] for start, end in word_spans(text)] == words(text)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("One. Two!  Three", ["One. ", "Two!  ", "Three"]),
        ("Dr. Smith boils 1.5 l. Yes.", ["Dr. Smith boils 1.5 l. ", "Yes."]),
        ("- tea\n- milk. Cold.\n- salt", ["- tea\n", "- milk. ", "Cold.\n", "- salt"]),
        ("1. Tea\n2. Milk", ["1. Tea\n", "2. Milk"]),
        ("Here it is:\nA kettle", ["Here it is:\n", "A kettle"]),
        ("## Use\nBoil it.", ["## Use\nBoil it."]),
        ("a line\ngoes on.", ["a line\ngoes on."]),
        ("...", []),
        ("", []),
    ],
)
def test_units(text: str, units: list[str]) -> None:
    assert [text[start:end] for start, end in unit_spans(text)] == units


@pytest.mark.parametrize("piece", ["e.g. ", "! ", "\n", "a\n\n", "- ", '."', "1. ", "x" * 5])
def test_time_grows_with_length_alone(piece: str) -> None:
    started = time.process_time()
    unit_spans(piece * (100_000 // len(piece)))
    assert time.process_time() - started < 3


def test_places_of_a_text_are_said_in_other_words() -> None:
    assert replaced("a fox ran", [(0, 1, "the"), (2, 5, "hare")]) == "the hare ran"
    assert replaced("a fox ran", [(6, 9, "")]) == "a fox "
    assert replaced("a fox ran", []) == "a fox ran"
