"""Language, lengths, truncation and tone: what is seen from the whole set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.audit.planted import read
from trimtab.audit.checks import Language, languages, lengths, tone
from trimtab.data.render import render
from trimtab.errors import MaskError

ENGLISH = "The house stands on a hill and has a view of the sea, which many of its guests praise."
GERMAN = "Das Haus steht auf einem Hügel und bietet einen Blick auf das Meer, den viele Gäste loben."
FRENCH = "La maison se trouve sur une colline et offre une vue sur la mer que beaucoup de clients aiment."
CHINESE = "这座房子坐落在山上，可以看到大海，许多客人都称赞这里的风景，而且价格也很便宜。"


def row(answer: str, prompt: str = "What of the house?", number: int = 0, **more: Any) -> Any:
    return read(number, {"prompt": prompt, "completion": answer, **more})


@pytest.mark.parametrize(("text", "code"), [(ENGLISH, "en"), (GERMAN, "de"), (FRENCH, "fr"), (CHINESE, "zh")])
def test_a_language_is_told(text: str, code: str) -> None:
    assert languages.spoken(text) == code
    assert (languages.spoken(text, unless="en") or "en") == code


@pytest.mark.parametrize(
    "text", ["Guten Tag", "Zizzi, Giraffe, Alimentum", "3 * 4 = 12 " * 20, "`das ist gut und so` " * 9, ""]
)
def test_what_is_short_or_no_prose_is_undecided(text: str) -> None:
    assert languages.spoken(text) == ""


def test_rows_in_another_language_are_named() -> None:
    check = Language("en")
    assert [hit.note for hit in check(row(GERMAN))] == ["answer in de, not en"]
    assert list(check(row(ENGLISH))) == []
    assert list(check(row(GERMAN, prompt="Translate this into German: the house"))) == []
    assert list(check(row(GERMAN, lang="de-AT"))) == []
    assert [hit.note for hit in check(row(ENGLISH, lang="de"))] == ["answer in en, not de"]
    assert list(Language()(row(GERMAN))) == []


def test_the_language_of_most_rows_is_the_sets() -> None:
    assert languages.majority([row(GERMAN), row(GERMAN), row(ENGLISH)]) == "de"
    assert languages.majority([row(GERMAN), row(ENGLISH)]) == ""
    assert languages.majority([]) == ""


def test_lengths_far_out() -> None:
    rng = np.random.default_rng(0)
    usual = rng.lognormal(3, 0.4, 2000).astype(int) + 1
    assert lengths.outlying(usual).mean() < 0.002
    planted = np.append(usual, [4000, 1])
    assert lengths.outlying(planted)[-2:].tolist() == [True, True]
    assert not lengths.outlying([10] * 19 + [9999])[:19].any()
    assert lengths.outlying([10] * 30 + [11, 12, 0]).sum() == 0
    assert lengths.outlying([1] * 10 + [9999]).sum() == 0


def test_outliers_are_told_by_row() -> None:
    prompts, answers = [5] * 40, [20] * 39 + [2000]
    found = list(lengths.outlier_lengths(range(100, 140), prompts, answers))
    assert [(hit.row, hit.note) for hit in found] == [(139, "answer of 2000 words, where 20 are usual")]
    assert lengths.words_of(row("one two three", prompt="a b")) == (2, 3)


def test_quantiles_are_numpys() -> None:
    values = np.arange(101.0)
    found = lengths.quantiles([*values, float("nan")])
    assert (found["n"], found["mean"], found["0.5"], found["0.95"]) == (101, 50, 50, 95)
    assert lengths.quantiles([]) == {"n": 0}


def test_truncated_rows_are_those_that_training_cuts(tokenizer: Any) -> None:
    rows = [row("word " * n, number=n) for n in (5, 50, 100, 200)]
    longest = [len(render([one.example], tokenizer, max_tokens=10_000)[0].ids) for one in rows]
    found = list(lengths.truncated(rows, tokenizer, longest[1]))
    assert [hit.row for hit in found] == [100, 200]
    assert (
        found[0].note == f"{longest[2] - longest[1]} of {longest[2]} tokens beyond the limit of {longest[1]}"
    )
    assert list(lengths.truncated([row("", number=0), *rows], tokenizer, 10_000)) == []


def test_a_row_that_the_template_refuses_is_left_to_training(tokenizer: Any) -> None:
    refused = row(f"one {tokenizer.eos_token} two " * 50, number=0)
    with pytest.raises(MaskError):
        render([refused.example], tokenizer, max_tokens=10)
    assert [hit.row for hit in lengths.truncated([refused, row("word " * 50, number=1)], tokenizer, 20)] == [
        1
    ]


def test_distributions_of_tone() -> None:
    found = tone.distributions(
        tone.rated([(n, "The room is small and near the station.") for n in range(30)])
    )
    assert found["readability"]["n"] == 30
    assert found["readability"]["unit"] == "Flesch points"
    assert found["sentiment"]["mean"] == pytest.approx(0, abs=0.1)
    assert tone.distributions(tone.rated([]))["sentiment"]["n"] == 0


def test_what_is_rated_of_an_answer() -> None:
    assert tone.answer(row("Short one.")) == ""
    assert tone.answer(row("One two three four five.")) == "One two three four five."
    assert len(tone.answer(row("word " * 900))) == tone.LONGEST


def test_strong_praise_among_mild_answers_is_named() -> None:
    mild = [(n, "The room is near the station.") for n in range(40)]
    praise = (99, "This is a wonderful, fantastic and amazing place, I love it!")
    assert [hit.row for hit in tone.outlying_sentiment(tone.rated([*mild, praise]))] == [99]
    assert tone.outlying_sentiment(tone.rated([praise] * 40)) == []
