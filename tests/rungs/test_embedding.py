"""The rung *embedding* on the tiny network: its words, its defaults, what it records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.rungs import made
from trimtab import recipe as recipes
from trimtab.adjust.vocabulary import token_ids
from trimtab.candidates import EmbeddingCandidate
from trimtab.errors import DataError, RecipeError
from trimtab.rungs import embedding, wording
from trimtab.rungs.wording import over_represented

pytestmark = pytest.mark.usefixtures("cache")


def test_words_of_one_side_are_found_clearest_first() -> None:
    common = "the cat sat on the mat and the dog"
    these = [f"{common} kindly"] * 20 + ["kindly rarely", "warm " * 9]
    others = [f"{common} rudely"] * 20
    found = over_represented(these, others, 10)
    assert found[0] == "kindly"
    assert "warm" in found
    assert not {"the", "cat", "rudely", "rarely"} & set(found)
    assert over_represented(these, others, 1) == ("kindly",)


def test_the_score_is_the_formula_and_chance_finds_little() -> None:
    dice = np.random.default_rng(0)
    names = np.array([f"w{n}" for n in range(200)])
    share = np.arange(1, 201) ** -1.0
    false = 0
    for _ in range(20):
        texts = [" ".join(dice.choice(names, 30, p=share / share.sum())) for _ in range(80)]
        false += len(over_represented(texts[:40], texts[40:], 1000))
    assert false / 20 < 0.025 * 200 * 1.3
    one, two = 12 + 1.7, 5 + 1.7
    expected = np.log(one / (400 + 100 - one)) - np.log(two / (600 + 100 - two))
    assert wording._z(12, 5, 400, 600) == pytest.approx(expected / np.sqrt(1 / one + 1 / two))


def test_words_are_those_that_references_use_more(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path)
    fitted = embedding.fit(shop, EmbeddingCandidate(most=3))
    assert set(fitted.cost["words"]) <= {"fine", "and", "kind"}
    ids = {n for word in fitted.cost["words"] for n in token_ids(shop.base.tokenizer, word)}
    assert set(fitted.adjustment.ids) == ids
    assert fitted.adjustment.training.proximity == 0.01
    assert fitted.adjustment.training.learning_rate == 0.005
    assert fitted.history
    assert {"seconds", "tokens", "peak_bytes"} <= fitted.cost.keys()


def test_without_such_words_it_asks_for_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = made.workshop(tmp_path)
    monkeypatch.setattr("trimtab.rungs.wording.Z", 1e9)
    with pytest.raises(DataError, match="no word clearly more often"):
        embedding.fit(shop, EmbeddingCandidate())


def test_words_that_are_given_need_no_answers_and_keep_their_strength(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path)
    for fit in ("nudge", "prototype"):
        given = EmbeddingCandidate(fit=fit, words=("kind",), towards=("fine",), strength=0.5)
        found = embedding.fit(shop, given)
        assert found.adjustment.strength == 0.5
        assert not found.history
        assert embedding.seconds(shop, given, made.SPEED) == 0


def test_defaults_follow_the_head_and_the_time(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path)
    assert [one.tied for one in embedding.defaults(shop, made.SPEED, 1e6)] == ["input", "both"]
    (short,) = embedding.defaults(shop, made.SPEED, 1.0)
    assert short.epochs == pytest.approx(1 / 2.8, abs=0.01)
    assert embedding.seconds(shop, short.model_copy(update={"words": ("a",)}), made.SPEED) == pytest.approx(
        1, abs=0.02
    )
    untied = made.workshop(tmp_path / "untied", one=made.base(tie_word_embeddings=False))
    assert [one.tied for one in embedding.defaults(untied, made.SPEED, 1e6)] == ["input"]


def test_nudging_nowhere_is_refused() -> None:
    content = {
        "data": {"examples": "x"},
        "goal": {"metric": "chrf"},
        "candidates": {"embedding": [{"fit": "nudge", "words": ["a"]}]},
    }
    with pytest.raises(RecipeError, match="towards, or in away"):
        recipes.parse(content)
