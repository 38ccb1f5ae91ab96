"""Candidates of what stands around the question: the rungs prompt and context."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from trimtab.candidates.candidate import Candidate


class PromptCandidate(Candidate):
    """Words around the question to try."""

    instruction: str = Field(
        "", max_length=4000, description="system text; replaces the default one of the model's template"
    )
    prefix: str = Field(
        "",
        max_length=4000,
        description='put before the user\'s turn, such as a control prefix: "Style: factual, neutral."',
    )
    suffix: str = Field("", max_length=4000, description="put after the user's turn")
    exemplars: int = Field(0, ge=0, le=32, description="solved examples of tune to show before the question")
    choose: Literal["nearest", "diverse"] = Field(
        "diverse", description="those nearest to each question, or the same for all, near to most of tune"
    )
    show: Literal["turns", "text"] = Field(
        "turns", description="exemplars as turns of the conversation, or as text in the user's turn"
    )
    revise: str = Field(
        "",
        max_length=4000,
        description="asked after a draft, whose revision is the answer; takes twice as long",
    )
    proposals_from: str = Field(
        "", description="model that proposes other instructions, of which the best on tune is taken"
    )
    proposals: int = Field(4, ge=1, le=32, description="how many instructions it proposes")

    @model_validator(mode="after")
    def _says_something(self) -> PromptCandidate:
        said = (self.instruction, self.prefix, self.suffix, self.revise, self.proposals_from)
        if not (self.exemplars or any(text.strip() for text in said)):
            raise ValueError(
                "set at least one of instruction, prefix, suffix, exemplars, revise, proposals_from"
            )
        return self


class ContextCandidate(Candidate):
    """A way to put passages of the documents before the question."""

    passages: int = Field(3, ge=1, le=32, description="passages before a question, at most")
    words: int = Field(120, ge=20, le=1000, description="longest passage in words, cut at paragraphs")
    overlap: int = Field(
        15,
        ge=0,
        le=500,
        description="words that a passage repeats from the one before; at most half of words",
    )
    method: Literal["bm25", "embedding", "fused"] = Field(
        "fused", description="search by shared words, by meaning, or by both ranks together"
    )
    template: str = Field(
        "{passages}\n\nAnswer from the passages above.\n\n{question}",
        max_length=4000,
        description="the user's turn, with the places {passages} and {question}",
    )
    reach: float = Field(
        0.98,
        gt=0,
        le=1,
        description="share of tune's questions that get passages; what is further from all passages gets none",
    )

    @field_validator("template")
    @classmethod
    def _has_places(cls, value: str) -> str:
        for place in ("{passages}", "{question}"):
            if value.count(place) != 1:
                raise ValueError(f"must hold {place} once")
        return value

    @model_validator(mode="after")
    def _overlaps_in_part(self) -> ContextCandidate:
        if 2 * self.overlap > self.words:
            raise ValueError(f"overlap ({self.overlap}) must be at most half of words ({self.words})")
        return self
