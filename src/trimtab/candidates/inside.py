"""Candidates of small changes inside the network: the rungs steering and embedding."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from trimtab.candidates.candidate import Candidate

# A whole norm of a direction takes a small model's language away; see docs/results.md, Steering.
USUAL_STRENGTH = {"add": 0.25, "clamp": 1.0}


class SteeringCandidate(Candidate):
    """A direction to steer by."""

    pairs: str = Field(
        "answers",
        description="answers: references against the base model's own answers; or a file of prompt, chosen, rejected",
    )
    positive: str = Field(
        "",
        description="instruction whose answers to the questions of tune are steered towards, instead of pairs",
    )
    negative: str = Field("", description="instruction whose answers are steered away from")
    most: int = Field(64, ge=4, le=4096, description="most pairs to read")
    blocks: tuple[int, ...] = Field(
        (),
        description="numbers of the blocks, negative from the end; "
        "when not given, the one of the middle half that tells the sides of the pairs apart best",
    )
    method: Literal["mean", "pca"] = Field(
        "mean", description="direction: mean of the pairs' differences, or their first principal component"
    )
    mode: Literal["add", "clamp"] = Field(
        "add", description="add the direction, or set the component along it to a value"
    )
    strength: float | None = Field(
        None,
        ge=-16,
        le=16,
        description="add: in typical activation norms of the block, 0.25 when not given; "
        "clamp: share of the way to the value, 1 when not given",
    )
    value: float | None = Field(
        None,
        ge=-16,
        le=16,
        description="clamp: the component, in typical activation norms; the positive texts' own when not given",
    )

    @model_validator(mode="after")
    def _both(self) -> SteeringCandidate:
        if bool(self.positive) != bool(self.negative):
            raise ValueError("positive and negative instructions are given together, or not at all")
        return self

    @property
    def chosen_strength(self) -> float:
        """The strength that is given, or the usual one of the mode."""
        return USUAL_STRENGTH[self.mode] if self.strength is None else self.strength


class EmbeddingCandidate(Candidate):
    """Words whose vectors move."""

    fit: Literal["nudge", "prototype", "gradient"] = Field(
        "gradient",
        description="towards or away from other words, towards the mean of words, or trained on tune",
    )
    words: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="words to move, with all their tokens; "
        "when not given, those most over-represented in references against the base model's answers",
    )
    most: int = Field(24, ge=1, le=1000, description="most words to move when none are given")
    towards: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="words whose centre is approached; of a prototype, what it is the mean of",
    )
    away: tuple[str, ...] = Field((), max_length=1000, description="words whose centre is left")
    distance: float = Field(0.1, gt=0, le=4, description="nudge: share of the way to the centre")
    tied: Literal["input", "both"] = Field(
        "input",
        description="where the head is the embedding matrix, change what the model reads only, or what it says as well",
    )
    penalty: float = Field(
        0.01,
        ge=0,
        le=1e6,
        description="gradient: loss (nats a token) for each squared length of the difference",
    )
    epochs: float | None = Field(
        None, gt=0, le=100, description="gradient: passes over tune, instead of training.epochs"
    )
    learning_rate: float = Field(0.005, gt=0, le=1, description="gradient: peak learning rate")
    strength: float = Field(1.0, ge=-16, le=16, description="multiple of the difference as fitted")

    @model_validator(mode="after")
    def _clusters(self) -> EmbeddingCandidate:
        if self.fit == "nudge" and not (self.towards or self.away):
            raise ValueError("nudge needs words in towards, or in away")
        return self
