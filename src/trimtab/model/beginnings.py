"""Beginnings of prompts that have been read already: what of a new prompt is left to read, and after what.

People who ask one model send it the same instructions, and only what follows is new. A tree (`pack`) is then read after
the keys and values of one earlier prompt for each stack, of which every node sees as many tokens as its prompt shares.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.model.mixed import Asked
from trimtab.model.pack import Pack, common, packs, unscored

# Nodes of a part, at least: attention between strangers costs less than another few products.
FEW = 64


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring nodes of a tree that nothing else of it sees, and that see nothing else of it.

    Attributes:
        start, stop: the nodes.
        after: (place, tokens) of each earlier prompt that one of them is read after.
        sees: (nodes, sum of those tokens) bool, which of them each node attends to.
    """

    start: int
    stop: int
    after: list[tuple[int, int]]
    sees: np.ndarray


@dataclass(frozen=True, slots=True)
class Left:
    """A tree of what is left to read of some prompts.

    Attributes:
        numbers: which prompts, in the order of `tree.ends`.
        tree: their last tokens; positions count from the prompts' first.
        nodes: by stack, the nodes that are read under its changes of the network.
        parts: all nodes, in order.
        shared: for each of the prompts, the place that has its beginning and how many tokens; -1 and 0 for none.
    """

    numbers: list[int]
    tree: Pack
    nodes: dict[str, list[int]]
    parts: list[Part]
    shared: list[tuple[int, int]]


def left(prompts: Sequence[Asked], there: Sequence[Asked | None], budget: int, size: int) -> Iterator[Left]:
    """Trees of at most `budget` nodes for new prompts.

    Args:
        there: prompts that were read, by place.
        size: of the vocabulary.

    A token that is read under other changes of the network, or after another number of shared tokens, is another token:
    only what is the same in all of it is read once.
    """
    shared = _shared(prompts, there)
    kinds = [(whose, *found) for (whose, _), found in zip(prompts, shared, strict=True)]
    known = list(dict.fromkeys(kinds))
    rows = [
        unscored([known.index(kind) * size + token for token in ids[kind[2] :]])
        for kind, (_, ids) in zip(kinds, prompts, strict=True)
    ]
    for numbers, whole in packs(rows, budget):
        kind, ids = np.divmod(whole.ids, size)
        counts = np.array([count for *_, count in known])[kind]
        tree = dataclasses.replace(whole, ids=ids, depth=whole.depth + counts)
        owners = np.array([whose for whose, *_ in known])[kind]
        nodes = {name: np.flatnonzero(owners == name).tolist() for name in sorted(set(owners.tolist()))}
        places = np.array([place for _, place, _ in known])[kind]
        parts = [_part(*ends, places, counts) for ends in _apart(tree.parents)]
        yield Left(numbers, tree, nodes, parts, [shared[number] for number in numbers])


def _apart(parents: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where parts begin and end: a root's nodes follow it, and nothing before it is seen from there."""
    start = 0
    for root in np.flatnonzero(parents < 0).tolist():
        if root - start >= FEW:
            yield start, root
            start = root
    yield start, len(parents)


def _part(start: int, stop: int, places: np.ndarray, counts: np.ndarray) -> Part:
    """A part, of all nodes' places (T,) of earlier prompts and how many tokens (T,) of those they are read after."""
    places, counts = places[start:stop], counts[start:stop]
    after = [(int(p), int(counts[places == p].max())) for p in np.unique(places) if p >= 0]
    sees = [(places == p)[:, None] & (np.arange(count) < counts[:, None]) for p, count in after]
    whole = np.concatenate(sees, 1) if sees else np.zeros((stop - start, 0), dtype=bool)
    return Part(start, stop, after, whole)


def _shared(prompts: Sequence[Asked], there: Sequence[Asked | None]) -> list[tuple[int, int]]:
    """For each prompt the place that its beginning is taken from, one for all of a stack, and how many tokens of it.

    The last token of a prompt is always read: its logits are wanted.
    """
    found = [(-1, 0)] * len(prompts)
    for whose in dict.fromkeys(name for name, _ in prompts):
        numbers = [number for number, (name, _) in enumerate(prompts) if name == whose]
        best: list[int] = []
        for place, one in enumerate(there):
            if one and one[0] == whose:
                counts = [common(one[1], prompts[number][1][:-1]) for number in numbers]
                if sum(counts) > sum(best):
                    best = counts
                    for number, count in zip(numbers, counts, strict=True):
                        found[number] = (place, count) if count else (-1, 0)
    return found
