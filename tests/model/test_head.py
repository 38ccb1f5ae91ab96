"""The head chunk by chunk against logits taken at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.tiny import tiny_model
from trimtab.model import head
from trimtab.model.head import is_plain, scored

NODES = torch.tensor([0, 0, 1, 5, 6, 6, 6, 8])
TARGETS = torch.tensor([3, 4, 258, 0, 9, 9, 7, 100])


def plain(network: Any, hidden: torch.Tensor) -> torch.Tensor:
    logits = torch.nn.functional.linear(hidden, network.lm_head.weight, network.lm_head.bias)
    return logits.log_softmax(-1)[NODES, TARGETS]


@pytest.mark.parametrize("chunk", [3, 256])
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_values_and_gradients(chunk: int, trained: bool, bias: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "CHUNK", chunk)
    network = tiny_model(initializer_range=0.5, tie_word_embeddings=False).requires_grad_(False)
    if bias:
        network.lm_head.bias = torch.nn.Parameter(torch.randn(259), requires_grad=False)
    network.lm_head.weight.requires_grad_(trained)
    hidden = torch.randn(9, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weights = torch.randn(8, generator=torch.Generator().manual_seed(1))
    wanted = [hidden, network.lm_head.weight] if trained else [hidden]
    found, expected = scored(network, hidden, NODES, TARGETS), plain(network, hidden)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    ours = torch.autograd.grad((found * weights).sum(), wanted)
    theirs = torch.autograd.grad((expected * weights).sum(), wanted)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-4)


def test_no_gradient_is_prepared_where_none_is_wanted() -> None:
    network = tiny_model(initializer_range=0.5).requires_grad_(False)
    hidden = torch.randn(9, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(scored(network, hidden, NODES, TARGETS), plain(network, hidden))


def test_a_token_less_likely_than_float32_can_say_has_a_finite_value() -> None:
    network = tiny_model(tie_word_embeddings=False).requires_grad_(False)
    network.lm_head.weight.zero_()
    network.lm_head.weight[5] = 10.0
    hidden = torch.ones(1, 32).requires_grad_()
    found = scored(network, hidden, torch.tensor([0, 0]), torch.tensor([5, 7]))
    assert found.tolist() == pytest.approx([0.0, -320.0])


def test_scaled_logits_are_recognised() -> None:
    class Scaled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base_model = tiny_model(initializer_range=0.5).model
            self.lm_head = torch.nn.Linear(32, 259)
            self.config, self.device = self.base_model.config, torch.device("cpu")

        def get_output_embeddings(self) -> torch.nn.Linear:
            return self.lm_head

        def forward(self, **given: Any) -> Any:
            result = self.base_model(**given)
            result.logits = 3 * self.lm_head(result.last_hidden_state)
            return result

    assert is_plain(tiny_model(initializer_range=0.5))
    assert not is_plain(Scaled())
