"""What the untouched lower blocks of a network compute, kept: every later pass over the same tokens starts above them.

An adjustment of the last blocks leaves the hidden states that enter them as the base model computes them. They are
remembered by the beginning that they stand for (a node of a tree of tokens), so they serve every epoch, every
candidate that starts as high, and the base model itself, however rows are put into batches.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from trimtab.model import sites
from trimtab.model.load import Base
from trimtab.model.memory import available_bytes
from trimtab.model.pack import TOLERANCE, Pack, pack, rounded, token_logprobs
from trimtab.records import TokenRow

# Share of the free memory that hidden states may take, and the most of it.
SHARE = 0.25
MOST_BYTES = 4 * 2**30
CHECKED = 2


class Trunk:
    """Hidden states (nodes, hidden size) that enter block `first`, by the tokens that lead to them."""

    def __init__(self, network: Any, first: int, budget: int) -> None:
        """Keep at most `budget` bytes; what does not fit is computed anew each time."""
        size = network.config.hidden_size
        self.first = first
        self._capacity = budget // (size * network.dtype.itemsize)
        # Memory is taken from the system when it is written to, not here.
        self._states = torch.empty((self._capacity, size), dtype=network.dtype, device=network.device)
        self._known = np.zeros(self._capacity, dtype=bool)
        self._children: dict[tuple[int, int], int] = {}

    @property
    def remembered(self) -> int:
        """Number of states that are kept."""
        return int(self._known.sum())

    def token_logprobs(self, network: Any, tree: Pack) -> torch.Tensor:
        """As `pack.token_logprobs`, from block `first` on where the tree's states are known, else remembering them."""
        places = self._places(tree) if sites.first_changed(network) >= self.first else None
        if places is None:
            return token_logprobs(network, tree)
        if self._known[places].all():
            padded = np.zeros(rounded(len(places)), dtype=np.int64)
            padded[: len(places)] = places
            with _from_block(network, self.first):
                return token_logprobs(network, tree, self._states[torch.from_numpy(padded)])
        with self._remembering(network, places):
            return token_logprobs(network, tree)

    def _places(self, tree: Pack) -> np.ndarray | None:
        """Where the states of a tree's nodes are kept, (T,) int64; None if there is no room for all."""
        places: list[int] = []
        for token, parent in zip(tree.ids.tolist(), tree.parents.tolist(), strict=True):
            key = (places[parent] if parent >= 0 else -1, token)
            place = self._children.get(key, len(self._children))
            if place >= self._capacity:
                return None
            self._children[key] = place
            places.append(place)
        return np.array(places, dtype=np.int64)

    @contextlib.contextmanager
    def _remembering(self, network: Any, places: np.ndarray) -> Iterator[None]:
        def keep(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            hidden = given[0] if given else named["hidden_states"]
            self._states[torch.from_numpy(places)] = hidden.detach()[0, : len(places)].to(self._states.dtype)
            self._known[places] = True

        block = network.get_submodule(sites.block_names(network)[self.first])
        handle = block.register_forward_pre_hook(keep, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()


@contextlib.contextmanager
def _from_block(network: Any, first: int) -> Iterator[None]:
    """Let the network begin at a block; what is given as embeddings enters it."""
    place, _, _ = sites.block_names(network)[0].rpartition(".")
    parent = network.get_submodule(place.rpartition(".")[0])
    name = place.rpartition(".")[2]
    blocks = getattr(parent, name)
    setattr(parent, name, blocks[first:])
    try:
        yield
    finally:
        setattr(parent, name, blocks)


def ensure(base: Base, first: int, rows: Sequence[TokenRow]) -> Trunk | None:
    """The base's trunk up to block `first`, made if there is none that reaches no higher; None where it is not exact.

    Args:
        rows: a few rows to check on that starting above the trunk gives the same log-probabilities.
    """
    if first <= 0 or not rows:
        return None
    if base.trunk is not None and base.trunk.first <= first:
        return base.trunk
    if _random(base.network, first) or not _exact(base.network, first, rows[:CHECKED]):
        return None
    budget = min(MOST_BYTES, int(SHARE * available_bytes(str(base.network.device))))
    base.trunk = Trunk(base.network, first, budget)
    return base.trunk


def _random(network: Any, first: int) -> bool:
    """Whether the trunk draws anew in every training pass."""
    if getattr(network.config, "attention_dropout", 0):
        return True
    below = [network.get_submodule(name) for name in sites.block_names(network)[:first]]
    return any(
        isinstance(module, torch.nn.Dropout) and module.p > 0 for block in below for module in block.modules()
    )


@torch.no_grad()
def _exact(network: Any, first: int, rows: Sequence[TokenRow]) -> bool:
    """Whether this network computes the same from a block on, as most do; some scale or shift what enters first."""
    tree = pack(rows)
    size = network.config.hidden_size * network.dtype.itemsize
    trial = Trunk(network, first, len(tree.ids) * size)
    try:
        whole = trial.token_logprobs(network, tree)
        above = trial.token_logprobs(network, tree)
    except (RuntimeError, TypeError, ValueError):
        return False
    return trial.remembered == len(tree.ids) and bool((whole - above).abs().max() <= TOLERANCE)
