"""The growing cache against transformers' own, across its growth boundaries and row selections."""

from __future__ import annotations

import pytest
import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from tests.tiny import tiny_model
from trimtab.model.cache import GrowingLayer, as_argument, growing_cache, join_rows, joinable, select_rows


def pieces(lengths: list[int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    dice = torch.Generator().manual_seed(0)
    return [
        (torch.randn(3, 2, n, 4, generator=dice), torch.randn(3, 2, n, 4, generator=dice)) for n in lengths
    ]


@pytest.mark.parametrize("lengths", [[1] * 200, [63, 1, 1, 1], [64, 1, 130, 1, 1], [5, 500, 1, 600, 1]])
def test_holds_what_a_plain_layer_holds(lengths: list[int]) -> None:
    growing, plain = GrowingLayer(), DynamicLayer()
    for keys, values in pieces(lengths):
        got, wanted = growing.update(keys, values), plain.update(keys, values)
        assert torch.equal(got[0], wanted[0])
        assert torch.equal(got[1], wanted[1])
    assert growing.get_seq_length() == sum(lengths)


def test_grows_by_doubling_instead_of_each_step() -> None:
    growing = GrowingLayer()
    buffers = set()
    for keys, values in pieces([1] * 1000):
        growing.update(keys, values)
        buffers.add(growing.keys.untyped_storage().data_ptr())
    assert len(buffers) <= 8


def test_rows_are_kept_repeated_and_reordered() -> None:
    growing, plain = GrowingLayer(), DynamicLayer()
    for number, (keys, values) in enumerate(pieces([60, 3, 70, 1])):
        rows = torch.tensor([2, 0, 0, 1])[: 3 if number else 4]
        if number:
            growing.select(rows)
            plain.batch_select_indices(rows)
        count = 3
        growing.update(keys[:count], values[:count])
        plain.update(keys[:count], values[:count])
        assert torch.equal(growing.keys, plain.keys)
        assert torch.equal(growing.values, plain.values)


def test_rows_join_on_the_right_and_leave_no_garbage_on_the_left() -> None:
    network = tiny_model()
    upper, lower = growing_cache(network.config), growing_cache(network.config)
    (keys, values), (more, others) = pieces([9, 4])
    for number in range(2):
        upper.update(keys, values, number)
        lower.update(more[:2], others[:2], number)
    join_rows(upper, lower, unused=3)
    for layer in upper.layers:
        assert layer.keys.shape == (5, 2, 6, 4)
        assert torch.equal(layer.keys[:3], keys[..., 3:, :])
        assert torch.equal(layer.values[3:, :, 2:], others[:2])
        assert not layer.keys[3:, :, :2].any()
    assert upper.get_seq_length() == 6
    one = torch.ones(5, 2, 1, 4)
    grown, _ = upper.update(one, one, 0)
    assert torch.equal(grown[..., -1:, :], one)
    assert torch.equal(grown[:3, :, :6], keys[..., 3:, :])


def test_the_network_computes_the_same_with_it() -> None:
    network = tiny_model(initializer_range=0.4)
    ids = torch.randint(3, 259, (2, 150), generator=torch.Generator().manual_seed(0))
    ours, theirs = growing_cache(network.config), DynamicCache(config=network.config)
    assert all(type(layer) is GrowingLayer for layer in ours.layers)
    place = 0
    with torch.no_grad():
        for length in [1, 62, 1, 1, 1, 70, 1, 1]:
            part = ids[:, place : place + length]
            a = network(part, **as_argument(network, ours), use_cache=True).logits
            b = network(part, **as_argument(network, theirs), use_cache=True).logits
            assert torch.equal(a, b)
            place += length
            if place == 65:
                select_rows(ours, torch.tensor([1, 0]))
                select_rows(theirs, torch.tensor([1, 0]))
                ids = ids[[1, 0]]


def test_other_kinds_of_layers_keep_their_own_form() -> None:
    network = tiny_model()
    network.config.sliding_window = 16
    network.config.layer_types = ["sliding_attention", "full_attention"]
    cache = growing_cache(network.config)
    assert [type(layer) is GrowingLayer for layer in cache.layers] == [False, True]
    assert not joinable(cache)
    keys, values = pieces([5])[0]
    for number in range(2):
        cache.update(keys, values, number)
    select_rows(cache, torch.tensor([1]))
    assert all(layer.keys.shape[0] == 1 for layer in cache.layers)
