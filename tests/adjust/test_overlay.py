"""Laying settings over others: interpolation, order, and what is remembered."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.adjust.overlay import Layer, between, laid, lay
from trimtab.records import SETTINGS, Sampling

OWN = Sampling(max_new_tokens=100, temperature=0.8, top_k=50, top_p=0.9, min_p=0.1, repetition_penalty=1.2)
FITTED = {
    "max_new_tokens": 37,
    "temperature": 0.1,
    "top_k": 7,
    "top_p": 0.3,
    "min_p": 0.7,
    "repetition_penalty": 1.1,
    "stop": ("x",),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_0_is_the_base_and_1_the_fit_exactly(name: str) -> None:
    assert between(name, getattr(OWN, name), FITTED[name], 0) == getattr(OWN, name)
    assert between(name, getattr(OWN, name), FITTED[name], 1) == FITTED[name]


def test_half_way() -> None:
    assert between("temperature", 0.8, 0.2, 0.5) == pytest.approx(0.5)
    assert between("top_p", 1.0, 0.5, 0.5) == 0.75
    assert between("max_new_tokens", 100, 51, 0.5) == 76
    assert between("stop", (), ("x",), 0.1) == ("x",)


def test_a_greedy_base_warms_up_from_0_and_a_cold_fit_cools_down_to_it() -> None:
    assert between("temperature", 0.0, 0.6, 0.5) == pytest.approx(0.3)
    assert between("temperature", 0.0, 0.6, 0.001) == 0.0
    assert between("temperature", 0.6, 0.0, 1.5) == 0.0
    assert between("temperature", 0.6, 0.0, 0.5) == pytest.approx(0.3)


def test_top_k_goes_by_its_reciprocal_where_off_is_all_tokens() -> None:
    assert between("top_k", 0, 10, 0.5) == 20
    assert between("top_k", 0, 10, 0.1) == 100
    assert between("top_k", 10, 0, 0.5) == 20
    assert between("top_k", 10, 0, 1.0) == 0
    assert between("top_k", 10, 0, 2.0) == 0
    assert between("top_k", 0, 10, 20.0) == 1
    kept = [between("top_k", 0, 4, s / 10) for s in range(1, 11)]
    assert kept == sorted(kept, reverse=True)


@given(st.floats(-3, 5), st.sampled_from([n for n in SETTINGS if n not in ("stop", "top_k")]))
def test_no_strength_leaves_what_a_setting_allows(strength: float, name: str) -> None:
    value = between(name, getattr(OWN, name), FITTED[name], strength)
    checked = dataclasses.replace(OWN, **{name: value})
    assert 1 <= checked.max_new_tokens <= 8192
    assert 0 <= checked.temperature <= 5
    assert 0 < checked.top_p <= 1
    assert 0 <= checked.min_p < 1
    assert checked.repetition_penalty > 0


def test_what_is_laid_is_read_as_sampling() -> None:
    found = lay(OWN, Layer({"temperature": 0.3}))
    assert [getattr(found, name) for name in SETTINGS] == [
        0.3 if name == "temperature" else getattr(OWN, name) for name in SETTINGS
    ]
    assert isinstance(found, Sampling)
    assert lay(OWN, Layer({"temperature": 0.3})) == found
    assert hash(laid(OWN)) == hash(laid(OWN))
    assert lay(laid(OWN), Layer({})) == laid(OWN)


def test_layers_apply_from_the_earliest_to_the_latest_whichever_order_they_are_laid_in() -> None:
    layers = (
        Layer({"temperature": 0.2, "top_k": 3}, 0.5),
        Layer({"temperature": 1.4, "top_p": 0.5}, 0.25),
        Layer({"top_k": 9}, 1.0),
    )
    found = OWN
    for layer in layers[::-1]:  # a question meets the latest first
        found = lay(found, layer)
    expected: dict[str, Any] = {name: getattr(OWN, name) for name in SETTINGS}
    for layer in layers:
        for name, value in layer.values.items():
            expected[name] = between(name, expected[name], value, layer.strength)
    assert {name: getattr(found, name) for name in SETTINGS} == expected


def test_what_somebody_else_changes_in_between_is_kept() -> None:
    later = lay(OWN, Layer({"top_p": 0.5}))
    changed = dataclasses.replace(later, temperature=0.4)
    assert lay(changed, Layer({"top_k": 2})).temperature == 0.4
    assert lay(changed, Layer({"temperature": 0.2}, 0.5)).temperature == pytest.approx(0.3)


def test_every_order_of_three_is_defined() -> None:
    layers = [Layer({"temperature": t}, 0.5) for t in (0.0, 0.5, 1.0)]
    results = set()
    for order in itertools.permutations(layers):
        found = OWN
        for layer in order[::-1]:
            found = lay(found, layer)
        results.add(round(found.temperature, 9))
    assert len(results) == 6
