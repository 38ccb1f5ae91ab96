"""Cuts that leave readable text, and nothing else changed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.language.editing import Limits, beginning, cut, drop, shorten
from trimtab.language.phrases import find, pattern
from trimtab.language.text import Span, unit_spans, words


def spans(text: str, *phrases: str) -> list[Span]:
    found = pattern(phrases)
    assert found is not None
    return find(found, text)


@pytest.mark.parametrize(
    ("text", "phrase", "left"),
    [
        ("This is an amazing kettle.", "amazing", "This is a kettle."),
        ("It is a nice oven.", "nice", "It is an oven."),
        ("An amazing, cheap kettle.", "amazing", "A cheap kettle."),
        ("Amazing! The kettle boils.", "amazing", "The kettle boils."),
        ("amazing kettles boil", "amazing", "Kettles boil"),
        ("It boils. Wow! It sings.", "wow", "It boils. It sings."),
        ("It boils, simply, water.", "simply", "It boils, water."),
        ("The kettle is amazing.", "amazing", "The kettle is."),
        ("Buy it, act now", "act now", "Buy it,"),
        ("- amazing kettle\n- amazing pot", "amazing", "- kettle\n- pot"),
        ("Certainly.\n\nThe kettle boils.", "certainly", "The kettle boils."),
        ("Amazing -5 °C", "amazing", "-5 °C"),
        ("It is sleek and amazing.", "amazing", "It is sleek."),
        ("It is amazing and sleek.", "amazing", "It is sleek."),
        ("It is sleek, and amazing", "amazing", "It is sleek"),
        ("An amazing and sleek kettle.", "amazing", "A sleek kettle."),
        ("Amazing and sleek, it boils.", "amazing", "Sleek, it boils."),
        ("It is light, amazing and sleek.", "amazing", "It is light, sleek."),
        ("Salt and amazing pepper", "amazing", "Salt and pepper"),
        ("Bread and butter", "amazing", "Bread and butter"),
        ("amazing", "amazing", ""),
        ("  two  spaces  stay", "amazing", "  two  spaces  stay"),
    ],
)
def test_cut(text: str, phrase: str, left: str) -> None:
    assert cut(text, spans(text, phrase)) == left


def test_a_conjunction_between_two_cuts_goes_with_them() -> None:
    found = spans("A versatile and comfortable chair", "versatile", "comfortable")
    assert cut("A versatile and comfortable chair", found) == "A chair"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It boils. It is amazing. It sings.", "It boils. It sings."),
        ("It boils. It is amazing.\n\nIt sings.", "It boils.\n\nIt sings."),
        ("It is amazing. It boils.", "It boils."),
        ("- tea\n- amazing milk\n- salt\n", "- tea\n- salt"),
        ("1. Tea.\n2. Amazing milk.\n3. Salt.", "1. Tea.\n3. Salt."),
        ("Nothing here.  ", "Nothing here.  "),
        ("Amazing!", ""),
    ],
)
def test_drop(text: str, left: str) -> None:
    assert drop(text, spans(text, "amazing")) == left


def test_what_holds_no_word_can_be_dropped_too() -> None:
    assert drop("!!!", [(0, 3)]) == ""
    assert drop("Yes. ***", [(5, 8)]) == ""


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(0, 80), st.integers(1, 5)), max_size=4))
def test_nothing_is_left_of_what_is_dropped(text: str, places: list[tuple[int, int]]) -> None:
    chosen = [(at, min(len(text), at + size)) for at, size in places if at < len(text)]
    left = drop(text, chosen)
    units = unit_spans(text)
    untouched = [text[s:e] for s, e in units if not any(at < e and s < end for at, end in chosen)]
    if not chosen:
        assert left == text
    if units:
        assert set(words(left)) <= set(words(text))
        assert len(words(left)) <= sum(len(words(unit)) for unit in untouched)


LIMITS = st.builds(
    Limits,
    st.none() | st.integers(1, 8),
    st.none() | st.integers(1, 3),
    st.none() | st.integers(1, 40),
)
TEXTS = st.text(max_size=80) | st.lists(
    st.sampled_from(["Tea.", "It boils. ", "- milk\n", "long words here ", "水。", "\n\n", "!"]), max_size=12
).map("".join)


@given(TEXTS, LIMITS)
def test_a_shortened_text_is_a_beginning_within_the_limits(text: str, limits: Limits) -> None:
    short = shorten(text, limits)
    assert beginning(short, limits) == len(short)
    assert shorten(short, limits) == short
    assert text.lstrip().startswith(short.removesuffix("…").strip())
    if beginning(text, limits) == len(text):
        assert short == text


def test_shorten_cuts_at_the_end_of_a_sentence() -> None:
    text = "One two three. Four five. Six seven eight."
    assert shorten(text, Limits(words=6)) == "One two three. Four five."
    assert shorten(text, Limits(sentences=1)) == "One two three."
    assert shorten(text, Limits(characters=30)) == "One two three. Four five."
    assert shorten(text, Limits(words=2)) == "One two…"
    assert shorten(text, Limits(characters=9)) == "One two…"
    assert shorten("x" * 20, Limits(characters=5)) == "xxxx…"


@pytest.mark.parametrize("piece", ["amazing ", "an amazing, ", "Amazing. ", "\namazing", "…amazing —"])
def test_time_grows_with_length_alone(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    started = time.process_time()
    cut(text, spans(text, "amazing"))
    drop(text, spans(text, "amazing"))
    shorten(text, Limits(words=50, characters=400))
    assert time.process_time() - started < 3
