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

from trimtab.model import attention, head
from trimtab.records import TokenRow

# Largest difference (nats) of one token's log-probability that rounding explains. A wrong mask makes more than 2 on
# a real model; bfloat16 alone made 0.1.
TOLERANCE = 0.02
LOW_TOLERANCE = 0.5
# Sizes are rounded up to a multiple of this: the matrix library prepares itself anew, for half a millisecond, for each
# size of each product that it has not met lately (decisions/0008).
ROUND = 32
# Tokens on either side of where two rows part that the check reads.
CHECKED = 16


@dataclass(frozen=True, slots=True)
class Pack:
    """A tree of T nodes and the M tokens of it that are scored, after U different nodes.

    Attributes:
        ids: (T,) int64 token of each node.
        parents: (T,) int64 node before each node, -1 at a root; always a lower number.
        depth: (T,) int64 position of each node in its rows.
        sees: (T, T) bool, `sees[i, j]`: node i attends to node j.
        heads: (U,) int64 nodes whose logits are needed.
        sources: (M,) int64 place in `heads` of the node that predicts each scored token.
        targets: (M,) int64 the scored tokens.
        rows: (M,) int64 row that each scored token belongs to.
        ends: (R,) int64 node of each row's last token.
        tokens: tokens of the rows before sharing.
    """

    ids: np.ndarray
    parents: np.ndarray
    depth: np.ndarray
    sees: np.ndarray
    heads: np.ndarray
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
    lengths = np.array([len(row.ids) for row in rows])
    columns = np.arange(lengths.max())
    there = columns < lengths[:, None]
    tokens = np.full(there.shape, -1, dtype=np.int64)
    scored = np.zeros(there.shape, dtype=bool)
    tokens[there] = np.concatenate([row.ids for row in rows])
    scored[there] = np.concatenate([row.supervised for row in rows])
    scored[:, 0] = False
    nodes, first = _nodes(tokens, there)
    before = np.pad(nodes, ((0, 0), (1, 0)), constant_values=-1)[:, :-1]
    heads, sources = np.unique(before[scored], return_inverse=True)
    row, depth = np.divmod(first, len(columns))
    seen = columns <= depth[:, None]
    sees = np.zeros((len(first), len(first)), dtype=bool)
    sees[np.nonzero(seen)[0], nodes[row][seen]] = True
    return Pack(
        tokens.ravel()[first],
        before.ravel()[first],
        depth,
        sees,
        heads,
        sources.astype(np.int64),
        tokens[scored],
        np.nonzero(scored)[0],
        nodes[np.arange(len(rows)), lengths - 1],
        int(lengths.sum()),
    )


def _nodes(tokens: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Node of each token of each row (R, L), and where each node first stands, (T,), counted through the rows.

    Rows are taken in the order of their tokens; one begins new nodes where it parts from the one before it.
    """
    order = np.lexsort(tokens.T[::-1])
    ordered, filled = tokens[order], there[order]
    alike = (ordered[1:] == ordered[:-1]) & filled[1:]
    new = filled.copy()
    new[1:] &= ~np.logical_and.accumulate(alike, axis=1)
    numbers = np.cumsum(new).reshape(new.shape) - 1
    # A token that is not new is the node of the last row above that began one in its column.
    above = np.maximum.accumulate(np.where(new, np.arange(len(order))[:, None], 0), axis=0)
    nodes = np.empty_like(numbers)
    nodes[order] = np.take_along_axis(numbers, above, axis=0)
    first = np.flatnonzero(new)
    return nodes, order[first // new.shape[1]] * new.shape[1] + first % new.shape[1]


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


def packs_of(
    rows: Sequence[TokenRow], units: Sequence[Sequence[int]], budget: int
) -> Iterator[tuple[list[int], Pack]]:
    """Split rows into trees of at most `budget` tokens (or one unit), in which no unit of rows is torn.

    Args:
        units: numbers of the rows that stay together; each row is in one unit.

    Yields:
        The numbers of the rows in `rows`, unit after unit, and their tree.
    """
    group: list[int] = []
    for unit in sorted(units, key=lambda unit: rows[unit[0]].ids.tolist()):
        if group and tree_size([rows[number] for number in [*group, *unit]]) > budget:
            yield group, pack([rows[number] for number in group])
            group = []
        group = [*group, *unit]
    if group:
        yield group, pack([rows[number] for number in group])


def tree_size(rows: Sequence[TokenRow]) -> int:
    """Number of nodes of the one tree that all rows would make."""
    return sum(len(rows[index].ids) - shared for index, shared in _in_order(rows))


def _in_order(rows: Sequence[TokenRow]) -> list[tuple[int, int]]:
    """Numbers of rows sorted by their tokens, each with how many it begins with like the one before it."""
    order = sorted(range(len(rows)), key=lambda i: rows[i].ids.tolist())
    shared = [common(rows[one].ids, rows[two].ids) for one, two in itertools.pairwise(order)]
    return list(zip(order, [0, *shared], strict=False))


def common(a: Sequence[int] | np.ndarray, b: Sequence[int] | np.ndarray) -> int:
    """How many tokens two rows begin with alike."""
    length = min(len(a), len(b))
    different = np.flatnonzero(np.asarray(a[:length]) != np.asarray(b[:length]))
    return int(different[0]) if len(different) else length


def inputs(tree: Pack, network: Any) -> dict[str, torch.Tensor]:
    """What a network is given to run a tree: tokens and positions (1, P), and an additive mask (1, 1, P, P).

    P is T rounded up to a multiple of `ROUND`; the nodes beyond T stand alone.
    """
    device, dtype = network.device, next(network.parameters()).dtype
    size = rounded(len(tree.ids))
    ids, depth = np.zeros((2, 1, size), dtype=np.int64)
    ids[0, : len(tree.ids)], depth[0, : len(tree.ids)] = tree.ids, tree.depth
    sees = np.eye(size, dtype=bool)
    sees[: len(tree.ids), : len(tree.ids)] = tree.sees
    return {
        "input_ids": torch.from_numpy(ids).to(device),
        "position_ids": torch.from_numpy(depth).to(device),
        "attention_mask": attention.additive(torch.from_numpy(sees)[None, None].to(device), dtype),
    }


def rounded(count: int) -> int:
    """`count` up to a multiple of `ROUND`."""
    return -(-count // ROUND) * ROUND


def head_states(network: Any, tree: Pack, embedded: torch.Tensor | None = None) -> torch.Tensor:
    """What the head is given after the nodes whose logits are needed: (U, hidden size), U rounded up by `rounded`.

    Their logits (U, vocabulary) instead where those are more than the head's product (`head.is_plain`).

    Args:
        embedded: (P, hidden size), what enters the first block instead of the tokens' embeddings.

    The network must be a transformers causal model that honours a 4-D attention mask (P, P) and position ids.
    """
    given = inputs(tree, network)
    needed = np.zeros(rounded(len(tree.heads)), dtype=np.int64)
    needed[: len(tree.heads)] = tree.heads
    heads = torch.from_numpy(needed).to(network.device)
    if embedded is not None:
        del given["input_ids"]
        given["inputs_embeds"] = embedded[None]
    plain = head.is_plain(network)
    with attention.attending(network):
        if plain:
            hidden: torch.Tensor = network.base_model(**given, use_cache=False).last_hidden_state[0]
            return hidden[heads]
        logits: torch.Tensor = network(**given, use_cache=False, logits_to_keep=heads).logits[0]
    return logits


def token_logprobs(network: Any, tree: Pack, embedded: torch.Tensor | None = None) -> torch.Tensor:
    """Natural log-probability of each scored token, (M,) float32; the head runs only where a token is scored.

    Arguments as of `head_states`.
    """
    states = head_states(network, tree, embedded)
    sources, targets = (torch.from_numpy(part).to(network.device) for part in (tree.sources, tree.targets))
    if head.is_plain(network):
        return head.scored(network, states, sources, targets)
    return states.float().log_softmax(-1)[sources, targets]


def plain_logits(network: Any, row: TokenRow) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (M, vocabulary) before each scored token of one row, without the tree, and the tokens (M,) int64."""
    device = network.device
    scored = np.flatnonzero(row.supervised[1:])
    logits = network(
        input_ids=torch.from_numpy(row.ids)[None].to(device),
        use_cache=False,
        logits_to_keep=torch.from_numpy(scored).to(device),
    ).logits[0]
    return logits.float(), torch.from_numpy(row.ids[1:][scored]).to(device)


def plain_logprobs(network: Any, row: TokenRow) -> torch.Tensor:
    """The same for one row without the tree (M,): the reference that the tree is checked against."""
    logits, targets = plain_logits(network, row)
    return -torch.nn.functional.cross_entropy(logits, targets, reduction="none")


def _parting(rows: Sequence[TokenRow]) -> list[TokenRow]:
    """Two rows that part ways, cut to the tokens around where they do; one row if all lie on one path."""
    longest = rows[0]
    for row in rows[1:]:
        shared = common(longest.ids, row.ids)
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
