"""Rows of token ids and base models in memory, for the tests of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust.contrast import Contrast
from trimtab.adjust.loop import Settings
from trimtab.model.load import Base, wrap
from trimtab.records import TokenRow

HOW = Settings(epochs=3, batch_size=4, learning_rate=1e-2, warmup=0.1, seed=3)


def rows(count: int = 12, *, seed: int = 0, length: int = 14) -> list[TokenRow]:
    """Rows that begin alike, two to an example; a third of each is prompt."""
    dice = np.random.default_rng(seed)
    head = dice.integers(3, 40, 4)
    found = []
    for number in range(count):
        size = length + number % 5
        ids = np.concatenate([head, dice.integers(3, 40, size - 5), [2]]).astype(np.int64)
        found.append(TokenRow(f"e{number // 2}", ids, np.arange(size) >= size // 3))
    return found


def contrasts(count: int = 8) -> list[Contrast]:
    """Pairs of rows that begin alike."""
    return [Contrast(*pair) for pair in zip(rows(count), rows(count, seed=9), strict=True)]


def base(**settings: Any) -> Base:
    """A tiny base model, frozen as `load` leaves it."""
    network = tiny_model(**{"initializer_range": 0.1, **settings})
    network.requires_grad_(False)
    return wrap(network, tiny_tokenizer())


def logits(base: Base) -> torch.Tensor:
    """What the network says to one fixed text, (1, T, vocabulary)."""
    ids = torch.arange(3, 40)[None]
    with torch.no_grad():
        found: torch.Tensor = base.network(ids).logits
    return found


def weights(base: Base) -> dict[str, torch.Tensor]:
    """A copy of every weight."""
    return {name: tensor.clone() for name, tensor in base.network.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of weights are equal bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def answered(count: int = 12, *, seed: int = 0) -> tuple[list[TokenRow], list[TokenRow]]:
    """Rows of prompts with a chosen and with a rejected answer, as long and of different tokens; 2 ends each."""
    dice = np.random.default_rng(seed)
    sides: tuple[list[TokenRow], list[TokenRow]] = ([], [])
    for number in range(count):
        prompt = dice.integers(3, 40, 5 + number % 3)
        length = 3 + int(dice.integers(4))
        for side, lowest in zip(sides, (40, 50), strict=True):
            answer = dice.integers(lowest, lowest + 10, length)
            ids = np.concatenate([prompt, answer, [2]]).astype(np.int64)
            side.append(TokenRow(f"e{number}", ids, np.arange(len(ids)) >= len(prompt)))
    return sides
