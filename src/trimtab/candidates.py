"""What each rung's candidates may set; each option is described once, here, as in the recipe."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from trimtab.strict import Section

Rung = Literal["prompt", "context", "decoding", "postprocess", "steering", "embedding", "adapter", "layers"]

# The rungs that change weights, or what is computed with them: a service keeps both.
WEIGHTS: tuple[Rung, ...] = ("steering", "embedding", "adapter", "layers")


class Candidate(Section):
    """One setting of a rung that is fitted on tune and judged on select."""


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


class Trained(Candidate):
    """A candidate that is trained."""

    blocks: tuple[int, ...] = Field(
        (), description="numbers of the blocks, negative from the end; all when not given"
    )
    epochs: float | None = Field(
        None, gt=0, le=100, description="passes over tune, instead of training.epochs"
    )
    learning_rate: float | None = Field(None, gt=0, le=1, description="instead of training.learning_rate")


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
    strength: float = Field(
        1.0,
        ge=-16,
        le=16,
        description="add: in typical activation norms of the block; clamp: share of the way to the value",
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

    prompt: tuple[PromptCandidate, ...] = Field((), description="wordings and exemplars to try")
    context: tuple[ContextCandidate, ...] = Field((), description="ways to show passages to try")
    decoding: tuple[DecodingCandidate, ...] = Field((), description="settings of sampling to try")
    postprocess: tuple[PostprocessCandidate, ...] = Field((), description="edits of the answer to try")
    steering: tuple[SteeringCandidate, ...] = Field((), description="directions to steer by")
    embedding: tuple[EmbeddingCandidate, ...] = Field((), description="words whose vectors move")
    adapter: tuple[AdapterCandidate, ...] = Field((), description="adapters to try")
    layers: tuple[LayersCandidate, ...] = Field((), description="weights to train in full")
