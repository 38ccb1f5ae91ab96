"""What about an answer is to be explained: how likely it is, a word of it, it rather than another, its tone.

A target is a weighted sum of readings. A reading is a number that is read off the network's predictions while a
given answer follows the prompt, so that it can be computed for any prompt and differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.errors import DataError, MetricError
from trimtab.language.phrases import find, pattern
from trimtab.probe.attribution.tokens import turn_end
from trimtab.records import Sampling


@dataclass(frozen=True, slots=True)
class Reading:
    """One number: of the given answer's marked tokens, or of what else could stand at its places.

    Attributes:
        weight: what it counts in the target.
        ids: (A,) tokens of the answer.
        marked: (A,) bool, the tokens that are read.
        listed: token ids whose summed probability is read at the marked places; none to read the answer's own.
    """

    weight: float
    ids: NDArray[np.int64]
    marked: NDArray[np.bool_]
    listed: tuple[int, ...] = ()

    def value(self, logits: torch.Tensor) -> torch.Tensor:
        """From logits (rows, M, vocabulary) that predict the M marked tokens, nats (rows,).

        The answer's own: the sum over marked tokens of log p(token). Listed words: the mean over marked places of
        log sum_{v listed} p(v).
        """
        logprobs = logits.float().log_softmax(-1)
        if self.listed:
            listed = torch.tensor(self.listed, device=logits.device)
            return logprobs[..., listed].logsumexp(-1).mean(-1)
        ids = torch.from_numpy(self.ids[self.marked]).to(logits.device)
        return logprobs.gather(-1, ids.expand(len(logprobs), -1)[..., None])[..., 0].sum(-1)


@dataclass(frozen=True, slots=True)
class Answer:
    """How likely an answer is (log-likelihood, nats), or of its characters [start, end) what stands before given.

    A whole answer includes that its turn ends there, or a phrase that asks for few words would count for little: what
    it makes likely is that nothing follows. A part does not; so `end=len(text)` is for an answer that was cut off.
    """

    text: str
    start: int = 0
    end: int | None = None

    @property
    def name(self) -> str:
        """What is explained, in words."""
        whole = (self.start, self.end) in ((0, None), (0, len(self.text)))
        said = self.text[self.start : self.end].strip()
        return f"the answer “{said}”" if whole else f"“{said}” in the answer “{self.text}”"

    def readings(self, tokenizer: Any) -> tuple[Reading, ...]:
        """One, of the tokens that cover the characters; of a whole answer, of those that end its turn too.

        Raises:
            DataError: the answer, or that part of it, has no token.
        """
        found = tokenizer(self.text, add_special_tokens=False, return_offsets_mapping=True)
        end = len(self.text) if self.end is None else self.end
        marked = [start < end and stop > self.start for start, stop in found["offset_mapping"]]
        if not any(marked):
            raise DataError(
                f"answer {self.text!r}: no token between characters {self.start} and {end}",
                "give an answer with text, and a part that lies within it",
            )
        stop = turn_end(tokenizer) if (self.start, self.end) == (0, None) else ()
        ids = np.array([*found["input_ids"], *stop], dtype=np.int64)
        return (Reading(1.0, ids, np.array([*marked, *(True for _ in stop)])),)


def word_of(answer: str, word: str) -> Answer:
    """The first place of a word in an answer, case and typographic quotes aside.

    Raises:
        DataError: the answer does not hold it.
    """
    phrases = pattern([word])
    places = find(phrases, answer) if phrases else []
    if not places:
        raise DataError(f"word {word!r}: not in the answer {answer!r}", "name a word of the answer")
    return Answer(answer, *_span(places[0]))


def _span(place: Any) -> tuple[int, int]:
    return int(place[0]), int(place[1])


@dataclass(frozen=True, slots=True)
class Contrast:
    """Why this answer rather than that: the difference of their log-likelihoods, nats; both with their ends."""

    answer: str
    other: str

    @property
    def name(self) -> str:
        """What is explained, in words."""
        return f"“{self.answer}” rather than “{self.other}”"

    def readings(self, tokenizer: Any) -> tuple[Reading, ...]:
        """The answer's with weight 1, the other's with weight -1.

        Raises:
            DataError: one of them has no token.
        """
        own, other = Answer(self.answer).readings(tokenizer)[0], Answer(self.other).readings(tokenizer)[0]
        return own, Reading(-1.0, other.ids, other.marked)


@dataclass(frozen=True, slots=True)
class Tone:
    """How much the network leans towards a list of words: the log of their summed probability, nats.

    Read at every token of an answer, on average. Only words that are one token, with or without a space before them,
    can be read; a final * of an entry is ignored.
    """

    words: tuple[str, ...]
    answer: str
    label: str = "the listed words"

    @property
    def name(self) -> str:
        """What is explained, in words."""
        return f"{self.label} in the answer “{self.answer}”"

    def listed(self, tokenizer: Any) -> tuple[int, ...]:
        """Ids of the words that are one token.

        Raises:
            MetricError: none is.
        """
        plain = [word.removesuffix("*") for word in self.words]
        forms = {lead + form for word in plain for form in (word, word.capitalize()) for lead in ("", " ")}
        encoded = [tokenizer(form, add_special_tokens=False)["input_ids"] for form in sorted(forms)]
        ids = {found[0] for found in encoded if len(found) == 1}
        if not ids:
            raise MetricError(
                f"words {', '.join(self.words[:5])}: none is one token of this model",
                "add shorter, more frequent words",
            )
        return tuple(sorted(ids))

    def readings(self, tokenizer: Any) -> tuple[Reading, ...]:
        """One, at every place of the answer.

        Raises:
            DataError, MetricError: the answer has no token, or no word is one.
        """
        own = Answer(self.answer, end=len(self.answer)).readings(tokenizer)[0]
        return (Reading(1.0, own.ids, own.marked, self.listed(tokenizer)),)


@dataclass(frozen=True)
class Scored:
    """What a metric says of the answer that the model itself gives; by ablation only, since it has no gradient.

    `score` takes the answer's text and gives a number, as `functools.partial(metric.score, example)` does for any
    metric, a classifier of tone among them.
    """

    score: Callable[[str], float]
    sampling: Sampling
    label: str
    seed: int = 0

    @property
    def name(self) -> str:
        """What is explained, in words."""
        return f"{self.label} of the model's own answer"


Readable = Answer | Contrast | Tone
Target = Readable | Scored
