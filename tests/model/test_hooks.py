"""Outputs changed by hooks: in order, removed without a trace, and noticed by what keeps outputs."""

from __future__ import annotations

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.adjust import made
from tests.tiny import tiny_model
from trimtab.model import head, sites
from trimtab.model.hooks import changing, is_changed
from trimtab.model.pack import pack, token_logprobs


class Pair(torch.nn.Module):
    """Gives a tuple, as blocks of older families do, of what it is given by name."""

    def forward(self, *, states: torch.Tensor) -> tuple[torch.Tensor, str]:
        return states, "more"


def test_tuples_and_named_inputs_are_changed_too() -> None:
    outer = torch.nn.ModuleDict({"pair": Pair()})
    seen = []

    def change(asked: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        seen.append(asked)
        return output + 1

    with changing(outer, {"pair": change}):
        found = outer["pair"](states=torch.zeros(2))
    assert found[0].tolist() == [1, 1]
    assert found[1] == "more"
    assert torch.equal(seen[0], torch.zeros(2))


def test_contexts_change_in_the_order_of_entering_and_leave_nothing() -> None:
    module = torch.nn.Sequential(torch.nn.Identity())
    one = torch.ones(1)
    with changing(module, {"0": lambda _, x: x + 1}):
        with changing(module, {"0": lambda _, x: x * 10}):
            assert float(module(one)) == 20
        assert float(module(one)) == 2
    assert float(module(one)) == 1
    assert not module[0]._forward_hooks
    with pytest.raises(AttributeError), changing(module, {"0": lambda _, x: x, "no.such": lambda _, x: x}):
        pass
    assert not module[0]._forward_hooks


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_lowest_changed_output_is_found(family: str) -> None:
    config = GPT2Config(vocab_size=50, n_embd=8, n_layer=4, n_head=2, n_positions=16)
    network = tiny_model(blocks=4) if family == "llama" else GPT2LMHeadModel(config)
    network.requires_grad_(False)
    names = sites.block_names(network)
    assert sites.first_changed(network) == 4
    looking = network.get_submodule(names[0]).register_forward_hook(lambda *_: None)
    assert sites.first_changed(network) == 4
    looking.remove()
    for number in (3, 1):
        with changing(network, {names[number]: lambda _, x: x}):
            assert is_changed(network.get_submodule(names[number]))
            assert sites.first_changed(network) == number
    inside = next(name for name, _ in network.get_submodule(names[2]).named_children())
    with changing(network, {f"{names[2]}.{inside}": lambda _, x: x}):
        assert sites.first_changed(network) == 2
    embeddings = sites.module_name(network, network.get_input_embeddings())
    with changing(network, {embeddings: lambda _, x: x}):
        assert sites.first_changed(network) == 0
    assert sites.first_changed(network) == 4


def test_a_changed_head_says_what_it_says_in_scoring_too() -> None:
    base = made.base(initializer_range=0.3)
    tree = pack(made.rows())
    assert head.is_plain(base.network)
    plain = token_logprobs(base.network, tree)
    with changing(base.network, {"lm_head": lambda _, logits: 2 * logits}):
        changed = token_logprobs(base.network, tree)
        logits = made.logits(base)
    torch.testing.assert_close(logits, 2 * made.logits(base))
    with torch.no_grad():
        base.network.lm_head.weight.mul_(2)
        base.network.model.embed_tokens.weight = torch.nn.Parameter(base.network.lm_head.weight / 2)
    torch.testing.assert_close(changed, token_logprobs(base.network, tree), atol=1e-4, rtol=1e-4)
    assert float((changed - plain).abs().max()) > 0.1
