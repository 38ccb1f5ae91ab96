"""What each rung's candidates may set; each option is described once, here, as in the recipe."""

from __future__ import annotations

from pydantic import Field

from trimtab.candidates.around import ContextCandidate, PromptCandidate
from trimtab.candidates.augmentation import Augmentation
from trimtab.candidates.candidate import WEIGHTS, Candidate, Rung
from trimtab.candidates.drawing import (
    DECODING_LIMITS,
    ConfidenceOptions,
    DecodingCandidate,
    Number,
    PostprocessCandidate,
    Whole,
)
from trimtab.candidates.inside import EmbeddingCandidate, SteeringCandidate
from trimtab.candidates.trained import BOUNDS, AdapterCandidate, LayersCandidate, Search, Trained
from trimtab.strict import Section

__all__ = [
    "BOUNDS",
    "DECODING_LIMITS",
    "WEIGHTS",
    "AdapterCandidate",
    "Augmentation",
    "Candidate",
    "Candidates",
    "ConfidenceOptions",
    "ContextCandidate",
    "DecodingCandidate",
    "EmbeddingCandidate",
    "LayersCandidate",
    "Number",
    "PostprocessCandidate",
    "PromptCandidate",
    "Rung",
    "Search",
    "SteeringCandidate",
    "Trained",
    "Whole",
]


class Candidates(Section):
    """Settings tried on each rung; a rung without any takes defaults that fit the budget."""

    prompt: tuple[PromptCandidate, ...] = Field((), description="wordings and exemplars to try")
    context: tuple[ContextCandidate, ...] = Field((), description="ways to show passages to try")
    decoding: tuple[DecodingCandidate, ...] = Field((), description="settings of sampling to try")
    postprocess: tuple[PostprocessCandidate, ...] = Field((), description="edits of the answer to try")
    steering: tuple[SteeringCandidate, ...] = Field((), description="directions to steer by")
    embedding: tuple[EmbeddingCandidate, ...] = Field((), description="words whose vectors move")
    adapter: tuple[AdapterCandidate, ...] = Field((), description="adapters to try")
    layers: tuple[LayersCandidate, ...] = Field((), description="weights to train in full")
