"""Attention as dense products against the library's kernel, and where it is used."""

from __future__ import annotations

import pytest
import torch

from tests.tiny import tiny_model
from trimtab.model import attention
from trimtab.model.attention import TreeAttention, additive, attending
from trimtab.model.pack import pack, token_logprobs, unscored


def drawn(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(
        *shape, dtype=dtype, generator=torch.Generator().manual_seed(sum(shape))
    ).requires_grad_()


def mask(tokens: int) -> torch.Tensor:
    sees = torch.rand(tokens, tokens, generator=torch.Generator().manual_seed(1)) < 0.5
    return sees.tril() | torch.eye(tokens, dtype=torch.bool)


def test_gradients_are_the_numerical_ones() -> None:
    given = (drawn(4, 5, 3), drawn(2, 5, 3), drawn(2, 5, 3), additive(mask(5), torch.float64), 0.7)
    assert torch.autograd.gradcheck(TreeAttention.apply, given)


@pytest.mark.parametrize("shared", [1, 2, 4])
def test_equals_the_library(shared: int) -> None:
    query, key, value = drawn(4, 9, 8), drawn(shared, 9, 8), drawn(shared, 9, 8)
    found = TreeAttention.apply(query, key, value, additive(mask(9), torch.float64), 8**-0.5)
    expected = torch.nn.functional.scaled_dot_product_attention(
        query[None], key[None], value[None], attn_mask=mask(9), enable_gqa=True
    )[0]
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(
        torch.autograd.grad(found.square().sum(), (query, key, value)),
        torch.autograd.grad(expected.square().sum(), (query, key, value)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_it_is_used_for_trees_and_taken_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[torch.Size] = []
    own = TreeAttention.forward
    monkeypatch.setattr(
        attention.TreeAttention,
        "forward",
        lambda ctx, *given: calls.append(given[0].shape) or own(ctx, *given),
    )
    network = tiny_model()
    before = network.config._attn_implementation
    token_logprobs(network, pack([unscored([5, 6, 7]), unscored([5, 8])]))
    assert calls == [torch.Size([4, 32, 8])] * 2
    assert network.config._attn_implementation == before
    with attending(network):
        assert network.config._attn_implementation == attention.NAME
        network(input_ids=torch.tensor([[5, 6], [7, 8]]))  # two rows without a mask: the library's own way
    assert len(calls) == 2
