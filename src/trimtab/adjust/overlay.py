"""Decoding settings that adjustments lay over those of a question, each with a dial of strength.

A stack's last adjustment sees a question first, and yet the later one shall win for what it sets. So settings remember
what was laid over them: an earlier adjustment lays its own underneath, and the later ones again on top.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab.records import SETTINGS, Sampling

UNITS = {
    "max_new_tokens": "tokens",
    "temperature": "0 is greedy",
    "top_k": "tokens, 0 is off",
    "top_p": "probability mass, 1 is off",
    "min_p": "share of the likeliest token's probability, 0 is off",
    "repetition_penalty": "factor on logits, 1 is off",
    "stop": "texts",
}
# What a dial beyond 1 may not pass.
LIMITS = {
    "temperature": (0.0, 5.0),
    "top_p": (1e-6, 1.0),
    "min_p": (0.0, 0.999999),
    "repetition_penalty": (0.01, 100.0),
    "max_new_tokens": (1, 8192),
}
# A temperature below it is greedy: the most likely token has all of the probability anyway.
COLD = 1e-3
# A share 1 / top_k below it keeps every token of any vocabulary.
ALL_TOKENS = 1e-6


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings by name, and how far to go towards them: 0 not at all, 1 all the way."""

    values: Mapping[str, Any]
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Laid(Sampling):
    """Settings with what they were made of; read as `Sampling` they are the result.

    Attributes:
        before: what the settings that a layer touches were before any of the layers.
        layers: from the earliest adjustment's to the latest's.
        chosen: a later adjustment chooses among several answers, so that an earlier one need not.
    """

    before: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    layers: tuple[Layer, ...] = field(default=(), compare=False, repr=False)
    chosen: bool = field(default=False, compare=False, repr=False)


def laid(sampling: Sampling) -> Laid:
    """The same settings, ready to have others laid over them."""
    if isinstance(sampling, Laid):
        return sampling
    return Laid(**{name: getattr(sampling, name) for name in SETTINGS}, mark=sampling.mark)


def lay(sampling: Sampling, layer: Layer) -> Laid:
    """Lay settings over others, below what later adjustments have laid already."""
    known = laid(sampling)
    layers = (layer, *known.layers)
    before = {name: getattr(known, name) for name in layer.values} | dict(known.before)
    found = {}
    for name in layer.values:
        value = before[name]
        for one in layers:
            if name in one.values:
                value = between(name, value, one.values[name], one.strength)
        found[name] = value
    return dataclasses.replace(known, before=before, layers=layers, **found)


def between(name: str, base: Any, fitted: Any, strength: float) -> Any:
    """A setting at a strength: `base` at 0, `fitted` at 1, and beyond as far as the setting allows.

    Linear in temperature, top-p, min-p, repetition penalty and (rounded) length. From greedy, whose temperature is
    0, that is a temperature from 0 on: close to 0 it draws what greedy takes. Linear in 1 / k for top-k, where off is
    k without end, so that a weak dial keeps many tokens. Texts that end an answer cannot be divided: they apply in
    full at every strength but 0.
    """
    if strength == 0:
        return base
    if strength == 1 or name == "stop":
        return fitted
    if name == "top_k":
        share = _share(base) + strength * (_share(fitted) - _share(base))
        return 0 if share < ALL_TOKENS else max(1, round(1 / share))
    low, high = LIMITS[name]
    value = min(high, max(low, base + strength * (fitted - base)))
    if name == "max_new_tokens":
        return round(value)
    return 0.0 if name == "temperature" and value < COLD else value


def _share(top_k: int) -> float:
    return 1 / top_k if top_k else 0.0
