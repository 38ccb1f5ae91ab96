"""Candidates of how an answer is drawn, edited and held back: the rungs decoding and postprocess, and confidence."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from trimtab.candidates.candidate import Candidate
from trimtab.strict import Section

Number = float | tuple[float, float]
Whole = int | tuple[int, int]
# Smallest and largest value of each option of decoding that is a number; the same as for the recipe's sampling.
DECODING_LIMITS = {
    "temperature": (0.0, 5.0),
    "top_k": (0, 1_000_000),
    "top_p": (1e-6, 1.0),
    "min_p": (0.0, 0.999999),
    "repetition_penalty": (0.01, 100.0),
    "max_new_tokens": (1, 8192),
    "best_of": (1, 64),
}


class DecodingCandidate(Candidate):
    """Settings of sampling to try; a number may be a range, [low, high], that is searched."""

    temperature: Number | None = Field(None, description="from 0, which is greedy, to 5")
    top_k: Whole | None = Field(None, description="keep the k most likely tokens; 0 keeps all")
    top_p: Number | None = Field(
        None, description="keep the smallest set of tokens with this probability, above 0, to 1"
    )
    min_p: Number | None = Field(
        None, description="drop tokens below this share of the likeliest one's probability, from 0, below 1"
    )
    repetition_penalty: Number | None = Field(None, description="above 1 discourages tokens already seen")
    max_new_tokens: Whole | None = Field(None, description="longest answer in tokens, from 1, to 8192")
    stop: tuple[str, ...] | None = Field(None, description="texts that end an answer")
    best_of: Whole = Field(1, description="answers drawn for each that is given, from 1, to 64")
    by: Literal["likelihood", "agreement", "vote", "judgement", "repetition"] = Field(
        "likelihood",
        description="what the best is chosen by: mean log-probability of a token, closeness to the other answers, "
        "the most frequent answer, the model's own yes or no, or the least repetition",
    )
    search: Literal["grid", "optuna"] = Field(
        "grid", description="how ranges are searched: evenly spaced values, or optuna's TPE"
    )
    trials: int = Field(12, ge=2, le=1000, description="most settings tried in a search")
    items: int = Field(
        32, ge=2, le=10000, description="items of tune that each setting of a search is tried on"
    )

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The options that are searched, with their ends."""
        given = {name: getattr(self, name) for name in DECODING_LIMITS}
        return {name: value for name, value in given.items() if isinstance(value, tuple)}

    @property
    def fixed(self) -> dict[str, Any]:
        """The options that are set to one value."""
        given = {name: getattr(self, name) for name in (*DECODING_LIMITS, "stop")}
        return {
            name: value
            for name, value in given.items()
            if value is not None and (name == "stop" or not isinstance(value, tuple))
        }

    @model_validator(mode="after")
    def _sensible(self) -> DecodingCandidate:
        for name, (low, high) in DECODING_LIMITS.items():
            value = getattr(self, name)
            ends = value if isinstance(value, tuple) else (value,)
            if value is not None and not all(low <= end <= high for end in ends):
                raise ValueError(f"{name} must be from {low:g} to {high:g}")
            if isinstance(value, tuple) and value[0] >= value[1]:
                raise ValueError(f"{name} is a range [low, high] whose low must be below its high")
        if not self.ranges and self.fixed == {"best_of": 1}:
            raise ValueError("sets nothing; give at least one setting")
        least = 2 ** len(self.ranges)
        if self.search == "grid" and self.ranges and self.trials < least:
            raise ValueError(f"a grid over {len(self.ranges)} ranges needs trials of at least {least}")
        return self


class ConfidenceOptions(Section):
    """How sure an answer must be to be given, and how that is told."""

    good: float = Field(
        description="score on the goal's metric from which an answer counts as good (to which, if lower is better)"
    )
    features: tuple[Literal["mean_logprob", "min_logprob", "entropy", "agreement", "p_true"], ...] = Field(
        ("mean_logprob", "min_logprob", "p_true"), min_length=1, description="what confidence is read from"
    )
    samples: int = Field(0, ge=0, le=32, description="answers drawn besides each, for entropy and agreement")
    method: Literal["platt", "isotonic"] = Field("platt", description="how features become a probability")
    threshold: float = Field(
        0.0, ge=0, le=1, description="probability of being good below which no answer is given"
    )
    sentence: str = Field(
        "I am not sure enough to answer that.", min_length=1, description="what is said instead of an answer"
    )

    @model_validator(mode="after")
    def _sampled(self) -> ConfidenceOptions:
        if not self.samples and {"entropy", "agreement"} & set(self.features):
            raise ValueError("the features entropy and agreement need samples of at least 1")
        return self


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
    confidence: ConfidenceOptions | None = Field(
        None,
        description="told with each answer, calibrated on select for the stack that gives it, and below a threshold "
        "a sentence instead of an answer",
    )
