"""The least arithmetic that adapter training on all blocks needs, to be divided by a measured rate.

For a tree of T nodes, a linear layer (in, out) with a LoRA of rank r, and s = sum over nodes of what each sees:

    forward                 T in out
    gradient of the input   T in out                       its weights are frozen
    low-rank part           3 T r (in + out)               forward, and twice as much backward
    attention               6 s d a query head             2 products forward, 4 backward
    head                    2 U hidden vocabulary          for the U nodes before a scored token, there and back
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trimtab.adjust.loop import Settings, batches
from trimtab.model import sites
from trimtab.model.pack import packs
from trimtab.records import TokenRow


def multiply_adds(network: Any, rows: Sequence[TokenRow], settings: Settings, rank: int) -> dict[str, int]:
    """Multiply-adds of one epoch, its nodes, and the least bytes of weights that it reads."""
    names = sites.linear_names(network, sites.block_names(network))
    layers = [network.get_submodule(name) for name in names]
    full = sum(layer.in_features * layer.out_features for layer in layers)
    thin = rank * sum(layer.in_features + layer.out_features for layer in layers)
    config = network.config
    width = config.num_attention_heads * (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    vocabulary = config.hidden_size * config.vocab_size
    work = nodes = trees = 0
    for numbers in batches(rows, settings.batch_size, settings.seed, 0):
        for _, tree in packs([rows[i] for i in numbers], settings.micro_tokens):
            seen = int((tree.depth + 1).sum())
            work += len(tree.ids) * (2 * full + 3 * thin) + 6 * seen * width * config.num_hidden_layers
            work += 2 * len(tree.heads) * vocabulary
            nodes += len(tree.ids)
            trees += 1
    weight = 2 * trees * (full + vocabulary) * network.dtype.itemsize
    return {"multiply_adds": work, "nodes": nodes, "trees": trees, "weight_bytes": weight}
