"""What a killed training needs to go on as if nothing had happened, in one safetensors file."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch

from trimtab.adjust import weights

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")
SECONDS = 30.0
MOMENTS = ("exp_avg", "exp_avg_sq")


class Keeper:
    """Saves and restores trained parameters, their best values so far, and AdamW's state.

    Without a folder it keeps the best values in memory only. `whole` is False while parameters, optimiser and
    state disagree, in the middle of an update: what is saved then could not be resumed exactly.
    """

    def __init__(
        self,
        folder: Path | None,
        parameters: Mapping[str, torch.nn.Parameter],
        optimiser: torch.optim.Optimizer,
    ) -> None:
        self.path = folder / "checkpoint.safetensors" if folder else None
        self.parameters = parameters
        self.optimiser = optimiser
        self.best: dict[str, torch.Tensor] = {}
        self.saved = time.monotonic()
        self.whole = True

    def save_now_and_then(self, state: DataclassInstance) -> None:
        """Save if the last save is more than half a minute ago."""
        if time.monotonic() - self.saved > SECONDS:
            self.save(state)

    def save(self, state: DataclassInstance) -> None:
        """Write everything, whole or not at all."""
        self.saved = time.monotonic()
        if self.path is None:
            return
        tensors = {f"parameter.{name}": p.data for name, p in self.parameters.items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for name, parameter in self.parameters.items():
            moments = self.optimiser.state.get(parameter, {})
            tensors |= {f"{key}.{name}": moments[key] for key in MOMENTS if key in moments}
        weights.write(self.path, tensors, {"state": json.dumps(dataclasses.asdict(state))})

    def load(self, fresh: S) -> S:
        """The saved state with parameters and optimiser set to match, or `fresh` when nothing was saved."""
        if self.path is None or not self.path.is_file():
            return fresh
        tensors, metadata = weights.read(self.path)
        state = dataclasses.replace(fresh, **json.loads(metadata["state"]))
        step = torch.tensor(float(state.step))  # type: ignore[attr-defined]
        for name, parameter in self.parameters.items():
            parameter.data.copy_(tensors[f"parameter.{name}"])
            # In the parameter's own layout, which the fused update takes for granted; a file has none.
            found = {
                key: torch.empty_like(parameter, dtype=tensors[f"{key}.{name}"].dtype).copy_(
                    tensors[f"{key}.{name}"]
                )
                for key in MOMENTS
                if f"{key}.{name}" in tensors
            }
            if found:
                self.optimiser.state[parameter] = {"step": step.clone(), **found}
        self.best = {name.removeprefix("best."): t for name, t in tensors.items() if name.startswith("best.")}
        return state

    def note_best(self) -> None:
        """Remember the parameters as they are now."""
        self.best = {name: p.data.detach().clone() for name, p in self.parameters.items()}

    def restore_best(self) -> None:
        """Set the parameters to the remembered values, if any."""
        for name, tensor in self.best.items():
            self.parameters[name].data.copy_(tensor)
