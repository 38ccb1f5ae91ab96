"""Search by words, by meaning, and by both: against computations written another way."""

from __future__ import annotations

import dataclasses
import math
import random

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from trimtab.adjust.bm25 import BM25, best_first, terms
from trimtab.adjust.retrieval import Retrieval, build, fused
from trimtab.errors import ModelError
from trimtab.model.sentences import Encoder
from trimtab.records import Passage

WORDS = [f"w{n}" for n in range(30)]


def collection(count: int, *, seed: int = 0) -> list[str]:
    dice = random.Random(seed)
    return [" ".join(dice.choices(WORDS, k=dice.randint(1, 25))) for _ in range(count)]


def score(query: str, text: str, texts: list[str], *, k1: float = 1.5, b: float = 0.75) -> float:
    """BM25 word by word, as one reads it off the paper's page."""
    mean = sum(len(t.split()) for t in texts) / len(texts)
    total = 0.0
    for word in query.split():
        tf = text.split().count(word)
        n = sum(word in t.split() for t in texts)
        weight = math.log(1 + (len(texts) - n + 0.5) / (n + 0.5))
        total += weight * tf / (k1 * ((1 - b) + b * len(text.split()) / mean) + tf)
    return total


def test_bm25_is_the_sum_over_words() -> None:
    texts = collection(40)
    index = BM25(texts)
    for query in [*collection(10, seed=1), "w3 w3 w7", "unknown w1"]:
        expected = [score(query, text, texts) for text in texts]
        np.testing.assert_allclose(index.scores(query), expected, rtol=1e-12)


def test_bm25_of_a_case_worked_by_hand() -> None:
    # Two texts of 2 and 4 words, so a mean of 3; "a" stands in one of them, twice.
    found = BM25(["a a", "b c d e"]).scores("a")
    weight = math.log(1 + 1.5 / 1.5)
    assert found[0] == pytest.approx(weight * 2 / (1.5 * (0.25 + 0.75 * 2 / 3) + 2))
    assert found[1] == 0


def test_cosines_are_those_of_the_weights() -> None:
    index = BM25([*collection(15), ""])
    found = index.cosines()
    np.testing.assert_allclose(found, cosine_similarity(index.weights.toarray()), atol=1e-12)
    assert found[-1].max() == 0


def test_terms_are_compared_without_case_and_form() -> None:
    assert terms("Café, CAFÉ & ﬁne_day 3.5kg") == ["café", "café", "fine", "day", "3", "5kg"]
    assert terms("返品は30日") == ["返", "品", "は", "30", "日"]


def test_nothing_to_search_is_no_fault() -> None:
    assert BM25([]).scores("a").shape == (0,)
    assert BM25([""]).scores("a").tolist() == [0.0]
    assert best_first(np.array([1.0, 3.0, 1.0])) == [1, 0, 2]


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    dice = np.random.default_rng(3)
    for _ in range(20):
        scores = [dice.integers(0, 6, 12).astype(float) for _ in range(2)]
        expected = [sum(1 / (60 + 1 + sum(other > s[n] for other in s)) for s in scores) for n in range(12)]
        np.testing.assert_allclose(fused(scores), expected, rtol=1e-12)
    # What two put second beats what one puts first and the other last.
    first, second = np.array([3.0, 2.0, 1.0, 0.0]), np.array([0.0, 2.0, 1.0, 3.0])
    assert best_first(fused([first, second]))[0] == 1


PASSAGES = [
    Passage("You may send goods back within thirty days.", "returns.md", "Returns"),
    Passage("The office opens at nine in the morning.", "hours.md", "Opening hours"),
    Passage("Parcel tracking number XK-77 is for tests.", "tests.md"),
]


def found(retrieval: Retrieval, question: str, count: int = 3) -> list[str]:
    return [retrieval.passages[hit.position].source for hit in retrieval.search(question, count)]


def test_words_find_codes_and_titles_and_nothing_else() -> None:
    index = build(PASSAGES, "bm25")
    assert found(index, "what is XK-77?") == ["tests.md"]
    assert found(index, "opening")[0] == "hours.md"
    assert found(index, "zebra") == []


def test_meaning_finds_what_shares_no_word() -> None:
    index = build(PASSAGES, "embedding")
    assert found(index, "Can I get a refund for shoes?", 1) == ["returns.md"]
    hits = index.search("Can I get a refund for shoes?", 3)
    encoder = Encoder()
    for hit in hits:
        expected = encoder.cosine("Can I get a refund for shoes?", PASSAGES[hit.position].searched)
        assert hit.nearness == pytest.approx(expected, abs=1e-6)
    assert [h.nearness for h in hits] == sorted((h.nearness for h in hits), reverse=True)


def test_both_together_find_codes_and_meanings() -> None:
    index = build(PASSAGES, "fused")
    assert found(index, "Can I get a refund for shoes?", 1) == ["returns.md"]
    assert found(index, "XK-77", 1) == ["tests.md"]
    assert len(found(index, "anything at all")) == 3


def test_vectors_of_another_encoder_are_refused() -> None:
    index = dataclasses.replace(build(PASSAGES, "embedding"), encoder="0" * 64)
    with pytest.raises(ModelError, match="vectors are of the encoder 000000000000"):
        index.search("a", 1)
