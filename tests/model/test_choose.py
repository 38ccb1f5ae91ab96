"""Truncation against a plainly written second implementation, frequencies against probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from trimtab.model.choose import HEAD, Settings, penalise
from trimtab.model.choose import choose as choose_each
from trimtab.records import Sampling


def choose(logits: torch.Tensor, sampling: Sampling, uniforms: np.ndarray) -> torch.Tensor:
    """The next token of rows that have the same settings."""
    settings = Settings.of([sampling] * len(logits), logits.device)
    return choose_each(logits, settings, torch.from_numpy(uniforms))


def naive(logits: np.ndarray, sampling: Sampling) -> np.ndarray:
    """Probabilities of one row after temperature and truncation, token by token; (V,)."""
    p = np.exp((logits - logits.max()) / sampling.temperature)
    p /= p.sum()
    order = np.argsort(-p, kind="stable")
    keep = set(order.tolist())
    if sampling.top_k:
        keep &= set(order[: sampling.top_k].tolist())
    p = np.array([p[i] if i in keep else 0.0 for i in range(len(p))])
    p /= p.sum()
    if sampling.top_p < 1:
        mass, inside = 0.0, set()
        for token in order:
            inside.add(int(token))
            mass += p[token]
            if mass >= sampling.top_p:
                break
        keep &= inside
    if sampling.min_p:
        keep &= {i for i in range(len(p)) if p[i] >= sampling.min_p * p.max()}
    p = np.array([p[i] if i in keep else 0.0 for i in range(len(p))])
    return np.asarray(p / p.sum())


def frequencies(logits: np.ndarray, sampling: Sampling, draws: int) -> np.ndarray:
    """Shares of tokens over an even grid of uniform numbers: the drawn distribution itself, to 1/draws."""
    uniforms = (np.arange(draws) + 0.5) / draws
    rows = torch.from_numpy(logits).float().expand(draws, -1)
    tokens = choose(rows, sampling, uniforms).numpy()
    return np.bincount(tokens, minlength=len(logits)) / draws


CASES = [
    Sampling(temperature=1.0),
    Sampling(temperature=0.5),
    Sampling(temperature=2.0, top_k=1),
    Sampling(temperature=1.0, top_k=7),
    Sampling(temperature=1.3, top_p=0.6),
    Sampling(temperature=1.0, top_p=0.999),
    Sampling(temperature=1.0, min_p=0.2),
    Sampling(temperature=0.9, top_k=9, top_p=0.8),
    Sampling(temperature=0.9, top_k=12, top_p=0.9, min_p=0.1),
    Sampling(temperature=3.0, top_p=0.9, min_p=0.01),
]


@pytest.mark.parametrize("sampling", CASES, ids=str)
@pytest.mark.parametrize("vocabulary", [20, 3 * HEAD])
@pytest.mark.parametrize("scale", [0.05, 2.0])
def test_the_drawn_distribution_is_the_naive_one(sampling: Sampling, vocabulary: int, scale: float) -> None:
    logits = np.random.default_rng(vocabulary).normal(scale=scale, size=vocabulary)
    draws = 20_000 if vocabulary == 20 else 3_000
    found, wanted = frequencies(logits, sampling, draws), naive(logits, sampling)
    assert np.abs(found - wanted).max() <= 2 / draws
    assert not found[wanted == 0].any()


@given(st.integers(0, 10**6), st.integers(0, 30), st.floats(0.05, 1), st.floats(0, 0.9), st.floats(0.1, 4))
def test_any_mixture_of_truncations(seed: int, top_k: int, top_p: float, min_p: float, heat: float) -> None:
    logits = np.random.default_rng(seed).normal(scale=2, size=25)
    sampling = Sampling(temperature=heat, top_k=top_k, top_p=top_p, min_p=min_p)
    found, wanted = frequencies(logits, sampling, 500), naive(logits, sampling)
    assert np.abs(found - wanted).max() <= 2 / 500 + 1e-5


def test_frequencies_match_probabilities() -> None:
    dice = np.random.default_rng(12)
    logits = dice.normal(size=12)
    sampling = Sampling(temperature=1.2, top_p=0.95)
    draws = 40_000
    tokens = choose(torch.from_numpy(logits).float().expand(draws, -1), sampling, dice.random(draws)).numpy()
    wanted = naive(logits, sampling)
    counts = np.bincount(tokens, minlength=12)
    assert counts[wanted == 0].sum() == 0
    assert chisquare(counts[wanted > 0], draws * wanted[wanted > 0]).pvalue > 0.001


def test_rows_draw_each_from_their_own_number() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 9.0]])
    tokens = choose(logits, Sampling(temperature=1.0), np.array([0.1, 0.9, 0.5]))
    assert tokens.tolist() == [0, 1, 1]


def test_the_smallest_and_the_largest_number_draw_kept_tokens() -> None:
    logits = torch.tensor([[-100.0, 2.0, 1.0, -100.0]] * 2)
    sampling = Sampling(temperature=1.0, top_k=2)
    assert choose(logits, sampling, np.array([0.0, 1 - 2**-53])).tolist() == [1, 2]


def test_temperature_zero_is_the_most_likely_token() -> None:
    assert choose(torch.tensor([[1.0, 3.0, 2.0]]), Sampling(), np.array([0.99])).tolist() == [1]


def test_penalty_lowers_seen_tokens_on_either_side_of_zero() -> None:
    logits = torch.tensor([[2.0, -2.0, 2.0, -2.0]])
    seen = torch.tensor([[0, 1, 0]])
    assert penalise(logits, seen, torch.tensor([2.0])).tolist() == [[1.0, -4.0, 2.0, -2.0]]


def test_rows_have_settings_of_their_own() -> None:
    dice = np.random.default_rng(3)
    logits = torch.from_numpy(dice.normal(scale=2, size=(len(CASES) + 1, 3 * HEAD))).float()
    settings = [*CASES, Sampling()]
    uniforms = dice.random(len(settings))
    together = choose_each(logits, Settings.of(settings, logits.device), torch.from_numpy(uniforms))
    alone = [choose(logits[i : i + 1], s, uniforms[i : i + 1]).item() for i, s in enumerate(settings)]
    assert together.tolist() == alone
