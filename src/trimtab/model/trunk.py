"""What the untouched lower blocks of a network compute, kept: every later pass over the same tokens starts above them.

An adjustment of the last blocks leaves the hidden states that enter them as the base model computes them. They are
remembered by the beginning that they stand for (a node of a tree of tokens), so they serve every epoch, every
candidate that starts as high, and the base model itself, however rows are put into batches.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from trimtab.model import head, sites
from trimtab.model.load import Base
from trimtab.model.memory import available_bytes
from trimtab.model.pack import TOLERANCE, Pack, pack, packs, rounded, token_logprobs, tree_size
from trimtab.records import TokenRow

# Share of the free memory that hidden states may take, and the most of it; what needs more lies in a file mapped into
# memory, which may take this share of the free disk.
SHARE = 0.25
MOST_BYTES = 4 * 2**30
DISK_SHARE = 0.5
# Room for rows that come later (select, guards), as a multiple of those that are known.
LATER = 2
FILL_TOKENS = 512
CHECKED = 2

Read = Callable[[Any, Pack], torch.Tensor]
# What is read of a network: `pack.token_logprobs`, or another function of a tree and of what enters the first block.
Of = Callable[[Any, Pack, torch.Tensor | None], torch.Tensor]


class Trunk:
    """Hidden states (nodes, hidden size) that enter block `first`, by the tokens that lead to them."""

    def __init__(self, network: Any, first: int, budget: int, folder: str | None = None) -> None:
        """Keep at most `budget` bytes; what does not fit is computed anew each time.

        Args:
            folder: where a nameless file holds the states; in memory if None.
        """
        size = network.config.hidden_size
        self.first = first
        self._capacity = budget // (size * network.dtype.itemsize)
        self._states = _room((self._capacity, size), network, folder)
        self._known = np.zeros(self._capacity, dtype=bool)
        self._children: dict[tuple[int, int], int] = {}

    @property
    def remembered(self) -> int:
        """Number of states that are kept."""
        return int(self._known.sum())

    def reading(self, network: Any, of: Of = token_logprobs) -> Read:
        """How to read trees with this network as it is now: from the trunk, unless something below it is changed."""
        if sites.first_changed(network) >= self.first:
            return functools.partial(self.read, of)
        return lambda network, tree: of(network, tree, None)

    def token_logprobs(self, network: Any, tree: Pack) -> torch.Tensor:
        """As `pack.token_logprobs`, from block `first` on: see `read`."""
        return self.read(token_logprobs, network, tree)

    def read(self, of: Of, network: Any, tree: Pack) -> torch.Tensor:
        """What `of` reads, from block `first` on where the tree's states are known, else remembering them.

        Only for networks that are the base's own below that block: see `reading`.
        """
        places = self._places(tree)
        if places is None:
            return of(network, tree, None)
        if self._known[places].all():
            padded = np.zeros(rounded(len(places)), dtype=np.int64)
            padded[: len(places)] = places
            with _from_block(network, self.first):
                return of(network, tree, self._states[torch.from_numpy(padded)])
        with self._remembering(network, places):
            return of(network, tree, None)

    @torch.no_grad()
    def fill(self, network: Any, rows: Sequence[TokenRow]) -> None:
        """Compute what rows need at once, in large trees, and nothing above the trunk."""
        for _, tree in packs(rows, FILL_TOKENS):
            places = self._places(tree)
            if places is None:
                return
            with contextlib.suppress(_Enough), self._remembering(network, places, stop=True):
                token_logprobs(network, tree)

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
    def _remembering(self, network: Any, places: np.ndarray, *, stop: bool = False) -> Iterator[None]:
        def keep(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            hidden = given[0] if given else named["hidden_states"]
            self._states[torch.from_numpy(places)] = hidden.detach()[0, : len(places)].to(self._states.dtype)
            self._known[places] = True
            if stop:
                raise _Enough

        head.is_plain(network)  # runs the network once, which must not be taken for the tree
        block = network.get_submodule(sites.block_names(network)[self.first])
        handle = block.register_forward_pre_hook(keep, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()


class _Enough(Exception):
    """The trunk is computed; what lies above is not wanted."""


def _room(shape: tuple[int, int], network: Any, folder: str | None) -> torch.Tensor:
    """An array that takes memory, or disk, only where it is written to."""
    if folder is None:
        return torch.empty(shape, dtype=network.dtype, device=network.device)
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        count = shape[0] * shape[1]
        return torch.from_file(file.name, shared=True, size=count, dtype=network.dtype).view(shape)


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
        rows: what will be read; a few of them are checked to give the same log-probabilities from above the trunk.
    """
    if first <= 0 or not rows:
        return None
    if base.trunk is not None and base.trunk.first <= first:
        return base.trunk
    network = base.network
    if _random(network, first) or not _exact(network, first, rows[:CHECKED]):
        return None
    needed = LATER * tree_size(rows) * network.config.hidden_size * network.dtype.itemsize
    memory = min(MOST_BYTES, int(SHARE * available_bytes(str(network.device))))
    folder = None
    if needed > memory and network.device.type == "cpu":
        folder, memory = (
            tempfile.gettempdir(),
            int(DISK_SHARE * shutil.disk_usage(tempfile.gettempdir()).free),
        )
    base.trunk = Trunk(network, first, min(needed, memory), folder)
    base.trunk.fill(network, rows)
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
