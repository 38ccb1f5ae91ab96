"""What is behind a model that a probe is given: its network, and what else its stack changes."""

from __future__ import annotations

from dataclasses import dataclass

from trimtab.adjust.contract import Adjustment
from trimtab.adjust.stack import Attached, taken_apart
from trimtab.errors import ModelError
from trimtab.model.load import Base
from trimtab.model.local import Local


@dataclass(frozen=True)
class Opened:
    """A model that can be looked into: its base with whatever is attached, and its adjustments in their order."""

    base: Base
    adjustments: tuple[Adjustment, ...] = ()

    @classmethod
    def of(cls, model: Base | Attached) -> Opened:
        """Raises ModelError for a service, which keeps its network."""
        if isinstance(model, Base):
            return cls(model)
        inner, stack = taken_apart(model.model)
        if not isinstance(inner, Local):
            raise ModelError(
                f"{inner.name}: a service, which keeps its network",
                "name a model that is loaded here to see what its answers depend on",
            )
        return cls(inner.base, stack.adjustments)
