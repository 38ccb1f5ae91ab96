"""Phrases found in any case, width and spacing, at their place in the text as it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.language.phrases import find, fold, pattern
from trimtab.language.text import normal


def found(text: str, *phrases: str) -> list[str]:
    pattern_ = pattern(phrases)
    assert pattern_ is not None
    return [text[start:end] for start, end in find(pattern_, text)]


@pytest.mark.parametrize(
    ("phrase", "text", "places"),
    [
        ("act now", "ACT NOW, act-now, act\n now; react now", ["ACT NOW", "act-now", "act\n now"]),
        ("don't", "Don’t, DON'T, don t", ["Don’t", "DON'T"]),
        ("free", "ＦＲＥＥ, carefree, free!", ["ＦＲＥＥ", "free"]),
        ("amaz*", "amazing, Amazed; gamaz", ["amazing", "Amazed"]),
        ("straße", "STRASSE und Straße", ["STRASSE", "Straße"]),
        ("café", "cafe\u0301 Café", ["cafe\u0301", "Café"]),
        ("!", "wow!!", ["!", "!"]),
        ("免费", "这是免费的", ["免费"]),
        ("office", "oﬃce", ["oﬃce"]),
    ],
)
def test_where_phrases_stand(phrase: str, text: str, places: list[str]) -> None:
    assert found(text, phrase) == places


def test_the_longest_phrase_wins() -> None:
    assert found("best in class", "best", "best in class") == ["best in class"]


def test_no_phrase_no_pattern() -> None:
    assert pattern([" ", "*", ""]) is None


@given(st.text(max_size=50))
def test_folding_keeps_every_place(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert all(0 <= s < e <= len(text) for s, e in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts)


@given(st.text(alphabet="abßéİ ﬁ’'Ａ-", min_size=1, max_size=12))
def test_a_text_holds_itself(text: str) -> None:
    whole = pattern([text])
    if whole is not None and not text.strip().endswith("*"):
        spans = find(whole, f"x. {text} .y")
        assert spans or not normal(text)
