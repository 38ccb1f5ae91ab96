"""Hidden states that leave each block, averaged over marked tokens of texts; all blocks in one pass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.model import attention, sites
from trimtab.model.load import Base
from trimtab.model.pack import inputs, packs, tree_is_exact
from trimtab.records import TokenRow

BUDGET = 512


@dataclass(frozen=True, slots=True)
class Activations:
    """What left the blocks.

    Attributes:
        means: (rows, blocks, hidden) float32, mean over a row's marked tokens.
        norms: (blocks,) float32, median Euclidean length of one token's state, over all marked tokens: the median,
            because a few tokens (the first of a text) are many times as long as all others.
    """

    means: NDArray[np.float32]
    norms: NDArray[np.float32]


@torch.no_grad()
def read(
    base: Base,
    rows: Sequence[TokenRow],
    *,
    budget: int = BUDGET,
    report: Callable[[int, int], None] | None = None,
) -> Activations:
    """Run rows, of which `supervised` marks at least one token each, through the network as it is now.

    Args:
        budget: tokens in one forward pass.
        report: called with rows read, rows in all.
    """
    network = base.network
    names = sites.block_names(network)
    means = np.zeros((len(rows), len(names), network.config.hidden_size), dtype=np.float32)
    lengths: list[list[NDArray[np.float32]]] = [[] for _ in names]
    done = 0
    for numbers, given, marked in _passes(network, rows, budget):
        weights = torch.from_numpy(marked / marked.sum(axis=1, keepdims=True)).to(network.device)
        there = torch.from_numpy(marked.any(axis=0)).to(network.device)

        def keep(
            block: int,
            states: torch.Tensor,
            at: Any = (numbers, weights, there),
            tokens: int = marked.shape[1],
        ) -> None:
            rows_of_pass, shares, any_row = at
            found = states[0, :tokens].float()
            means[rows_of_pass, block] = (shares @ found).cpu().numpy()
            lengths[block].append(found[any_row].norm(dim=-1).cpu().numpy())

        # A row alone goes the library's own way, which knows of windows.
        tree = "attention_mask" in given
        with (
            _watching(network, names, keep),
            attention.attending(network) if tree else contextlib.nullcontext(),
        ):
            network.base_model(**given, use_cache=False)
        done += len(numbers)
        if report:
            report(done, len(rows))
    return Activations(
        means, np.array([np.median(np.concatenate(part)) for part in lengths], dtype=np.float32)
    )


def _passes(
    network: Any, rows: Sequence[TokenRow], budget: int
) -> Iterator[tuple[list[int], dict[str, Any], NDArray[np.float32]]]:
    """Numbers of the rows of a pass, what the network is given, and which tokens each row marks (rows, T) as 0 or 1."""
    if not tree_is_exact(network, rows):
        for number, row in enumerate(rows):
            given = {"input_ids": torch.from_numpy(row.ids)[None].to(network.device)}
            yield [number], given, row.supervised[None].astype(np.float32)
        return
    for numbers, tree in packs(rows, budget):
        marked = np.zeros((len(numbers), len(tree.ids)), dtype=np.float32)
        for place, number in enumerate(numbers):
            path = np.flatnonzero(tree.sees[tree.ends[place]])
            marked[place, path[rows[number].supervised]] = 1
        yield numbers, inputs(tree, network), marked


@contextlib.contextmanager
def _watching(
    network: Any, names: Sequence[str], keep: Callable[[int, torch.Tensor], None]
) -> Iterator[None]:
    handles = []

    def watch(block: int) -> Callable[..., None]:
        return lambda module, given, output: keep(block, output[0] if isinstance(output, tuple) else output)

    try:
        for block, name in enumerate(names):
            handles.append(network.get_submodule(name).register_forward_hook(watch(block)))
        yield
    finally:
        for handle in handles:
            handle.remove()
