"""The divergence of two networks against the whole distributions, and its gradient against plain autograd."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from transformers import GraniteConfig, GraniteForCausalLM

from tests.adjust import made
from tests.tiny import tiny_model
from trimtab.model import head
from trimtab.model.divergence import compared, of_logits, said
from trimtab.model.pack import head_states, pack, plain_logits, plain_logprobs

ROWS = made.rows(5)


def moved(network: Any) -> Any:
    """A copy with slightly other weights."""
    other = copy.deepcopy(network)
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return other


def granite() -> Any:
    """A family that scales its logits."""
    torch.manual_seed(0)
    config = GraniteConfig(
        vocab_size=259, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, logits_scaling=3.0, initializer_range=0.2,
    )  # fmt: skip
    return GraniteForCausalLM(config).eval()


NETWORKS = {"tied": lambda: tiny_model(initializer_range=0.2), "scaled logits": granite}


def plainly(base: Any, network: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities and divergences row by row, by torch's own functions."""
    logs, apart = [], []
    for row in ROWS:
        ids = torch.from_numpy(row.ids)
        scored = torch.from_numpy(row.supervised[1:])
        with torch.no_grad():
            fixed = base(ids[None]).logits[0, :-1][scored].log_softmax(-1)
        own = network(ids[None]).logits[0, :-1][scored].log_softmax(-1)
        logs.append(own.gather(-1, ids[1:][scored][:, None])[:, 0])
        apart.append(torch.nn.functional.kl_div(own, fixed, log_target=True, reduction="none").sum(-1))
    return torch.cat(logs), torch.cat(apart)


@pytest.mark.parametrize("chunk", [4, 256])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("frozen", [False, True], ids=["trained head", "frozen head"])
def test_values_and_gradients_are_those_of_the_plain_computation(
    name: str, chunk: int, frozen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head, "CHUNK", chunk)
    base = NETWORKS[name]()
    network = moved(base)
    if frozen:
        network.get_input_embeddings().requires_grad_(False)
        network.get_output_embeddings().requires_grad_(False)
    assert head.is_plain(network) == (name == "tied")
    tree = pack(ROWS)
    sources, targets = torch.from_numpy(tree.sources), torch.from_numpy(tree.targets)
    with torch.no_grad():
        other = said(base, head_states(base, tree))
    logs, apart = compared(network, head_states(network, tree), other, sources, targets)
    expected_logs, expected_apart = plainly(base, network)
    torch.testing.assert_close(logs, expected_logs, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(apart, expected_apart, atol=1e-4, rtol=1e-3)
    assert float(apart.detach().min()) > 0
    wanted = [p for p in network.parameters() if p.requires_grad]
    mine = torch.autograd.grad(-logs.sum() + 2.0 * apart.sum(), wanted)
    theirs = torch.autograd.grad(-expected_logs.sum() + 2.0 * expected_apart.sum(), wanted)
    for one, two in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, two, atol=2e-3, rtol=1e-3)


def test_the_same_network_does_not_diverge() -> None:
    network = tiny_model(initializer_range=0.2)
    tree = pack(ROWS)
    states = head_states(network, tree)
    sources, targets = torch.from_numpy(tree.sources), torch.from_numpy(tree.targets)
    _, apart = compared(network, states, said(network, states), sources, targets)
    assert float(apart.abs().max().detach()) < 1e-6


def test_rows_without_a_tree_agree() -> None:
    base = tiny_model(initializer_range=0.2)
    network = moved(base)
    expected_logs, expected_apart = plainly(base, network)
    found = []
    for row in ROWS:
        (own, targets), (other, _) = plain_logits(network, row), plain_logits(base, row)
        found.append(of_logits(own, other, targets))
        torch.testing.assert_close(found[-1][0], plain_logprobs(network, row), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(torch.cat([one for one, _ in found]), expected_logs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(torch.cat([two for _, two in found]), expected_apart, atol=1e-5, rtol=1e-4)
