"""Scores of several answers to one question, and how they are drawn."""

from __future__ import annotations

import dataclasses
import math
from typing import get_args

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from tests.adjust import made
from trimtab.adjust import draws
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.prompt import Prompt, Wording
from trimtab.errors import ModelError
from trimtab.model.local import Local
from trimtab.records import Message, Output, Question, Sampling

TEXTS = [
    "The kettle holds 1.7 l.",
    "The kettle holds 1.7 litres.",
    "It rains.",
    "",
    "The kettle holds 1.7 l.",
]
ASKED = Question(
    "a", (Message("user", "How much does it hold?"),), Sampling(max_new_tokens=6, temperature=0.8), 3
)


@given(st.text("abc d.", max_size=12), st.text("abc d.", max_size=12))
def test_closeness_is_chrf(text: str, other: str) -> None:
    found = draws.closeness(text, other)
    if not text.strip() or not other.strip():
        assert found == float(not text.strip() and not other.strip())
    else:
        assert found == pytest.approx(sacrebleu.sentence_chrf(text, [other]).score / 100, abs=1e-9)


def test_agreement_is_the_mean_closeness_to_the_others() -> None:
    found = draws.agreement(TEXTS)
    for number, text in enumerate(TEXTS):
        others = TEXTS[:number] + TEXTS[number + 1 :]
        expected = sum(draws.closeness(text, other) for other in others) / len(others)
        assert found[number] == pytest.approx(expected)
    assert found[1] > found[0] == found[4] > found[2] > found[3]
    assert draws.agreement(["alone"]) == [1.0]


def test_votes_count_equal_texts() -> None:
    assert draws.votes(["a  b", "c", "a b", "a b\n"]) == [0.75, 0.25, 0.75, 0.75]


def test_repeated_is_the_share_of_runs_used_before() -> None:
    assert draws.repeated("one two three") == 0.0
    assert draws.repeated("a b c d a b c d") == pytest.approx(1 / 5)
    assert draws.repeated("A a a a a a") == pytest.approx(2 / 3)


def test_seeds_of_draws_are_their_own_and_the_first_is_the_questions() -> None:
    seeds = [question.seed for question in draws.draws(ASKED, 5)]
    assert seeds[0] == ASKED.seed
    others = [draws.seed_of(seed, number) for seed in range(200) for number in range(1, 5)]
    assert len(set(others)) == len(others)
    assert min(others) > 1000
    assert seeds[1:] == [draws.seed_of(3, number) for number in range(1, 5)]


def test_the_models_own_judgement_is_yes_against_no() -> None:
    model = Local(made.base())
    texts = ["1.7 l", "a lot", "1.7 l"]
    found = draws.judged(model, [ASKED] * 3, texts)
    for text, value in zip(texts, found, strict=True):
        turns = (*ASKED.messages, Message("assistant", text), Message("user", draws.JUDGE))
        (yes, _), (no, _) = model.likelihood([(turns, "Yes"), (turns, "No")])
        assert value == pytest.approx(math.exp(yes) / (math.exp(yes) + math.exp(no)), rel=1e-4)
    assert found[0] == found[2] != found[1]


def test_each_score_prefers_what_it_is_for() -> None:
    answers = [
        Output("a", 3, "tea is hot, and", (-0.9, -0.9)),
        Output("a", 4, "so on and on and on and on", (-0.2, -0.4)),
        Output("a", 5, "tea is hot, too", (-1.0, -2.0)),
        Output("a", 6, "tea is hot, and", (-0.8, -0.9)),
    ]
    model = Local(made.base())
    found = {by: draws.score(model, by, [ASKED], [answers])[0] for by in get_args(draws.By)}
    assert found["likelihood"] == pytest.approx([-0.9, -0.3, -1.5, -0.85])
    assert found["agreement"] == draws.agreement([answer.text for answer in answers])
    assert found["agreement"].index(max(found["agreement"])) == 0
    assert found["vote"] == [0.5, 0.25, 0.25, 0.5]
    assert found["repetition"] == [0, -draws.repeated(answers[1].text), 0, 0]
    assert found["repetition"][1] < 0
    assert found["judgement"] == draws.judged(model, [ASKED] * 4, [answer.text for answer in answers])


def test_an_answer_without_log_probabilities_is_refused() -> None:
    with pytest.raises(ModelError, match="'a' has no log-probabilities"):
        draws.mean_logprob(Output("a", 0, "text"))
    assert draws.mean_logprob(Output("a", 0, "text", (-1.0, -3.0))) == -2.0


def test_an_answer_of_nothing_is_the_least_likely() -> None:
    found = [Output("a", 0, ""), Output("a", 1, "It rains.", (-4.0, -2.0))]
    assert draws.score(Local(made.base()), "likelihood", [ASKED], [found]) == [[-math.inf, -3.0]]
    silent = [Output("a", 0, "It rains.")]
    with pytest.raises(ModelError, match="no log-probabilities"):
        draws.score(Local(made.base()), "likelihood", [ASKED], [silent])


def test_an_answer_says_what_was_drawn_to_give_it() -> None:
    drawn = [Output("a", n, "x", (-1.0,) * n) for n in (2, 3)]
    chosen = draws.chosen_from(drawn[0], drawn)
    assert (chosen.spent, chosen.text, drawn[0].spent) == (5, "x", 2)
    assert draws.chosen_from(drawn[1], [chosen, drawn[1]]).spent == 8


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_drafts_and_further_draws_count_with_the_answer(strength: float) -> None:
    base = Local(made.base(initializer_range=0.3))
    warm = dataclasses.replace(ASKED, sampling=Sampling(max_new_tokens=5, temperature=0.9))
    (first,) = base.answer([warm])
    four = Decoding({}, 4, "vote", strength)
    (best,) = four.answers(base, [warm])
    parts = base.answer(draws.draws(warm, 4 if strength else 1))
    assert best.spent == sum(len(one.logprobs) for one in parts)
    (revised,) = Prompt(Wording(revise="Again."), strength=strength).answers(base, [warm])
    assert (revised.spent > first.spent) == bool(strength)
    assert revised.spent == (len(first.logprobs) if strength else 0) + len(revised.logprobs)
