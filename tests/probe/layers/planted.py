"""A network in which one block finds out of which kind an answer's tokens are, and the next one makes use of it.

A token's embedding has two signs, along a and along b; its kind is their product, which no linear classifier reads
from a mean. Block `block` writes the kind along u. The block after it takes that away, and adds `GAIN` times as much
along w, which the head reads as the kind: so that a move of the same length tells most where the kind lies along u.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust.contrast import Contrast
from trimtab.model import sites
from trimtab.model.hooks import changing
from trimtab.model.load import Base, wrap
from trimtab.records import TokenRow

# Tokens of answers by their two signs, 20 of each; the first two lists are of the one kind, the others of the other.
SIGNS = ((1, 1), (-1, -1), (1, -1), (-1, 1))
TOKENS = [np.arange(10 + 20 * place, 30 + 20 * place) for place in range(4)]
PROMPTS = np.arange(100, 200)
PROMPT, ANSWER = 4, 8
GAIN = 4.0


@dataclass(frozen=True)
class Ways:
    """Directions of length 1 at right angles, (hidden,)."""

    a: torch.Tensor
    b: torch.Tensor
    u: torch.Tensor
    w: torch.Tensor


def base(blocks: int = 8, seed: int = 0) -> tuple[Base, Ways]:
    """A tiny network whose embeddings hold the two signs and whose head reads w."""
    network = tiny_model(blocks=blocks, seed=seed, initializer_range=0.05, tie_word_embeddings=False)
    torch.manual_seed(seed)
    ways = Ways(*torch.linalg.qr(torch.randn(32, 32))[0].T[:4])
    embeddings, head = network.get_input_embeddings().weight, network.get_output_embeddings().weight
    with torch.no_grad():
        embeddings.copy_(0.2 * torch.randn(embeddings.shape))
        for (one, two), tokens in zip(SIGNS, TOKENS, strict=True):
            embeddings[torch.from_numpy(tokens)] += one * ways.a + two * ways.b
            head[torch.from_numpy(tokens)] += 0.5 * one * two * ways.w
    return wrap(network.requires_grad_(False), tiny_tokenizer()), ways


def pairs(count: int, seed: int = 0) -> list[Contrast]:
    """Answers of either kind to the same prompts."""
    dice = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        prompt = dice.choice(PROMPTS, PROMPT)
        sides = [np.concatenate(TOKENS[:2]), np.concatenate(TOKENS[2:])]
        ids = [np.concatenate([prompt, dice.choice(side, ANSWER)]) for side in sides]
        found.append(Contrast(*(TokenRow("", one, np.arange(len(one)) >= PROMPT) for one in ids)))
    return found


@contextlib.contextmanager
def planted(base: Base, ways: Ways, block: int) -> Iterator[None]:
    """Let a block write the kind, and the one after it, where there is one, read it."""

    def write(_: Any, states: torch.Tensor) -> torch.Tensor:
        kind = (states @ ways.a) * (states @ ways.b)
        return states + kind[..., None] * ways.u

    def read(_: Any, states: torch.Tensor) -> torch.Tensor:
        along = (states @ ways.u)[..., None]
        return states - along * ways.u + GAIN * torch.tanh(along) * ways.w

    names = sites.block_names(base.network)
    changes = {names[block]: write, names[block + 1]: read}
    with changing(base.network, changes):
        yield
