"""What becomes of the likelihood of pairs of answers when a block is steered, skipped, or moved a little.

The margin of a pair is the mean log-probability of a token (nats) of the positive answer, less that of the negative
one. The mean and not the sum: else the longer answer would decide.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.adjust.contrast import Contrast, Method, direction
from trimtab.adjust.steering import Push, Steering
from trimtab.model import likelihood, sites
from trimtab.model.hooks import changing
from trimtab.model.load import Base
from trimtab.model.pack import pack, plain_logprobs, token_logprobs, tree_is_exact

Array = NDArray[np.float64]
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Scored:
    """Mean log-probability of a token (nats) of the answers of each pair, (pairs,) both."""

    positive: Array
    negative: Array

    @property
    def margin(self) -> Array:
        """By how much the positive answer is likelier, nats a token."""
        return self.positive - self.negative


def scored(base: Base, pairs: Sequence[Contrast]) -> Scored:
    """Pairs under the network as it is now."""
    rows = [row for pair in pairs for row in (pair.positive, pair.negative)]
    means = np.array([total / count for total, count in likelihood.logprobs(base, rows)])
    return Scored(means[::2], means[1::2])


def skipped(base: Base, pairs: Sequence[Contrast], block: int) -> Scored:
    """The same where a block hands on what it is given; a steering of that block is skipped with it."""
    with changing(base.network, {sites.block_names(base.network)[block]: lambda given, _: given}):
        return scored(base, pairs)


@dataclass(frozen=True, slots=True)
class States:
    """Mean states of the answers of pairs, (pairs, blocks, hidden) both, and each block's typical norm (blocks,)."""

    positive: Array
    negative: Array
    norms: Array


def steered(
    base: Base, pairs: Sequence[Contrast], states: States, block: int, fold: NDArray[np.int64], how: Steer
) -> Array:
    """What steering a block adds to the margin of each pair, (pairs,), by the direction of the other folds' pairs.

    Half of (margin at +strength - margin at -strength): harm to all text, which both do, falls out.
    """
    differences = states.positive[:, block] - states.negative[:, block]
    found = np.zeros(len(pairs))
    for held in np.unique(fold):
        way = torch.from_numpy(direction(differences[fold != held], how.method).astype(np.float32))
        places = np.flatnonzero(fold == held)
        some = [pairs[int(place)] for place in places]
        one = Steering(
            {block: way},
            {block: Push(float(states.norms[block]))},
            "add",
            how.method,
            int((fold != held).sum()),
            base.fingerprint,
            how.strength,
        )
        sides = []
        for sign in (1, -1):
            with one.scaled(sign).attach(base):
                sides.append(scored(base, some).margin)
        found[places] = (sides[0] - sides[1]) / 2
    return found


@dataclass(frozen=True, slots=True)
class Steer:
    """How directions are fitted, and how far they are followed, in typical norms of the block."""

    method: Method = "mean"
    strength: float = 0.1


def gradients(base: Base, pairs: Sequence[Contrast], tell: Tell | None = None) -> Array:
    """Length of the gradient of each pair's margin by all weights of each block, (pairs, blocks).

    In nats a token for a move of the weights by length 1. Gradients are dropped as they come, so that no more than
    one matrix of them is held.
    """
    network = base.network
    found = np.zeros((len(pairs), len(sites.block_names(network))))
    exact = tree_is_exact(network, [row for pair in pairs for row in (pair.positive, pair.negative)])
    for place, pair in enumerate(pairs):
        squares = np.zeros(found.shape[1])
        with _counting(network, squares), torch.enable_grad():
            _margin(network, pair, exact).backward()  # type: ignore[no-untyped-call]
        found[place] = np.sqrt(squares)
        if tell:
            tell(place + 1, len(pairs))
    return found


def _margin(network: Any, pair: Contrast, exact: bool) -> torch.Tensor:
    rows = (pair.positive, pair.negative)
    if not exact:
        one, two = (plain_logprobs(network, row).mean() for row in rows)
        return one - two
    tree = pack(rows)
    values = token_logprobs(network, tree)
    owner = torch.from_numpy(tree.rows).to(values.device)
    return values[owner == 0].mean() - values[owner == 1].mean()


@contextlib.contextmanager
def _counting(network: Any, squares: Array) -> Iterator[None]:
    """Let blocks' weights have gradients, whose squares are added up by block, (blocks,); leave all as it was."""
    handles, before = [], []

    def count(block: int) -> Callable[[torch.Tensor], None]:
        def add(weight: torch.Tensor) -> None:
            if weight.grad is not None:
                squares[block] += float(weight.grad.double().square().sum())
            weight.grad = None

        return add

    try:
        for block, name in enumerate(sites.block_names(network)):
            for weight in network.get_submodule(name).parameters():
                if weight.is_floating_point():
                    before.append((weight, weight.requires_grad, weight.grad))
                    weight.grad = None
                    weight.requires_grad_(True)
                    handles.append(weight.register_post_accumulate_grad_hook(count(block)))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for weight, asked, gradient in before:
            weight.requires_grad_(asked)
            weight.grad = gradient
