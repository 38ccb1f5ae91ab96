"""Weights laid out once: the same products, and nothing left behind."""

from __future__ import annotations

import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.model import packed, slots
from trimtab.model.load import wrap
from trimtab.model.sampler import sample
from trimtab.records import Example, Message, Sampling

LOW = torch.bfloat16


def can() -> bool:
    return packed.suits(torch.zeros(1, 1, dtype=LOW))


@pytest.mark.parametrize("rows", [1, 7, 64, 300])
def test_a_frozen_product_and_its_gradient_are_the_plain_ones(rows: int) -> None:
    torch.manual_seed(0)
    weight, bias = torch.randn(48, 32).to(LOW), torch.randn(48).to(LOW)
    x, given = torch.randn(rows, 32).to(LOW), torch.randn(rows, 48).to(LOW)
    frozen = packed.Frozen(weight, bias)
    exact = torch.nn.functional.linear(x.double(), weight.double(), bias.double())
    torch.testing.assert_close(frozen(x).double(), exact, rtol=1e-2, atol=1e-1)
    torch.testing.assert_close(
        frozen.back(given).double(), given.double() @ weight.double(), rtol=1e-2, atol=1e-1
    )
    assert (frozen._ahead is not None) == can()


def test_training_in_float32_and_short_memory_keep_the_plain_product(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, x = torch.randn(8, 4), torch.randn(3, 4)
    assert torch.equal(packed.Frozen(weight)(x), x @ weight.T)
    monkeypatch.setattr(packed, "available_bytes", lambda _: 0)
    assert packed.Frozen(weight.to(LOW))._ahead is None
    assert packed.Ahead(tiny_model().to(LOW)).forwards == []


@pytest.mark.parametrize("dtype", [torch.float32, LOW])
def test_a_network_computes_the_same_and_is_left_as_it_was(dtype: torch.dtype) -> None:
    network = tiny_model().to(dtype)
    ids = torch.arange(20)[None]
    ahead = packed.Ahead(network)
    assert len(ahead.forwards) == (15 if packed.suits(torch.zeros(1, 1, dtype=dtype)) else 0)
    with torch.no_grad():
        plain = network(input_ids=ids).logits
        with packed.used(ahead):
            found = network(input_ids=ids).logits
        assert torch.equal(network(input_ids=ids).logits, plain)
    near = 1e-5 if dtype is torch.float32 else 0.05
    torch.testing.assert_close(found, plain, rtol=near, atol=near)
    assert not any("forward" in vars(module) for module in network.modules())


def test_what_is_sampled_does_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    base = wrap(tiny_model().to(LOW), tiny_tokenizer())
    examples = [Example((Message("user", text),), id=text) for text in ("one", "two", "a longer third")]
    made = []
    laid_out = packed.Ahead
    monkeypatch.setattr(packed, "Ahead", lambda network: made.append(network) or laid_out(network))
    plain = sample(base, examples, Sampling(max_new_tokens=12))
    assert not made
    monkeypatch.setattr(slots, "WORTH", 0)
    found = sample(base, examples, Sampling(max_new_tokens=12))
    assert made
    assert [o.text for o in found] == [o.text for o in plain]
