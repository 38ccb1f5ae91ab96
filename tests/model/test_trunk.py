"""What the untouched blocks computed, remembered: against plain passes, in training and in scoring."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.adjust import made
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust import adapter, layers
from trimtab.adjust.stack import Stack
from trimtab.model.likelihood import logprobs
from trimtab.model.load import Base, wrap
from trimtab.model.pack import pack, rounded, token_logprobs
from trimtab.model.trunk import Trunk, ensure
from trimtab.records import TokenRow

BLOCKS, FIRST = 4, 2


def base(**settings: Any) -> Base:
    return made.base(num_hidden_layers=BLOCKS, **settings)


@contextlib.contextmanager
def counted(network: Any, block: int) -> Iterator[list[int]]:
    """Tokens of every pass through a block."""
    seen: list[int] = []
    handle = network.model.layers[block].register_forward_pre_hook(
        lambda _, given: seen.append(given[0].shape[1])
    )
    yield seen
    handle.remove()


def test_known_trees_start_above_the_trunk_and_give_the_same() -> None:
    one = base()
    rows = made.rows(6)
    trunk = Trunk(one.network, FIRST, 10**7)
    expected = token_logprobs(one.network, pack(rows))
    with counted(one.network, 0) as below, counted(one.network, FIRST) as above:
        first = trunk.token_logprobs(one.network, pack(rows))
        again = trunk.token_logprobs(one.network, pack(rows[::-1]))
        part = trunk.token_logprobs(one.network, pack(rows[2:3]))
    assert len(below) == 1
    assert len(above) == 3
    assert trunk.remembered == len(pack(rows).ids)
    assert torch.equal(first, expected)
    by_row = list(token_logprobs(one.network, pack(rows[2:3])))
    np.testing.assert_allclose(part, by_row, atol=1e-5)
    np.testing.assert_allclose(sorted(again), sorted(expected), atol=1e-5)
    assert len(one.network.model.layers) == BLOCKS


def test_it_is_filled_by_the_blocks_below_alone() -> None:
    one = base()
    rows = made.rows(6)
    expected = token_logprobs(one.network, pack(rows))
    with counted(one.network, 0) as below, counted(one.network, FIRST) as above:
        trunk = ensure(one, FIRST, rows)
        assert trunk is not None
        checked, passed = len(below), len(above)
        assert trunk.remembered == len(pack(rows).ids)
        found = trunk.token_logprobs(one.network, pack(rows))
    assert len(below) == checked
    assert len(above) == passed + 1
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_it_lies_in_a_file_as_well_as_in_memory(tmp_path: Path) -> None:
    one = base()
    rows = made.rows(6)
    found = []
    for folder in (None, str(tmp_path)):
        trunk = Trunk(one.network, FIRST, 10**6, folder)
        trunk.fill(one.network, rows)
        found.append(trunk.token_logprobs(one.network, pack(rows)))
    assert torch.equal(*found)
    assert not list(tmp_path.iterdir())


def test_what_has_no_room_is_computed_anew() -> None:
    one = base()
    rows = made.rows(6)
    trunk = Trunk(one.network, FIRST, 20 * 32 * 4)
    expected = token_logprobs(one.network, pack(rows))
    for _ in range(2):
        assert torch.equal(trunk.token_logprobs(one.network, pack(rows)), expected)
    assert trunk.remembered <= 20


@pytest.mark.parametrize("which", ["adapter", "layers"])
def test_training_is_what_it_is_without_it(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fitted(one: Base) -> tuple[Any, Any]:
        rows = made.rows()
        if which == "layers":
            return layers.fit(one, rows[2:], layers.Where("blocks", (-2, -1)), made.HOW, held_out=rows[:2])
        shape = adapter.Shape(rank=4, blocks=(-2, -1))
        return adapter.fit(one, rows[2:], shape, made.HOW, held_out=rows[:2])

    remembering = base()
    with counted(remembering.network, 0) as below, counted(remembering.network, FIRST) as above:
        found, training = fitted(remembering)
    monkeypatch.setattr("trimtab.adjust.fitting.ensure", lambda *_: None)
    expected, plain = fitted(base())
    losses = [
        [row[key] for row in run.history] for run in (training, plain) for key in ("loss", "select_loss")
    ]
    for mine, theirs in zip(losses[:2], losses[2:], strict=True):
        np.testing.assert_allclose(*(np.array(v, dtype=float) for v in (mine, theirs)), rtol=1e-5)
    weights = [a.tensors if which == "adapter" else a.deltas for a in (found, expected)]
    for name, tensor in weights[1].items():
        torch.testing.assert_close(weights[0][name], tensor, atol=2e-5, rtol=1e-3)
    assert sum(below) < 0.6 * sum(above)


def test_one_trunk_serves_the_base_and_every_candidate_as_high() -> None:
    one = base()
    rows = made.rows()
    assert ensure(one, FIRST, rows) is not None
    before = logprobs(one, rows)
    stacks = [
        Stack((adapter.fit(one, rows, adapter.Shape(rank=4, blocks=blocks), made.HOW)[0],))
        for blocks in ((-2, -1), (-1,))
    ]
    measured = []
    with counted(one.network, 0) as below:
        for stack in stacks:
            with stack.attach(one):
                measured.append(logprobs(one, rows))
        np.testing.assert_allclose(logprobs(one, rows), before, atol=1e-4)
    # Only the check that trees are exact runs the whole network.
    assert max(below) <= rounded(sum(len(row.ids) for row in rows[:2])) < len(pack(rows).ids)
    one.trunk = None
    for stack, found in zip(stacks, measured, strict=True):
        with stack.attach(one):
            np.testing.assert_allclose(found, logprobs(one, rows), atol=1e-4)
    assert measured[0] != before


def test_a_change_below_the_trunk_is_never_read_from_it() -> None:
    one = base()
    rows = made.rows()
    ensure(one, FIRST, rows)
    logprobs(one, rows)
    low, _ = adapter.fit(base(), rows, adapter.Shape(rank=4, blocks=(1, 3)), made.HOW)
    with Stack((low,)).attach(one), counted(one.network, 0) as below:
        found = logprobs(one, rows)
        assert max(below) == rounded(len(pack(rows).ids))
        one.trunk = None
        assert found == logprobs(one, rows)


def test_a_lower_adjustment_gets_a_deeper_trunk_and_a_higher_one_shares_it() -> None:
    one = base()
    rows = made.rows()
    high = ensure(one, 3, rows)
    low = ensure(one, 1, rows)
    assert high is not None
    assert low is not None
    assert (high.first, low.first) == (3, 1)
    assert ensure(one, 3, rows) is low
    assert ensure(one, 0, rows) is None


class Scaling(torch.nn.Module):
    """A network that scales its embeddings, as Gemma does: what enters block 0 is not what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = tiny_model(blocks=BLOCKS, initializer_range=0.2)
        self.config, self.device, self.dtype = self.inner.config, self.inner.device, self.inner.dtype

    def forward(self, *args: Any, **named: Any) -> Any:
        if named.get("inputs_embeds") is not None:
            named["inputs_embeds"] = named["inputs_embeds"] * 5.0
        return self.inner(*args, **named)

    def get_input_embeddings(self) -> Any:
        return self.inner.get_input_embeddings()

    def get_output_embeddings(self) -> Any:
        return self.inner.get_output_embeddings()


def positions() -> GPT2LMHeadModel:
    """A network that adds its positions to what it is given, and drops out while training."""
    config = GPT2Config(vocab_size=259, n_embd=32, n_layer=BLOCKS, n_head=4, n_positions=64)
    return GPT2LMHeadModel(config).eval().requires_grad_(False)


def silent() -> GPT2LMHeadModel:
    network = positions()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return network


@pytest.mark.parametrize("make", [Scaling, positions, silent])
def test_networks_that_it_does_not_suit_are_recognised(make: Any) -> None:
    one = wrap(make().requires_grad_(False), tiny_tokenizer()) if make is not Scaling else None
    if one is None:
        network = Scaling().requires_grad_(False)
        network.name_or_path = "scaling"
        one = wrap(network, tiny_tokenizer())
    rows: Sequence[TokenRow] = made.rows()
    assert ensure(one, FIRST, rows) is None
    assert one.trunk is None
