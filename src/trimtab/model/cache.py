"""Keys and values of tokens already seen, kept in buffers that grow by doubling instead of by copying each step."""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """One attention layer's cache; `keys` and `values` (rows, heads, tokens, head size) are views of the buffers."""

    keys: torch.Tensor
    values: torch.Tensor
    _stored_keys: torch.Tensor
    _stored_values: torch.Tensor

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append new keys and values and return all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        used = self.keys.shape[-2] if self.keys.numel() else 0
        need = used + key_states.shape[-2]
        if not used or need > self._stored_keys.shape[-2]:
            self._stored_keys = self._grown(self.keys, key_states, used, need)
            self._stored_values = self._grown(self.values, value_states, used, need)
        self._stored_keys[..., used:need, :] = key_states
        self._stored_values[..., used:need, :] = value_states
        self.keys = self._stored_keys[..., :need, :]
        self.values = self._stored_values[..., :need, :]
        return self.keys, self.values

    @staticmethod
    def _grown(old: torch.Tensor, new: torch.Tensor, used: int, need: int) -> torch.Tensor:
        buffer = new.new_empty((*new.shape[:-2], max(2 * used, need + 64), new.shape[-1]))
        if used:
            buffer[..., :used, :] = old
        return buffer

    def select(self, rows: torch.Tensor) -> None:
        """Keep, repeat or reorder rows; (rows,) int64."""
        used = self.keys.shape[-2]
        self._stored_keys = self._stored_keys.index_select(0, rows)
        self._stored_values = self._stored_values.index_select(0, rows)
        self.keys = self._stored_keys[..., :used, :]
        self.values = self._stored_values[..., :used, :]


def growing_cache(config: Any) -> DynamicCache:
    """A cache for this network; layers of other kinds (sliding windows, recurrent) keep transformers' own form."""
    cache = DynamicCache(config=config)
    cache.layers = [GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def select_rows(cache: DynamicCache, rows: torch.Tensor) -> None:
    """Keep, repeat or reorder the rows of every layer; (rows,) int64."""
    for layer in cache.layers:
        if isinstance(layer, GrowingLayer):
            layer.select(rows)
        else:
            layer.batch_select_indices(rows)
