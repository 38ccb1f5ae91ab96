"""Prompts read as trees against prompts read one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.model import prefill
from trimtab.model.load import Base, wrap

BEGINNING = tuple(range(40, 60))
PROMPTS = [
    (*BEGINNING, 7, 8, 9),
    (*BEGINNING, 7, 30),
    (*BEGINNING, *range(100, 140)),
    BEGINNING,
    (5, 6),
]


@pytest.fixture(scope="module")
def base() -> Base:
    return wrap(tiny_model(initializer_range=0.4), tiny_tokenizer())


@pytest.mark.parametrize("nodes", [512, 24])
@pytest.mark.parametrize("share", [True, False])
@torch.no_grad()
def test_what_was_read_goes_on_as_if_alone(
    base: Base, share: bool, nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefill, "NODES", nodes)
    together = prefill.read(base, PROMPTS, share=share)
    assert together.attended.sum(1).tolist() == [len(prompt) for prompt in PROMPTS]
    new = torch.arange(10, 10 + len(PROMPTS))[:, None]
    first = together.logits
    prefill.step(base, together, new)
    for number, prompt in enumerate(PROMPTS):
        ids = torch.tensor([[*prompt, int(new[number])]])
        expected = base.network(ids).logits[0]
        np.testing.assert_allclose(first[number], expected[-2], atol=1e-4)
        np.testing.assert_allclose(together.logits[number], expected[-1], atol=1e-4)


@torch.no_grad()
def test_a_shared_beginning_is_run_once(base: Base) -> None:
    tokens: list[int] = []
    handle = base.network.register_forward_pre_hook(
        lambda _, __, given: tokens.append(given["input_ids"].numel()), with_kwargs=True
    )
    prefill.read(base, PROMPTS, share=True)
    handle.remove()
    assert tokens == [len(BEGINNING) + 3 + 1 + 40 + 2]


@torch.no_grad()
def test_rows_join_and_unused_columns_go(base: Base) -> None:
    upper = prefill.read(base, PROMPTS[:3], share=True)
    upper.select(torch.tensor([1]))
    lower = prefill.read(base, PROMPTS[3:], share=True)
    upper.join(lower)
    assert upper.attended.shape[1] == len(PROMPTS[1])
    new = torch.tensor([[11], [12], [13]])
    prefill.step(base, upper, new)
    for number, prompt in enumerate([PROMPTS[1], *PROMPTS[3:]]):
        expected = base.network(torch.tensor([[*prompt, int(new[number])]])).logits[0, -1]
        np.testing.assert_allclose(upper.logits[number], expected, atol=1e-4)


@torch.no_grad()
def test_a_network_that_forgets_tokens_cannot_share(base: Base) -> None:
    assert prefill.can_share(base, PROMPTS)
    network = tiny_model()
    network.config.sliding_window = 16
    network.config.layer_types = ["sliding_attention", "full_attention"]
    assert not prefill.can_share(wrap(network, tiny_tokenizer()), PROMPTS)
