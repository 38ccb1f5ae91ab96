"""Directions and what is said of them, by simulation and against the plain way to compute them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tests.adjust import made
from tests.tiny import tiny_tokenizer, windowed_model
from trimtab.adjust import contrast
from trimtab.model import activations
from trimtab.model.load import Base, wrap

PLANTED = np.array([3.0, -4.0] + [0.0] * 18) / 5


def drawn(pairs: int, gap: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Texts (pairs, 20) of unit noise, the positive ones moved along the planted direction; pairs share a topic."""
    dice = np.random.default_rng(seed)
    topic = 3 * dice.normal(size=(pairs, 20))
    topic -= np.outer(topic @ PLANTED, PLANTED)
    sides = dice.normal(size=(2, pairs, 20)) + topic
    return sides[0] + gap * PLANTED, sides[1]


@pytest.mark.parametrize("method", ["mean", "pca"])
def test_a_planted_direction_is_found(method: contrast.Method) -> None:
    positive, negative = drawn(200, 4.0)
    found = contrast.direction(positive - negative, method)
    assert np.linalg.norm(found) == pytest.approx(1)
    assert found @ PLANTED > 0.98
    assert contrast.direction(negative - positive, method) @ PLANTED < -0.98


@pytest.mark.parametrize("method", ["mean", "pca"])
def test_leaving_one_out_is_what_it_says(method: contrast.Method) -> None:
    positive, negative = drawn(12, 1.0)
    differences = positive - negative
    plain = [contrast.direction(np.delete(differences, n, axis=0), method) for n in range(12)]
    np.testing.assert_allclose(contrast.without_each(differences, method), plain, atol=1e-8)


def test_separation_is_the_difference_in_standard_deviations() -> None:
    dice = np.random.default_rng(3)
    one, two = 100 + 5 * dice.normal(size=50), 90 + 3 * dice.normal(size=50)
    found = contrast.separation(one, two)
    assert found.value == pytest.approx((one.mean() - two.mean()) / math.sqrt((one.var() + two.var()) / 2))
    assert found.low < found.value < found.high
    assert found.n == 50
    same = contrast.separation(np.ones(9), np.ones(9))
    assert same.undefined
    assert math.isnan(same.value)


def test_its_interval_covers_the_truth() -> None:
    dice = np.random.default_rng(0)
    truth, covered = 1.2, 0
    for _ in range(400):
        found = contrast.separation(dice.normal(truth, 1, 40), dice.normal(0, 1, 40))
        covered += found.low <= truth <= found.high
    assert 0.925 <= covered / 400 <= 0.985


def planted_layer(pairs: int, gap: float, seed: int = 0) -> contrast.Layer:
    positive, negative = drawn(pairs, gap, seed)
    return contrast._layer(0, positive, negative, 1.0, "mean")[0]


def test_what_is_said_of_a_direction_is_true_of_new_pairs() -> None:
    layer = planted_layer(150, 2.0)
    truth, _ = contrast._layer(0, *drawn(150, 2.0), 1.0, "mean")
    positive, negative = drawn(4000, 2.0, seed=8)
    along = contrast.direction(np.subtract(*drawn(150, 2.0)), "mean")
    fresh = contrast.separation(positive @ along, negative @ along)
    assert layer.separation.low < fresh.value < layer.separation.high
    assert layer.auc == pytest.approx(float(norm.cdf(fresh.value / math.sqrt(2))), abs=0.05)
    assert truth == layer


def test_noise_separates_nothing_however_well_it_would_fit() -> None:
    values = []
    for seed in range(30):
        sides = np.random.default_rng(seed).normal(size=(2, 24, 200))
        layer, direction = contrast._layer(0, *sides, 1.0, "mean")
        values.append(layer.auc)
        assert ((sides[0] @ direction)[:, None] > sides[1] @ direction).mean() > 0.95
    assert np.mean(values) == pytest.approx(0.5, abs=0.04)


def test_agreement_is_the_mean_cosine_with_the_others_direction() -> None:
    positive, negative = drawn(9, 2.0)
    cosines = []
    for n in range(9):
        rest = np.delete(positive - negative, n, axis=0).mean(axis=0)
        one = positive[n] - negative[n]
        cosines.append(one @ rest / np.linalg.norm(one) / np.linalg.norm(rest))
    layer, _ = contrast._layer(0, positive, negative, 1.0, "mean")
    assert layer.agreement == pytest.approx(np.mean(cosines))


def test_the_middle_half_is_searched_best_first() -> None:
    base = made.base(num_hidden_layers=8)
    found = contrast.survey(base, made.contrasts())
    middle = {layer.block: layer.separation.value for layer in found.layers[2:6]}
    assert found.best(4) == tuple(sorted(middle, key=lambda block: -middle[block]))
    assert [layer.block for layer in found.layers] == list(range(8))


@pytest.mark.parametrize("family", ["tree", "plain"])
def test_states_are_those_of_plain_passes(family: str) -> None:
    base = made.base(num_hidden_layers=3) if family == "tree" else one_by_one()
    rows = made.rows(7, length=22)
    found = activations.read(base, rows, budget=60)
    lengths: list[list[torch.Tensor]] = [[] for _ in range(found.means.shape[1])]
    for number, row in enumerate(rows):
        with torch.no_grad():
            told = base.network(torch.from_numpy(row.ids)[None], output_hidden_states=True).hidden_states
        for block in range(found.means.shape[1] - 1):
            states = told[block + 1][0][torch.from_numpy(row.supervised)]
            np.testing.assert_allclose(found.means[number, block], states.mean(dim=0), atol=1e-5)
            lengths[block].append(states.norm(dim=1))
    for block, parts in enumerate(lengths[:-1]):
        assert found.norms[block] == pytest.approx(float(np.median(torch.cat(parts))), rel=1e-3)


def one_by_one() -> Base:
    return wrap(windowed_model().requires_grad_(False), tiny_tokenizer())
