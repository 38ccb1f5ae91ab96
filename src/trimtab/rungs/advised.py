"""What a survey of the network's blocks advises to try: `layers.json` of a run folder, written by the verb *probe*.

    {"steering": {"candidates": [{"blocks": [8], ...}], "blocks": {"8": "why", "7": "why", ...}}, "adapter": ..., ...}

The survey lies above the rungs and reaches them as this file alone, which is checked here like any other.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import Field, model_validator

from trimtab.candidates import AdapterCandidate, Candidate, LayersCandidate, Rung, SteeringCandidate
from trimtab.errors import RunError, UserError
from trimtab.model.find import AnyBase
from trimtab.model.load import Base
from trimtab.model.sites import block_names
from trimtab.run import RunFolder
from trimtab.strict import Section, validate

FILE = "layers.json"
AGAIN = f"make {FILE} anew with `trimtab probe RECIPE --only layers`, or delete it to try the usual blocks"
One = TypeVar("One", SteeringCandidate, AdapterCandidate, LayersCandidate)
Number = Annotated[int, Field(ge=0)]
# Those of a survey have some 300 characters.
Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class Advice(Section, Generic[One]):
    """What to try at a rung, none where no block is worth it; and by block, the best first, why it stands there."""

    candidates: tuple[One, ...] = ()
    blocks: dict[Number, Reason] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _explained(self) -> Advice[One]:
        for one in self.candidates:
            if not one.blocks or not set(one.blocks) <= set(self.blocks):
                raise ValueError(
                    f"candidate of blocks {list(one.blocks)}: expected blocks that have a reason"
                )
        return self

    def why(self, candidate: Candidate) -> str:
        """Why a candidate's blocks are tried, in a line; empty where they are not advised."""
        own = getattr(candidate, "blocks", ())
        if own not in [one.blocks for one in self.candidates]:
            return ""
        best = next(block for block in self.blocks if block in own)
        named = f"block {best}" if len(own) == 1 else f"{len(own)} blocks, the best of which is {best}"
        return f"by the survey of blocks, {named}: {self.blocks[best]}"


class Advised(Section):
    """Advice by rung; empty where no survey was made."""

    steering: Advice[SteeringCandidate] = Advice()
    adapter: Advice[AdapterCandidate] = Advice()
    layers: Advice[LayersCandidate] = Advice()

    def why(self, rung: Rung, candidate: Candidate) -> str:
        """Why a candidate of a rung is tried, in a line; empty where it is not advised."""
        return str(getattr(self, rung).why(candidate)) if rung in Advised.model_fields else ""

    @property
    def without(self) -> list[str]:
        """Rungs for which a survey found no block worth trying."""
        return [rung for rung, one in self if one.blocks and not one.candidates]


def read(folder: RunFolder, base: AnyBase) -> Advised:
    """What lies in a run folder; empty where nothing does.

    Raises:
        RunError: the file is damaged, or of a network with another number of blocks.
    """
    if not folder.has(FILE):
        return Advised()
    name = str(folder.path / FILE)
    try:
        content = {key: value for key, value in dict(folder.read(FILE)).items() if key != "schema"}
        found = validate(Advised, content, name=name, error=RunError, page="")
    except (UserError, TypeError, ValueError) as error:
        message = error.message if isinstance(error, UserError) else f"{name}: damaged: {error}"
        raise RunError(message, AGAIN) from None
    count = len(block_names(base.network)) if isinstance(base, Base) else 0
    for _, one in found:
        if count and one.blocks and set(one.blocks) != set(range(count)):
            raise RunError(
                f"{name}: a survey of {len(one.blocks)} blocks, the network has {count}: 0 to {count - 1}",
                AGAIN,
            )
    return found
