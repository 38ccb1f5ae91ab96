"""Prompts read into a cache: what they begin with in common is run once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trimtab.model import attention
from trimtab.model.cache import as_argument, growing_cache, join_rows, joinable, select_rows
from trimtab.model.load import Base
from trimtab.model.pack import Pack, inputs, packs, tree_is_exact, unscored

# Nodes of one tree; beyond some hundred, attention between strangers costs more than wide products gain.
NODES = 512


@dataclass
class Prefix:
    """What has been read of some rows.

    Attributes:
        cache: keys and values (rows, heads, T, head size) of each layer; the last tokens of all rows in one column.
        attended: (rows, T) int64, 1 where a row has a token.
        logits: (rows, vocabulary) float32, after the last token.
    """

    cache: Any
    attended: torch.Tensor
    logits: torch.Tensor

    def select(self, rows: torch.Tensor) -> None:
        """Keep, repeat or reorder rows; (rows,) int64."""
        select_rows(self.cache, rows)
        self.attended, self.logits = self.attended[rows], self.logits[rows]

    def join(self, other: Prefix) -> None:
        """Add rows below these."""
        unused = int(self.attended.any(0).int().argmax())
        join_rows(self.cache, other.cache, unused)
        parts = [self.attended[:, unused:], other.attended]
        width = max(part.shape[1] for part in parts)
        self.attended = torch.cat(
            [torch.nn.functional.pad(part, (width - part.shape[1], 0)) for part in parts]
        )
        self.logits = torch.cat([self.logits, other.logits])


def step(base: Base, prefix: Prefix, ids: torch.Tensor) -> None:
    """Append tokens (rows, T) to rows that all have as many new ones, and renew the logits."""
    prefix.attended = torch.nn.functional.pad(prefix.attended, (0, ids.shape[1]), value=1)
    prefix.logits = _forward(base, ids, prefix.attended, prefix.cache)


def can_share(base: Base, prompts: Sequence[tuple[int, ...]]) -> bool:
    """Whether prompts of this network can be read as trees: it attends to all tokens, and honours a given mask."""
    if not joinable(growing_cache(base.network.config)):
        return False
    return tree_is_exact(base.network, [unscored(prompt) for prompt in prompts])


def read(base: Base, prompts: Sequence[tuple[int, ...]], *, share: bool) -> Prefix:
    """Run distinct prompts: as trees, or padded on the left where `share` is false or nothing is to be shared."""
    if not share or len(prompts) == 1:
        return _padded(base, prompts)
    rows = [unscored(prompt) for prompt in prompts]
    trees = list(packs(rows, NODES))
    whole, *others = (_tree(base, tree) for _, tree in trees)
    for part in others:
        whole.join(part)
    order = [number for numbers, _ in trees for number in numbers]
    whole.select(torch.tensor(order, device=whole.logits.device).argsort())
    return whole


def _tree(base: Base, tree: Pack) -> Prefix:
    """Run one tree and lay each row's path out as a row of its own."""
    device = base.network.device
    cache = growing_cache(base.network.config)
    with attention.attending(base.network):
        logits = base.network(
            **inputs(tree, base.network),
            **as_argument(base.network, cache),
            use_cache=True,
            logits_to_keep=torch.from_numpy(tree.ends).to(device),
        ).logits[0]
    place, attended = _aligned([np.flatnonzero(tree.sees[end]) for end in tree.ends], 0, device)
    laid = growing_cache(base.network.config)
    for number, layer in enumerate(cache.layers):
        laid.update(
            layer.keys[0][:, place].transpose(0, 1), layer.values[0][:, place].transpose(0, 1), number
        )
    return Prefix(laid, attended, logits.float())


def _padded(base: Base, prompts: Sequence[tuple[int, ...]]) -> Prefix:
    ids, attended = _aligned(prompts, base.tokenizer.pad_token_id or 0, base.network.device)
    cache = growing_cache(base.network.config)
    return Prefix(cache, attended, _forward(base, ids, attended, cache))


def _aligned(rows: Sequence[Any], fill: int, device: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of numbers with their ends in one column, and 1 where a row has one; (rows, longest) int64 both."""
    longest = max(map(len, rows))
    values = np.full((len(rows), longest), fill, dtype=np.int64)
    attended = np.zeros((len(rows), longest), dtype=np.int64)
    for number, row in enumerate(rows):
        values[number, longest - len(row) :] = row
        attended[number, longest - len(row) :] = 1
    return torch.from_numpy(values).to(device), torch.from_numpy(attended).to(device)


def _forward(base: Base, ids: torch.Tensor, attended: torch.Tensor, cache: Any) -> torch.Tensor:
    """Run tokens (rows, T) on top of the cache; the logits after the last one (rows, vocabulary) float32."""
    result = base.network(
        input_ids=ids,
        attention_mask=attended,
        position_ids=(attended.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :],
        **as_argument(base.network, cache),
        use_cache=True,
        logits_to_keep=1,
    )
    logits: torch.Tensor = result.logits[:, -1].float()
    return logits
