"""Features of answers on a real, tiny network."""

from __future__ import annotations

import numpy as np
import pytest

from tests.adjust import made
from trimtab.adjust import draws
from trimtab.adjust.confidence import FEATURES, WARM, identity, observe
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import Adjusted, Stack, taken_apart
from trimtab.model.load import Base
from trimtab.model.local import Local
from trimtab.records import Message, Question, Sampling

ASKED = [
    Question(str(n), (Message("user", f"Tell me of number {n}."),), Sampling(max_new_tokens=7), 2)
    for n in range(4)
]


@pytest.fixture(scope="module")
def base() -> Base:
    return made.base()


def test_features_are_what_they_say(base: Base) -> None:
    model = Local(base)
    seen = observe(model, ASKED, FEATURES, samples=3)
    assert [o.text for o in seen.outputs] == [o.text for o in model.answer(ASKED)]
    assert seen.features.shape == (4, 5)
    warm = Sampling(max_new_tokens=7, temperature=WARM)
    tokens = 0
    for question, output, row in zip(ASKED, seen.outputs, seen.features, strict=True):
        others = model.answer(
            [Question(question.example, question.messages, warm, draws.seed_of(2, n)) for n in (1, 2, 3)]
        )
        logs = [np.mean(other.logprobs) for other in others]
        close = [draws.closeness(output.text, other.text) for other in others]
        expected = [np.mean(output.logprobs), min(output.logprobs), -np.mean(logs), np.mean(close)]
        np.testing.assert_allclose(row[:4], expected, atol=1e-5)
        assert row[4] == pytest.approx(draws.judged(model, [question], [output.text])[0], abs=1e-5)
        tokens += sum(len(one.logprobs) for one in (output, *others))
    assert seen.tokens == tokens
    assert len({tuple(row) for row in seen.features.tolist()}) == 4


def test_further_answers_are_warm_whatever_stands_before(base: Base) -> None:
    bare = observe(Local(base), ASKED, ("agreement", "entropy"), samples=2)
    cold = Adjusted(Local(base), Decoding({"temperature": 0.0}, 8))
    assert observe(cold, ASKED, ("agreement", "entropy"), samples=2).features == pytest.approx(bare.features)
    assert (bare.features[:, 0] < 1).all()


def test_a_model_is_taken_apart_to_what_it_was_made_of(base: Base) -> None:
    stack = Stack((Decoding({"top_k": 3}), Decoding({"top_p": 0.5})))
    with stack.attach(base) as model:
        bottom, found = taken_apart(model.model)
        assert found == stack
        assert isinstance(bottom, Local)
        assert identity(model.model) == base.fingerprint
    assert taken_apart(Local(base))[1].hash == "base"
