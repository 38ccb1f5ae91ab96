"""Steering, skipping and gradients against networks that were rebuilt, and plain automatic differentiation."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from tests.adjust import made
from tests.tiny import tiny_tokenizer, windowed_model
from trimtab.adjust.contrast import Contrast
from trimtab.adjust.stack import Stack
from trimtab.adjust.steering import Push, Steering
from trimtab.model.load import Base, wrap
from trimtab.probe.layers import effects
from trimtab.probe.layers.effects import States, Steer
from trimtab.records import TokenRow


def base(family: str = "tree") -> Base:
    if family == "tree":
        return made.base(num_hidden_layers=3, initializer_range=0.3)
    return wrap(windowed_model().requires_grad_(False), tiny_tokenizer())


def pairs(family: str = "tree", count: int = 6) -> list[Contrast]:
    length = 14 if family == "tree" else 22
    return [
        Contrast(*pair)
        for pair in zip(made.rows(count, length=length), made.rows(count, seed=9, length=length), strict=True)
    ]


def mean(network: Any, row: TokenRow) -> torch.Tensor:
    """Mean log-probability of a row's marked tokens, one row at a time."""
    ids = torch.from_numpy(row.ids)
    told = network(ids[None], use_cache=False).logits[0].log_softmax(-1)
    each = told[:-1].gather(1, ids[1:, None])[:, 0]
    return each[torch.from_numpy(row.supervised[1:])].mean()


def margins(network: Any, some: list[Contrast]) -> np.ndarray:
    with torch.no_grad():
        return np.array([float(mean(network, p.positive) - mean(network, p.negative)) for p in some])


@pytest.mark.parametrize("family", ["tree", "plain"])
@pytest.mark.parametrize("block", [0, 1])
def test_skipping_is_a_network_without_the_block(family: str, block: int) -> None:
    ours = base(family)
    shorter = copy.deepcopy(ours.network)
    del shorter.model.layers[block]
    shorter.config.num_hidden_layers -= 1
    if getattr(shorter.config, "layer_types", None):
        shorter.config.layer_types = shorter.config.layer_types[:-1]
    found = effects.skipped(ours, pairs(family), block)
    np.testing.assert_allclose(found.margin, margins(shorter, pairs(family)), atol=1e-4)
    with torch.no_grad():
        alone = [float(mean(shorter, pair.positive)) for pair in pairs(family)]
    np.testing.assert_allclose(found.positive, alone, atol=1e-4)
    whole = effects.scored(ours, pairs(family)).margin
    np.testing.assert_allclose(whole, margins(ours.network, pairs(family)), atol=1e-4)
    assert np.abs(found.margin - whole).max() > 1e-2


@pytest.mark.parametrize("family", ["tree", "plain"])
def test_gradients_are_those_of_plain_differentiation(family: str) -> None:
    ours = base(family)
    before = made.weights(ours)
    found = effects.gradients(ours, pairs(family))
    assert not any(p.requires_grad or p.grad is not None for p in ours.network.parameters())
    assert made.same(before, made.weights(ours))
    network = copy.deepcopy(ours.network).requires_grad_(True)
    for number, pair in enumerate(pairs(family)):
        network.zero_grad()
        (mean(network, pair.positive) - mean(network, pair.negative)).backward()
        for block, layer in enumerate(network.model.layers):
            whole = torch.cat([p.grad.flatten() for p in layer.parameters()])
            assert found[number, block] == pytest.approx(float(whole.norm()), rel=1e-3)


def test_steering_is_a_bias_along_the_other_folds_direction() -> None:
    ours, some = base(), pairs()
    fold = np.array([0, 1, 2, 0, 1, 2])
    states = np.random.default_rng(0).normal(size=(2, 6, 3, 32))
    norms = np.array([2.0, 3.0, 4.0])
    found = effects.steered(ours, some, States(states[0], states[1], norms), 1, fold, Steer(strength=0.3))
    for number, pair in enumerate(some):
        rest = fold != fold[number]
        way = (states[0] - states[1])[rest, 1].mean(axis=0)
        step = torch.from_numpy(0.3 * 3.0 * way / np.linalg.norm(way)).float()
        sides = []
        for sign in (1, -1):
            network = copy.deepcopy(ours.network)
            inner = network.model.layers[1].mlp
            old, inner.down_proj = inner.down_proj, torch.nn.Linear(64, 32)
            inner.down_proj.weight.data, inner.down_proj.bias.data = old.weight.data, sign * step
            sides.append(margins(network, [pair])[0])
        assert found[number] == pytest.approx((sides[0] - sides[1]) / 2, abs=1e-4)
    assert np.abs(found).max() > 1e-2


def test_what_is_attached_counts() -> None:
    ours, some = base(), pairs()
    way = torch.nn.functional.normalize(torch.ones(32), dim=0)
    one = Steering({2: way}, {2: Push(2.0)}, "add", "mean", 1, ours.fingerprint, 1.0)
    plain = effects.scored(ours, some).margin
    with Stack((one,)).attach(ours):
        assert np.abs(effects.scored(ours, some).margin - plain).max() > 1e-2
        # Skipping the block leaves its steering out as well.
        under = effects.skipped(ours, some, 2).margin
    np.testing.assert_allclose(under, effects.skipped(ours, some, 2).margin, atol=1e-5)
