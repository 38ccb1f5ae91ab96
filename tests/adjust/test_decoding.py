"""Best of several answers on a real, tiny network, and the dial of strength."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.adjust import made
from trimtab.adjust import draws
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import Stack
from trimtab.errors import RunError
from trimtab.model.load import Base
from trimtab.model.local import Local
from trimtab.records import Example, Message, Output, Pair, Question, Report, Sampling

ITEMS = [Example((Message("user", f"Tell me of number {n}."),), id=str(n)) for n in range(12)]
WARM = Sampling(max_new_tokens=8, temperature=1.0)


@pytest.fixture(scope="module")
def base() -> Base:
    return made.base()


class Listening:
    """A local model that remembers what it is asked."""

    def __init__(self, base: Base) -> None:
        self.model = Local(base)
        self.name = "listening"
        self.asked: list[list[Question]] = []

    def answer(self, questions: Sequence[Question], report: Report | None = None) -> list[Output]:
        self.asked.append(list(questions))
        return self.model.answer(questions, report)

    def likelihood(self, pairs: Sequence[Pair], report: Report | None = None) -> list[tuple[float, int]]:
        return self.model.likelihood(pairs, report)


def answers(base: Base, *adjustments: Decoding, sampling: Sampling = WARM) -> list[Output]:
    with Stack(adjustments).attach(base) as generate:
        return generate(ITEMS, sampling, (0, 1))


def likely(outputs: list[Output]) -> float:
    return float(np.mean([draws.mean_logprob(output) for output in outputs]))


def test_the_best_by_likelihood_is_likelier_the_more_are_drawn(base: Base) -> None:
    means = [likely(answers(base, Decoding({}, count))) for count in (1, 2, 4, 8)]
    assert means == sorted(means)
    assert means[3] > means[0] + 0.1


def test_the_best_is_the_best_of_those_drawn_and_keeps_its_question(base: Base) -> None:
    model = Listening(base)
    with Stack((Decoding({"temperature": 0.7}, 4, "agreement"),)).attach(model) as generate:
        found = generate(ITEMS, WARM, (0, 5))
    (asked,) = model.asked  # all draws in one call
    assert len(asked) == 4 * len(found)
    drawn = Local(base).answer(asked)
    for number, output in enumerate(found):
        some = drawn[4 * number : 4 * number + 4]
        values = draws.agreement([one.text for one in some])
        assert output.text == some[values.index(max(values))].text
        assert (output.example, output.seed) == (ITEMS[number // 2].id, (0, 5)[number % 2])
    assert {question.sampling.temperature for question in asked} == {0.7}


def test_the_models_own_judgement_rises_as_well(base: Base) -> None:
    judged = answers(base, Decoding({}, 4, "judgement"))
    asked = [Question(o.example, ITEMS[int(o.example)].messages, WARM) for o in judged]
    before = [o.text for o in answers(base)]
    model = Local(base)
    assert sum(draws.judged(model, asked, [o.text for o in judged])) > sum(draws.judged(model, asked, before))


def test_a_greedy_best_of_n_is_the_greedy_answer(base: Base) -> None:
    greedy = Sampling(max_new_tokens=6)
    assert answers(base, Decoding({}, 4), sampling=greedy) == answers(base, sampling=greedy)


@pytest.mark.parametrize(
    ("strength", "count"), [(0.0, 1), (0.1, 1), (0.5, 3), (1.0, 5), (2.0, 9), (100.0, 64), (-1.0, 1)]
)
def test_the_number_of_draws_goes_with_the_strength(strength: float, count: int) -> None:
    assert Decoding({}, 5).scaled(strength).draws == count


def test_the_settings_go_with_the_strength(base: Base) -> None:
    strong = Decoding({"temperature": 0.2, "top_k": 4})
    assert answers(base, strong.scaled(0.5)) == answers(base, Decoding({"temperature": 0.6, "top_k": 8}))
    assert answers(base, strong.scaled(0.5)) != answers(base, strong)
    greedy = Sampling(max_new_tokens=8)
    warmed = answers(base, Decoding({"temperature": 1.2}).scaled(0.5), sampling=greedy)
    assert warmed == answers(base, Decoding({"temperature": 0.6}), sampling=greedy)


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(RunError, match="warmth: not allowed"):
        Decoding({"warmth": 1.0})
    with pytest.raises(RunError, match="best_of 65"):
        Decoding({}, 65)
    assert Decoding({}, 1, "vote").hash == Decoding({}, 1).hash
    assert Decoding({}, 2, "vote").hash != Decoding({}, 2).hash
