"""A phrase that is known to force the answer comes first, where chance would put it first in a quarter of prompts."""

from __future__ import annotations

import numpy as np

from tests.probe.attribution.planted import prompts, trained
from trimtab.model import likelihood
from trimtab.probe.attribution.attributing import METHODS, Settings, attribute

COUNT = 30


def test_the_phrase_that_forces_the_answer_comes_first() -> None:
    base = trained()
    planted = prompts(COUNT, seed=2)
    pairs = [
        (one.example.messages, text) for one in planted for text in (one.target.answer, one.target.other)
    ]
    found = likelihood.answers(base, pairs)
    right = [a[0] > b[0] for a, b in zip(found[::2], found[1::2], strict=True)]
    assert np.mean(right) >= 0.95, "the network has not learnt what the phrase means"
    settings = Settings(units=("sentence",), steps=16, most_steps=32)
    first = dict.fromkeys(METHODS, 0)
    for one in planted:
        for told in attribute(base, one.example, one.target, settings):
            assert len(told.features) == 4
            first[told.method] += told.ranked[0] == one.cause
    rng = np.random.default_rng(0)
    chance = np.mean([[rng.permutation(4)[0] == one.cause for one in planted] for _ in range(200)])
    assert 0.15 < chance < 0.35
    assert first["ablation"] >= 0.9 * COUNT
    assert max(first["integrated_gradients"], first["gradient_x_input"]) >= 0.9 * COUNT, first
