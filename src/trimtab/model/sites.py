"""Named places in a network: its blocks, their linear modules, norms, head and embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from trimtab.errors import ModelError
from trimtab.model import hooks
from trimtab.model.load import OWN


def block_names(network: Any) -> list[str]:
    """Full names of the transformer blocks, first to last.

    Raises:
        ModelError: the network has no list of as many blocks as its configuration says.
    """
    count = network.config.num_hidden_layers
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            return [f"{name}.{number}" for number in range(count)]
    raise ModelError(
        f"{type(network).__name__}: no list of {count} blocks was found in it",
        "this family is not supported for steering, adapters and layers yet",
    )


def chosen_blocks(network: Any, numbers: Sequence[int]) -> list[str]:
    """Names of the blocks with these numbers; negative ones count from the end, none given means all.

    Raises:
        ModelError: a number that the network does not have; all of them are named.
    """
    names = block_names(network)
    if not numbers:
        return names
    wrong = [n for n in numbers if not -len(names) <= n < len(names)]
    if wrong:
        raise ModelError(
            f"blocks {wrong}: the network has {len(names)} blocks",
            f"use numbers from 0 to {len(names) - 1}, or -1 for the last",
        )
    return [names[n] for n in sorted({n % len(names) for n in numbers})]


def first_of(network: Any, numbers: Sequence[int]) -> int:
    """Number of the lowest of the chosen blocks, from 0."""
    return block_names(network).index(chosen_blocks(network, numbers)[0])


def first_changed(network: Any) -> int:
    """Number of the lowest block with a weight that is trained or lent, or whose output is changed by a hook.

    The number of blocks if there is none. A change outside the blocks counts as below all of them, except of a head's
    own weights.
    """
    names = block_names(network)
    numbers = {name: number for number, name in enumerate(names)}
    head = network.get_output_embeddings()
    apart = None if head is None or head.weight is network.get_input_embeddings().weight else head.weight
    lowest = len(names)
    depth = names[0].count(".") + 1
    for name, parameter in network.named_parameters():
        if (parameter.requires_grad or hasattr(parameter, OWN)) and parameter is not apart:
            lowest = min(lowest, numbers.get(".".join(name.split(".")[:depth]), 0))
    for name, module in network.named_modules():
        if hooks.is_changed(module):
            lowest = min(lowest, numbers.get(".".join(name.split(".")[:depth]), 0))
    return lowest


def linear_names(network: Any, blocks: Sequence[str], modules: Sequence[str] = ()) -> list[str]:
    """Full names of the linear modules inside blocks, all or those whose last name is in `modules`.

    Raises:
        ModelError: a module name that no block has.
    """
    kinds: tuple[type, ...] = (torch.nn.Linear,)
    inside = [
        name
        for name, module in network.named_modules()
        if (isinstance(module, kinds) or type(module).__name__ == "Conv1D")
        and any(name.startswith(block + ".") for block in blocks)
    ]
    known = sorted({name.rpartition(".")[2] for name in inside})
    if unknown := sorted(set(modules) - set(known)):
        raise ModelError(
            f"modules {unknown}: no such linear modules", f"this network has: {', '.join(known)}"
        )
    return [name for name in inside if not modules or name.rpartition(".")[2] in modules]


def norm_parameters(network: Any) -> list[str]:
    """Full names of the weights of all normalisation layers."""
    return [
        f"{name}.{own}"
        for name, module in network.named_modules()
        if "norm" in type(module).__name__.lower()
        for own, _ in module.named_parameters(recurse=False)
    ]


def parameters_under(network: Any, prefixes: Sequence[str]) -> list[str]:
    """Full names of the weights inside the named modules; a tied weight appears once."""
    return [name for name, _ in network.named_parameters() if any(name.startswith(p + ".") for p in prefixes)]


def module_name(network: Any, module: Any) -> str:
    """Full name of a module of the network."""
    return str(next(name for name, found in network.named_modules() if found is module))
