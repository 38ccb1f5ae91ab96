"""What every adjustment is: fitted, attached and taken off without a trace, saved, loaded, described."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from trimtab.adjust.loop import Settings
from trimtab.model.load import Base


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of an adjustment, with its unit."""

    value: Any
    unit: str = ""


UNITS = {
    "epochs": "passes",
    "batch_size": "rows",
    "micro_tokens": "tokens",
    "learning_rate": "per update, at its peak",
    "warmup": "share of the updates",
    "weight_decay": "per unit of learning rate",
    "clip": "largest gradient norm",
    "patience": "evaluations",
}


def training_settings(settings: Settings) -> dict[str, Setting]:
    """Every training setting with its unit."""
    return {f.name: Setting(getattr(settings, f.name), UNITS.get(f.name, "")) for f in fields(settings)}


@dataclass(frozen=True, slots=True)
class Description:
    """What an adjustment is, in numbers: every setting, the weights it holds, and their size on disk."""

    kind: str
    strength: float
    settings: dict[str, Setting]
    parameters: int
    bytes: int


class Adjustment(Protocol):
    """One reversible change of one kind. Strength 0 is the base model bit for bit, 1 is as fitted."""

    kind: ClassVar[str]

    @property
    def strength(self) -> float:
        """0 is the base model bit for bit, 1 is as fitted."""
        ...

    @property
    def hash(self) -> str:
        """Identity by content: kind, settings, weights and strength."""
        ...

    def attach(self, base: Base) -> AbstractContextManager[None]:
        """Apply the change to the base's network for as long as the context lasts."""
        ...

    def scaled(self, factor: float) -> Self:
        """The same change, `factor` times as strong."""
        ...

    def save(self, folder: Path) -> None:
        """Write it so that `load` gives back the same hash."""
        ...

    def describe(self) -> Description:
        """Every setting with its unit."""
        ...
