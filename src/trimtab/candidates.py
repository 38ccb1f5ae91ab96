"""What each rung's candidates may set; each option is described once, here, as in the recipe."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trimtab.strict import Section

Rung = Literal["prompt", "context", "decoding", "postprocess", "steering", "embedding", "adapter", "layers"]


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


class PostprocessCandidate(Candidate):
    """Edits of the answer to try."""

    rules: tuple[str, ...] = Field(
        (),
        description="ids of the guidelines' rules to apply; all when not given, or learned from tune without any",
    )
    facts: Literal["off", "drop", "replace"] = Field(
        "off",
        description="numbers, dates and names that the question does not hold: drop their sentence, or replace a "
        "number by the question's only one of that unit",
    )
    draws: int | None = Field(
        None,
        ge=0,
        le=16,
        description="answers drawn again for a rejected one, instead of the rule's own number",
    )


class Candidates(Section):
    """Settings tried on each rung; a rung without any takes defaults that fit the budget."""

    postprocess: tuple[PostprocessCandidate, ...] = Field((), description="edits of the answer to try")
    adapter: tuple[AdapterCandidate, ...] = Field((), description="adapters to try")
    layers: tuple[LayersCandidate, ...] = Field((), description="weights to train in full")
