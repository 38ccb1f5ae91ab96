"""What each rung's candidates may set; each option is described once, here, as in the recipe."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Rung = Literal["prompt", "context", "decoding", "postprocess", "steering", "embedding", "adapter", "layers"]

# The rungs that change weights, or what is computed with them: a service keeps both.
WEIGHTS: tuple[Rung, ...] = ("steering", "embedding", "adapter", "layers")


class Section(BaseModel):
    """A part of the recipe: unknown keys are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Candidate(Section):
    """One setting of a rung that is fitted on tune and judged on select."""


class Trained(Candidate):
    """A candidate that is trained."""

    blocks: tuple[int, ...] = Field(
        (), description="numbers of the blocks, negative from the end; all when not given"
    )
    epochs: float | None = Field(
        None, gt=0, le=100, description="passes over tune, instead of training.epochs"
    )
    learning_rate: float | None = Field(None, gt=0, le=1, description="instead of training.learning_rate")


class AdapterCandidate(Trained):
    """An adapter to try."""

    method: Literal["lora", "dora", "rslora", "ia3"] = Field("lora", description="kind of adapter")
    rank: int = Field(16, ge=1, le=1024, description="rank of a low-rank adapter")
    alpha: float | None = Field(
        None, gt=0, description="scale of a low-rank adapter; twice the rank when not given"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout on the adapter's input")
    modules: tuple[str, ...] = Field(
        (), description="names of the linear modules to adapt; all when not given"
    )


class LayersCandidate(Trained):
    """Weights to train in full."""

    method: Literal["blocks", "norms", "head", "embeddings"] = Field("blocks", description="which weights")


class Candidates(Section):
    """Settings tried on each rung; a rung without any takes defaults that fit the budget."""

    adapter: tuple[AdapterCandidate, ...] = Field((), description="adapters to try")
    layers: tuple[LayersCandidate, ...] = Field((), description="weights to train in full")
