"""Rows that begin alike run their beginning once: a batch as one tree of tokens.

Each row of token ids is a path from the root of a trie. The trie's T nodes are laid out as one sequence in which
a node sees itself and its ancestors only, at a position equal to its depth. A causal network then computes for
every node what it would have computed for every row that passes through it, so logits and gradients are those
of the plain loop, nothing is padded, and shared beginnings cost once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trimtab.records import TokenRow

# Largest difference (nats) of one token's log-probability that rounding explains. A wrong mask makes more than 2 on
# a real model; bfloat16 alone made 0.1.
TOLERANCE = 0.02
LOW_TOLERANCE = 0.5
# Tokens on either side of where two rows part that the check reads.
CHECKED = 16


@dataclass(frozen=True, slots=True)
class Pack:
    """A tree of T nodes and the M tokens of it that are scored.

    Attributes:
        ids: (T,) int64 token of each node.
        parents: (T,) int64 node before each node, -1 at a root; always a lower number.
        depth: (T,) int64 position of each node in its rows.
        sees: (T, T) bool, `sees[i, j]`: node i attends to node j.
        sources: (M,) int64 node whose logits predict each scored token.
        targets: (M,) int64 the scored tokens.
        rows: (M,) int64 row that each scored token belongs to.
        ends: (R,) int64 node of each row's last token.
        tokens: tokens of the rows before sharing.
    """

    ids: np.ndarray
    parents: np.ndarray
    depth: np.ndarray
    sees: np.ndarray
    sources: np.ndarray
    targets: np.ndarray
    rows: np.ndarray
    ends: np.ndarray
    tokens: int


def unscored(ids: Sequence[int]) -> TokenRow:
    """A row of tokens to be read only."""
    return TokenRow("", np.array(ids, dtype=np.int64), np.zeros(len(ids), dtype=bool))


def pack(rows: Sequence[TokenRow]) -> Pack:
    """Lay rows out as one tree. The first token of a row is never scored: nothing predicts it."""
    children: dict[tuple[int, int], int] = {}
    ids: list[int] = []
    parents: list[int] = []
    sources: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    ends: list[int] = []
    for number, row in enumerate(rows):
        node = -1
        for token, scored in zip(row.ids.tolist(), row.supervised.tolist(), strict=True):
            parent, node = node, children.setdefault((node, token), len(ids))
            if node == len(ids):
                ids.append(token)
                parents.append(parent)
            if scored and parent >= 0:
                sources.append(parent)
                targets.append(token)
                owners.append(number)
        ends.append(node)
    depth, sees = _ancestry(parents)
    nodes, above, before, after, whose, last = (
        np.array(v, dtype=np.int64) for v in (ids, parents, sources, targets, owners, ends)
    )
    return Pack(nodes, above, depth, sees, before, after, whose, last, sum(len(row.ids) for row in rows))


def _ancestry(parents: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    count = len(parents)
    depth = np.zeros(count, dtype=np.int64)
    sees = np.eye(count, dtype=bool)
    for node, parent in enumerate(parents):
        if parent >= 0:
            depth[node] = depth[parent] + 1
            sees[node, : parent + 1] |= sees[parent, : parent + 1]
    return depth, sees


def packs(rows: Sequence[TokenRow], budget: int) -> Iterator[tuple[list[int], Pack]]:
    """Split rows into trees of at most `budget` tokens (or one row) and like size, rows that begin alike together.

    Yields:
        The numbers of the rows in `rows`, and their tree.
    """
    order = _in_order(rows)
    total = sum(len(rows[index].ids) - shared for index, shared in order)
    # A small tree at the end would cost more than its share: products of few rows are slow.
    even = total / max(1, math.ceil(total / budget))
    group: list[int] = []
    size = 0
    for index, shared in order:
        new = len(rows[index].ids) - (shared if group else 0)
        if group and (size + new > budget or size + new / 2 > even):
            yield group, pack([rows[i] for i in group])
            group, size, new = [], 0, len(rows[index].ids)
        group.append(index)
        size += new
    if group:
        yield group, pack([rows[i] for i in group])


def tree_size(rows: Sequence[TokenRow]) -> int:
    """Number of nodes of the one tree that all rows would make."""
    return sum(len(rows[index].ids) - shared for index, shared in _in_order(rows))


def _in_order(rows: Sequence[TokenRow]) -> list[tuple[int, int]]:
    """Numbers of rows sorted by their tokens, each with how many it begins with like the one before it."""
    order = sorted(range(len(rows)), key=lambda i: rows[i].ids.tolist())
    shared = [_common(rows[one].ids, rows[two].ids) for one, two in itertools.pairwise(order)]
    return list(zip(order, [0, *shared], strict=False))


def _common(a: np.ndarray, b: np.ndarray) -> int:
    length = min(len(a), len(b))
    different = np.flatnonzero(a[:length] != b[:length])
    return int(different[0]) if len(different) else length


def inputs(tree: Pack, device: Any) -> dict[str, torch.Tensor]:
    """What a network is given to run a tree: tokens and positions (1, T), and the mask (1, 1, T, T)."""
    return {
        "input_ids": torch.from_numpy(tree.ids)[None].to(device),
        "position_ids": torch.from_numpy(tree.depth)[None].to(device),
        "attention_mask": torch.from_numpy(tree.sees)[None, None].to(device),
    }


def token_logprobs(network: Any, tree: Pack, embedded: torch.Tensor | None = None) -> torch.Tensor:
    """Natural log-probability of each scored token, (M,) float32; the head runs only where a token is scored.

    Args:
        embedded: (T, hidden size), what enters the first block instead of the tokens' embeddings.

    The network must be a transformers causal model that honours a 4-D attention mask (T, T) and position ids.
    """
    device = network.device
    targets = torch.from_numpy(tree.targets).to(device)
    given = inputs(tree, device)
    if embedded is not None:
        del given["input_ids"]
        given["inputs_embeds"] = embedded[None]
    logits = network(
        **given, use_cache=False, logits_to_keep=torch.from_numpy(tree.sources).to(device)
    ).logits[0]
    return -torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")


def plain_logprobs(network: Any, row: TokenRow) -> torch.Tensor:
    """The same for one row without the tree (M,): the reference that the tree is checked against."""
    device = network.device
    scored = np.flatnonzero(row.supervised[1:])
    logits = network(
        input_ids=torch.from_numpy(row.ids)[None].to(device),
        use_cache=False,
        logits_to_keep=torch.from_numpy(scored).to(device),
    ).logits[0]
    targets = torch.from_numpy(row.ids[1:][scored]).to(device)
    return -torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")


def _parting(rows: Sequence[TokenRow]) -> list[TokenRow]:
    """Two rows that part ways, cut to the tokens around where they do; one row if all lie on one path."""
    longest = rows[0]
    for row in rows[1:]:
        shared = _common(longest.ids, row.ids)
        if shared < min(len(longest.ids), len(row.ids)):
            return [_around(one, shared) for one in (longest, row)]
        longest = max(longest, row, key=lambda r: len(r.ids))
    return [_around(longest, 0)]


def _around(row: TokenRow, place: int) -> TokenRow:
    ids = row.ids[max(0, place - CHECKED) : place + CHECKED]
    return TokenRow(row.example, ids, np.ones(len(ids), dtype=bool))


@torch.no_grad()
def tree_is_exact(network: Any, rows: Sequence[TokenRow]) -> bool:
    """Whether this network gives the tree's rows the plain log-probabilities (nats, largest difference).

    Networks that mix tokens other than by attention (recurrent layers) or ignore a given mask do not, nor do those
    that attend to a window of the last tokens, where a row is longer than the window.
    """
    config = getattr(network, "config", None)
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    if window and max(len(row.ids) for row in rows) > window:
        return False
    few = _parting(rows)
    tree = pack(few)
    try:
        together = token_logprobs(network, tree)
    except (RuntimeError, TypeError, ValueError):
        return False
    alone = torch.cat([plain_logprobs(network, row) for row in few])
    low = any(p.dtype is torch.bfloat16 for p in network.parameters())
    tolerance = LOW_TOLERANCE if low else TOLERANCE
    return bool((together - alone).abs().max() <= tolerance) if len(alone) else True
