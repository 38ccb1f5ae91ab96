"""Named places in networks of several families."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.tiny import tiny_model
from trimtab.errors import ModelError
from trimtab.model import sites


def gpt2() -> Any:
    return GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=3, n_head=2, n_positions=16))


def test_blocks_by_number() -> None:
    network = tiny_model(blocks=3)
    assert sites.block_names(network) == [f"model.layers.{n}" for n in range(3)]
    assert sites.chosen_blocks(network, ()) == sites.block_names(network)
    assert sites.chosen_blocks(network, (-1, 0, 2)) == ["model.layers.0", "model.layers.2"]
    assert sites.block_names(gpt2()) == [f"transformer.h.{n}" for n in range(3)]


def test_wrong_blocks_are_all_named() -> None:
    with pytest.raises(ModelError, match=r"blocks \[5, -4\]: the network has 3 blocks"):
        sites.chosen_blocks(tiny_model(blocks=3), (5, 0, -4))


def test_a_network_without_blocks_is_refused() -> None:
    network = torch.nn.Linear(2, 2)
    network.config = tiny_model().config  # type: ignore[assignment]
    with pytest.raises(ModelError, match="no list of 2 blocks"):
        sites.block_names(network)


def test_linear_modules_inside_blocks() -> None:
    network = tiny_model(blocks=12)
    names = sites.linear_names(network, ["model.layers.1"])
    assert len(names) == 7
    assert all(name.startswith("model.layers.1.") for name in names)
    assert sites.linear_names(network, ["model.layers.1"], ("q_proj",)) == ["model.layers.1.self_attn.q_proj"]
    assert len(sites.linear_names(gpt2(), ["transformer.h.0"])) == 4
    with pytest.raises(ModelError, match=r"modules \['q', 'w'\]") as raised:
        sites.linear_names(network, ["model.layers.1"], ("q", "w", "q_proj"))
    assert "q_proj" in raised.value.hint


def test_norms_parameters_and_names() -> None:
    network = tiny_model()
    assert len(sites.norm_parameters(network)) == 5
    assert all(name.endswith("norm.weight") for name in sites.norm_parameters(network))
    assert len(sites.norm_parameters(gpt2())) == 14
    assert len(sites.parameters_under(network, ["model.layers.1"])) == 9
    assert sites.module_name(network, network.get_input_embeddings()) == "model.embed_tokens"
