"""The values that flow between stages: frozen, plain, and free of models and files.

Stages meet here and in the run folder, never in each other.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np

Role = Literal["system", "user", "assistant"]
Part = Literal["tune", "select", "confirm"]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """One item: the prompt as messages, and any number of good answers.

    `fields` holds what a suite's own scorer needs (choices, answer, checks, facts, ...);
    `group` names items that must stay on one side of a split; missing means a group of its own.
    Where it comes from: `source`, `licence`, `subject` (the pseudonym of the person it is about), `consent` (what
    they agreed to, as the file says it), `collected_at` (ISO 8601 date or date and time). Each may be empty, and none
    is part of what an item is.
    """

    messages: tuple[Message, ...]
    references: tuple[str, ...] = ()
    id: str = ""
    source: str = ""
    licence: str = ""
    subject: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    consent: str = ""
    collected_at: str = ""

    @property
    def prompt(self) -> str:
        """The text of the last user turn, which most metrics compare answers with."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")


@dataclass(frozen=True, slots=True)
class Document:
    """One of the user's documents. `source` is where it is found, and what examples call it."""

    text: str
    source: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is short enough to be read before a question."""

    text: str
    source: str
    title: str = ""

    @property
    def searched(self) -> str:
        """What a search reads: the title and the text."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One rendered example: token ids (T,) int64 and which of them carry loss (T,) bool.

    `supervised[t]` says that token t is predicted from tokens 0..t-1 and counted in the loss.
    `lost` is the number of tokens that truncation cut from the end.
    """

    example: str
    ids: np.ndarray
    supervised: np.ndarray
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """One sampled answer. `logprobs` are per sampled token, natural log, under the sampling model.

    `tokens` is their number where a service tells it, which may give no `logprobs`; else 0, and each has one.
    `fired` names the rules that changed the text, in order; `confidence` in [0, 1] is calibrated, None where no
    adjustment gives one. `drawn`: tokens of all answers that were drawn to give this one (drafts, draws to choose
    from, rejected ones), 0 where it is the only one; two answers that differ in nothing else are the same.
    """

    example: str
    seed: int
    text: str
    logprobs: tuple[float, ...] = ()
    finish: Literal["stop", "length"] = "stop"
    fired: tuple[str, ...] = ()
    confidence: float | None = None
    tokens: int = 0
    drawn: int = field(default=0, compare=False)

    @property
    def spent(self) -> int:
        """Tokens that were drawn to give this answer, its own included."""
        return self.drawn or self.tokens or len(self.logprobs)


@dataclass(frozen=True, slots=True)
class Mark:
    """A watermark: what is put into answers as they are drawn, for machines to find; see `model.watermark`.

    Attributes:
        scheme: green-list (Kirchenbauer et al. 2023, arXiv 2301.10226) or synthid (Dathathri et al. 2024, Nature 634).
        key: the secret, 32 hexadecimal digits. It is never shown.
        vocabulary: tokens of the model that it was made for.
        bias: green-list: added to the logit of every green token; share: of the vocabulary that is green.
        ngram, depth: synthid: tokens of a context and its next one, and rounds of the tournament.
    """

    scheme: Literal["green-list", "synthid"]
    key: str = field(repr=False)
    vocabulary: int
    bias: float = 2.0
    share: float = 0.25
    ngram: int = 5
    depth: int = 30


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn. Temperature 0 is greedy; top_k 0, top_p 1 and min_p 0 are off; mark: the watermark."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    mark: Mark | None = None


# Settings that can be laid over others, sent and written down; a watermark is an adjustment of its own, with a secret.
SETTINGS = tuple(f.name for f in fields(Sampling) if f.name != "mark")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model: a conversation that ends with the user's turn, and how to answer it.

    It carries no reference, so that nothing which changes an answer can have seen a good one. `example` is the id
    of the item.
    """

    example: str
    messages: tuple[Message, ...]
    sampling: Sampling
    seed: int = 0


def questions(examples: Sequence[Example], sampling: Sampling, seeds: Sequence[int] = (0,)) -> list[Question]:
    """Every example under every seed: example by example, seed by seed."""
    return [Question(e.id, e.messages, sampling, seed) for e in examples for seed in seeds]


@dataclass(frozen=True, slots=True)
class Score:
    """One item under one metric; `value` is nan where the metric is undefined for the item.

    `values` carries the sufficient statistics of a corpus metric, else it is empty.
    """

    example: str
    metric: str
    seed: int
    value: float
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its uncertainty. If `undefined` holds a reason, the numbers are nan."""

    value: float
    low: float
    high: float
    level: float
    n: int
    method: str
    undefined: str = ""

    def __str__(self) -> str:
        if self.undefined:
            return f"undefined ({self.undefined})"
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] (n={self.n}, {self.level:.4g}, {self.method})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two stacks on the same items, paired, oriented so that plus is better.

    `threshold` is what the interval was held against: min_gain, or -margin. `need_n` is the number of
    items expected to decide an inconclusive outcome (None: none would, or none is needed);
    `detectable` is the smallest difference beyond `threshold` found with 80% power at this n.
    """

    difference: Estimate
    p_value: float
    outcome: Literal["better", "worse", "too small", "held", "breached", "inconclusive", "undefined"]
    need_n: int | None
    detectable: float
    threshold: float = 0.0
    baseline: float = NAN
    candidate: float = NAN
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuardResult:
    """One guard of a verdict. `by_construction`: the adjustment cannot touch it."""

    suite: str
    metric: str
    margin: float
    comparison: Comparison
    by_construction: bool = False


# The last reason of a verdict that waits for people.
AWAITS_PEOPLE = "human review is required and has not taken place"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision of a run, with everything it was read from.

    Attributes:
        rung: the step of the ladder that it is about; empty where none was measured.
        decided_by: whose judgement the target is: the metric's, or people's.
    """

    outcome: Literal["ship", "hold", "inconclusive"]
    stack: str
    difference: Estimate
    guards: tuple[GuardResult, ...]
    reasons: tuple[str, ...]
    need_n: int | None
    target: Comparison | None = None
    level: float = NAN
    look: int = 0
    explored: bool = False
    rung: str = ""
    decided_by: Literal["metric", "people"] = "metric"


Side = Literal["left", "right", "tie", "bad"]
# Why an item is reviewed: for the estimate, because it seemed uncertain, to see whether raters read, to teach them.
Share = Literal["estimate", "chosen", "attention", "training"]


@dataclass(frozen=True, slots=True)
class Vote:
    """What one rater said of two answers to one item, with what the rater could not see: whose answers these were.

    Attributes:
        item, rater: ids.
        left, right: hashes of the stacks that gave the answers on these sides.
        choice: the better side; `tie` and `bad` (both are bad) prefer neither.
        seconds: from showing the pair to the judgement.
        again: the rater judged the same pair before, with its sides swapped.
        expected: the right choice of an item that has one (attention, training).
        machine: given by a model, not by a person.
    """

    item: str
    rater: str
    left: str
    right: str
    choice: Side
    seconds: float = NAN
    share: Share = "estimate"
    again: bool = False
    expected: Side | None = None
    machine: bool = False

    @property
    def won(self) -> str:
        """Hash of the stack whose answer was preferred; empty where neither was."""
        return {"left": self.left, "right": self.right}.get(self.choice, "")

    def preference(self, stack: str) -> float:
        """1 where this stack's answer was preferred, 0 where the other's, 0.5 where neither; nan of another pair."""
        if stack not in (self.left, self.right):
            return NAN
        return float(self.won == stack) if self.won else 0.5


class Generate(Protocol):
    """Answers prompts: what `Stack.attach` yields. One output per (example, seed), in that order."""

    def __call__(
        self, examples: Sequence[Example], sampling: Sampling, seeds: Sequence[int] = (0,)
    ) -> list[Output]: ...


Pair = tuple[Sequence[Message], str]


class Likelihood(Protocol):
    """Total log-probability (nats) and token count of each answer after its prompt."""

    def __call__(self, pairs: Sequence[Pair]) -> list[tuple[float, int]]: ...


class Model(Protocol):
    """Anything that answers: a local network, a remote service, or either with adjustments."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def answer(self, questions: Sequence[Question], report: Report | None = None) -> list[Output]:
        """One answer for each question, in order."""
        ...

    def likelihood(self, pairs: Sequence[Pair], report: Report | None = None) -> list[tuple[float, int]]:
        """Log-probability (nats) and number of tokens of each answer after its prompt.

        Raises:
            ModelError: the model does not give it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of live progress: how far, and what to show beside the bar."""

    stage: str
    done: float
    total: float
    facts: Mapping[str, float | str] = field(default_factory=dict)


Report = Callable[[Progress], None]


def plain(value: Any) -> Any:
    """Turn records into JSON values; nan and infinities become null, arrays and tuples lists."""
    if type(value) is str:  # by far the most frequent
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int | bool) or value is None:
        return value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Sequence | Iterator | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


def content_hash(value: Any, *, length: int = 16) -> str:
    """A short SHA-256 of a value's canonical JSON: the identity of examples, stacks and recipes."""
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]
