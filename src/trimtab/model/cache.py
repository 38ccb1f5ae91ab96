"""Keys and values of tokens already seen, in buffers that grow by doubling; rows may leave, be repeated and join."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

ROOM = 64


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
        self._show(0, need)
        return self.keys, self.values

    @staticmethod
    def _grown(old: torch.Tensor, new: torch.Tensor, used: int, need: int) -> torch.Tensor:
        buffer = new.new_empty((*new.shape[:-2], max(2 * used, need + ROOM), new.shape[-1]))
        if used:
            buffer[..., :used, :] = old
        return buffer

    def _show(self, first: int, end: int) -> None:
        self._stored_keys, self._stored_values = (
            self._stored_keys[..., first:, :],
            self._stored_values[..., first:, :],
        )
        self.keys = self._stored_keys[..., : end - first, :]
        self.values = self._stored_values[..., : end - first, :]

    def select(self, rows: torch.Tensor) -> None:
        """Keep, repeat or reorder rows; (rows,) int64."""
        used = self.keys.shape[-2]
        self._stored_keys = self._stored_keys.index_select(0, rows)
        self._stored_values = self._stored_values.index_select(0, rows)
        self._show(0, used)

    def drop(self, first: int) -> None:
        """Forget the oldest `first` tokens of every row."""
        self._show(first, self.keys.shape[-2])

    def join(self, other: GrowingLayer) -> None:
        """Add the rows of another layer below these; the last tokens of all rows stand in one column."""
        width = max(self.keys.shape[-2], other.keys.shape[-2])
        self._stored_keys = _below(self.keys, other.keys, width)
        self._stored_values = _below(self.values, other.values, width)
        self._show(0, width)


def _below(upper: torch.Tensor, lower: torch.Tensor, width: int) -> torch.Tensor:
    count = len(upper)
    buffer = upper.new_empty((count + len(lower), upper.shape[1], width + ROOM, upper.shape[-1]))
    for place, part in ((slice(count), upper), (slice(count, None), lower)):
        empty = width - part.shape[-2]
        # Masked, but a number: what is not one would survive a weight of zero.
        buffer[place, :, :empty] = 0
        buffer[place, :, empty:width] = part
    return buffer


def growing_cache(config: Any) -> DynamicCache:
    """A cache for this network; layers of other kinds (sliding windows, recurrent) keep transformers' own form."""
    cache = DynamicCache(config=config)
    cache.layers = [GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def as_argument(network: Any, cache: DynamicCache) -> dict[str, Any]:
    """The cache under the name that this network's forward pass takes it by; transformers 5.24 renamed it."""
    renamed = "cache" in inspect.signature(network.forward).parameters
    return {"cache" if renamed else "past_key_values": cache}


def joinable(cache: DynamicCache) -> bool:
    """Whether rows can join this cache later: every layer keeps all tokens."""
    return all(isinstance(layer, GrowingLayer) for layer in cache.layers)


def select_rows(cache: DynamicCache, rows: torch.Tensor) -> None:
    """Keep, repeat or reorder the rows of every layer; (rows,) int64."""
    for layer in cache.layers:
        if isinstance(layer, GrowingLayer):
            layer.select(rows)
        else:
            layer.batch_select_indices(rows)


def join_rows(cache: DynamicCache, other: DynamicCache, unused: int) -> None:
    """Add the rows of another cache, after forgetting `unused` oldest tokens that no row of this one attends to."""
    for layer, more in zip(cache.layers, other.layers, strict=True):
        layer.drop(unused)
        layer.join(more)
