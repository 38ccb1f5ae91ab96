"""Weights lent to a network and taken back: the base's own tensors are set aside, never written."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import safe_open

from trimtab.errors import ModelError
from trimtab.model.hooks import Change
from trimtab.model.load import OWN
from trimtab.run import write_atomic


@contextlib.contextmanager
def lent(network: Any, replacements: Mapping[str, torch.Tensor]) -> Iterator[None]:
    """Let parameters point at other tensors; afterwards they point at their own again, bit for bit."""
    own = {name: network.get_parameter(name).data for name in replacements}
    outermost = [name for name in own if not hasattr(network.get_parameter(name), OWN)]
    try:
        for name, tensor in replacements.items():
            parameter = network.get_parameter(name)
            if name in outermost:
                setattr(parameter, OWN, own[name])
            parameter.data = tensor.to(parameter.dtype)
        yield
    finally:
        for name, tensor in own.items():
            network.get_parameter(name).data = tensor
        for name in outermost:
            parameter = network.get_parameter(name)
            if hasattr(parameter, OWN):
                delattr(parameter, OWN)


def changes(network: Any, replacements: Mapping[str, torch.Tensor]) -> dict[str, tuple[Change, ...]]:
    """The same for some rows of a batch: modules whose output is computed with other weights instead.

    A weight that several modules share is replaced in all of them. It costs a second product for those rows.
    """
    wanted = {id(network.get_parameter(name)): tensor for name, tensor in replacements.items()}
    found: dict[str, tuple[Change, ...]] = {}
    for name, module in network.named_modules():
        own = {key: wanted[id(p)] for key, p in module.named_parameters(recurse=False) if id(p) in wanted}
        if own:
            found[name] = (_computed(module, own),)
    return found


def _computed(module: Any, replacements: Mapping[str, torch.Tensor]) -> Change:
    kept = {key: tensor.to(getattr(module, key).dtype) for key, tensor in replacements.items()}
    # The class's own: an instance may have been given another for weights that are laid out ahead.
    forward = type(module).forward

    def change(asked: Any, _: torch.Tensor) -> torch.Tensor:
        own = {key: getattr(module, key).data for key in kept}
        try:
            for key, tensor in kept.items():
                getattr(module, key).data = tensor
            found: torch.Tensor = forward(module, asked)
            return found
        finally:
            for key, tensor in own.items():
                getattr(module, key).data = tensor

    return change


def digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over names, shapes, types and bytes."""
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        found.update(tensor.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy().data)
    return found.hexdigest()


def write(path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write tensors and text metadata as one safetensors file, whole or not at all."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_atomic(path, safetensors.torch.save(plain, metadata))


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read what `write` wrote.

    Raises:
        ModelError: missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(
            f"{path}: cannot be read: {error}", "give the tune command again to rebuild it"
        ) from None


def check_base(received: str, expected: str, what: str) -> None:
    """Refuse weights that were fitted on another base model.

    Raises:
        ModelError: the fingerprints differ.
    """
    if received != expected:
        raise ModelError(
            f"{what}: made for the base model {expected[:12]}, received {received[:12]}",
            "load the base model (and dtype) that it was tuned on; provenance.json names it",
        )
