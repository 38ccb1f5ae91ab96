"""Adapters of chosen attention heads: nothing else moves, and mistakes are named."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.adjust import made
from tests.tiny import tiny_tokenizer
from trimtab.adjust import adapter, headed
from trimtab.adjust.loop import Settings
from trimtab.errors import ModelError
from trimtab.model.load import wrap

SIZE = 8
HOW = Settings(epochs=2, batch_size=4, learning_rate=1e-2, weight_decay=0.1, warmup=0.0)


def deltas(shape: adapter.Shape, how: Settings = HOW) -> dict[str, torch.Tensor]:
    """The change of each weight that an adapter makes."""
    base = made.base()
    own = made.weights(base)
    fitted, _ = adapter.fit(base, made.rows(), shape, how)
    with fitted.attach(base):
        found = {name: tensor - own[name] for name, tensor in made.weights(base).items()}
    return {name: delta for name, delta in found.items() if float(delta.abs().max())}


@pytest.mark.parametrize(("dropout", "kl"), [(0.0, 0.0), (0.2, 0.0), (0.0, 0.1)])
def test_only_the_chosen_heads_change(dropout: float, kl: float) -> None:
    shape = adapter.Shape(rank=4, heads=((0, 1), (1, 0), (1, 3)), dropout=dropout)
    found = deltas(shape, dataclasses.replace(HOW, kl=kl))
    chosen = {0: [1], 1: [0, 3]}
    names = [f"model.layers.{n}.self_attn.{end}.weight" for n in (0, 1) for end in ("q_proj", "o_proj")]
    assert sorted(found) == sorted(names)
    for number, heads in chosen.items():
        rows = found[f"model.layers.{number}.self_attn.q_proj.weight"].view(4, SIZE, 32)
        columns = found[f"model.layers.{number}.self_attn.o_proj.weight"].view(32, 4, SIZE)
        for head in range(4):
            assert (float(rows[head].abs().max()) > 1e-5) == (head in heads)
            assert (float(columns[:, head].abs().max()) > 1e-5) == (head in heads)
            if head not in heads:
                assert not rows[head].any()
                assert not columns[:, head].any()


def test_all_heads_are_the_two_projections() -> None:
    every = tuple((block, head) for block in range(2) for head in range(4))
    base = made.base()
    fitted, _ = adapter.fit(base, made.rows(), adapter.Shape(rank=4, heads=every), HOW)
    plain, _ = adapter.fit(
        base, made.rows(), adapter.Shape(rank=4, modules=("q_proj", "o_proj"), blocks=(0, 1)), HOW
    )
    assert fitted.tensors.keys() == plain.tensors.keys()
    for name, tensor in fitted.tensors.items():
        torch.testing.assert_close(tensor, plain.tensors[name])


def test_one_of_the_two_projections_may_be_named() -> None:
    found = deltas(adapter.Shape(rank=4, heads=((1, 2),), modules=("o_proj",)))
    assert list(found) == ["model.layers.1.self_attn.o_proj.weight"]


def test_it_says_which_heads(tmp_path: Any) -> None:
    base = made.base()
    fitted, _ = adapter.fit(base, made.rows(), adapter.Shape(rank=4, heads=((-1, 3), (0, 1), (0, 1))), HOW)
    assert fitted.heads == ((0, 1), (1, 3))
    fitted.save(tmp_path)
    again = adapter.Adapter.load(tmp_path)
    assert again.heads == fitted.heads
    assert again.describe().settings["heads"].value == ["0.1", "1.3"]
    assert "heads" not in dataclasses.replace(fitted, heads=()).describe().settings


def test_only_blocks_above_the_lowest_head_are_trained_so_the_trunk_serves() -> None:
    base = made.base(blocks=4)
    assert adapter.first_block(base.network, adapter.Shape(heads=((2, 0), (-1, 1)))) == 2
    adapter.fit(base, made.rows(), adapter.Shape(rank=2, heads=((2, 0),)), HOW)
    assert base.trunk is not None
    assert base.trunk.first == 2


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"heads": ((0, 4),)}, "4 query heads"),
        ({"heads": ((7, 0),)}, r"blocks \[7\]"),
        ({"heads": ((0, 1),), "blocks": (1,)}, "together with blocks"),
        ({"heads": ((0, 1),), "method": "dora"}, "method dora"),
        ({"heads": ((0, 1),), "modules": ("up_proj",)}, r"modules \['up_proj'\]"),
    ],
)
def test_mistakes_are_named(shape: dict[str, Any], said: str) -> None:
    base = made.base()
    weights = made.weights(base)
    with pytest.raises(ModelError, match=said) as raised:
        adapter.fit(base, made.rows(), adapter.Shape(**shape), HOW)
    assert raised.value.hint
    assert made.same(weights, made.weights(base))


def test_a_family_with_joined_projections_is_refused() -> None:
    config = GPT2Config(vocab_size=259, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    base = wrap(GPT2LMHeadModel(config).eval().requires_grad_(False), tiny_tokenizer())
    with pytest.raises(ModelError, match="has no projections q_proj"):
        adapter.fit(base, made.rows(), adapter.Shape(heads=((0, 0),)), HOW)


def test_without_heads_nothing_is_limited() -> None:
    base = made.base()
    assert headed.checked(base.network, (), method="ia3", whole=(1,), modules=("x",)) == ()
    assert headed.places(base.network, ()) == {}
