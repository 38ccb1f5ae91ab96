"""Rows answered by a network's own cache, padded to one length: for families that `slots` does not suit."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from trimtab.model.load import Base
from trimtab.model.mixed import Asked, Mixed


class Padded:
    """Rows that enter together and leave together with the last of them; see `sampler.Places`."""

    def __init__(self, base: Base, rows: int) -> None:
        """Take at most `rows` rows at once."""
        self.base = base
        self.logits = torch.empty(0)
        self._most = rows
        self._there: set[int] = set()
        self._attended = torch.empty(0)
        self._cache: Any = None

    def free(self) -> int:
        """All places, once the last row has left."""
        return 0 if self._there else self._most

    def enter(self, asked: Sequence[Asked], mixed: Mixed) -> list[int]:
        """Read each distinct prompt of a stack once, padded on the left, and repeat it for its rows."""
        from transformers import DynamicCache

        network, device = self.base.network, self.base.network.device
        distinct = list(dict.fromkeys(asked))
        longest = max(len(prompt) for _, prompt in distinct)
        ids = np.full((len(distinct), longest), self.base.tokenizer.pad_token_id or 0, dtype=np.int64)
        attended = np.zeros_like(ids)
        for number, (_, prompt) in enumerate(distinct):
            ids[number, longest - len(prompt) :] = prompt
            attended[number, longest - len(prompt) :] = 1
        self._cache = DynamicCache(config=network.config)
        self._attended = torch.from_numpy(attended).to(device)
        owners: dict[str, list[int]] = {}
        for number, (whose, _) in enumerate(distinct):
            owners.setdefault(whose, []).append(number)
        with mixed.applied(owners):
            self._run(torch.from_numpy(ids).to(device))
        rows = torch.tensor([distinct.index(one) for one in asked], device=device)
        self._cache.batch_select_indices(rows)
        self._attended, self.logits = self._attended[rows], self.logits[rows]
        self._there = set(range(len(asked)))
        return list(range(len(asked)))

    def leave(self, places: Sequence[int]) -> None:
        """Rows that have left are computed on until all have."""
        self._there -= set(places)

    def tighten(self) -> dict[int, int]:
        """Nothing moves."""
        return {}

    def step(self, tokens: torch.Tensor) -> None:
        """Append a token to every row."""
        self._attended = torch.nn.functional.pad(self._attended, (0, 1), value=1)
        self._run(tokens[:, None])

    def _run(self, ids: torch.Tensor) -> None:
        network = self.base.network
        # transformers 5.24 renamed the cache.
        name = "cache" if "cache" in inspect.signature(network.forward).parameters else "past_key_values"
        result = network(
            input_ids=ids,
            attention_mask=self._attended,
            position_ids=(self._attended.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :],
            use_cache=True,
            logits_to_keep=1,
            **{name: self._cache},
        )
        self.logits = result.logits[:, -1].float()
