"""Whether an exported model answers as the stack it was made of, on the same prompts.

Three looks, from the strictest to the most useful: the tokens of each prompt; for the stack's own greedy answers, token
by token, which token each of the two finds likeliest, and how likely each finds the answer's own; and the answers that
the exported model gives itself. It is a check of these prompts, not an estimate of others: what is wrong with a file
(a tensor, a name, a template) shows on nearly every token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trimtab import stats
from trimtab.export.wanted import Kind
from trimtab.model import sampler
from trimtab.model.likelihood import row
from trimtab.model.load import Base, prompt_ids
from trimtab.model.pack import plain_logits
from trimtab.records import NAN, Estimate, Message, Question, Sampling, TokenRow

Conversation = tuple[Message, ...]
# Tokens of an answer that are compared, at most.
MOST = 48


@dataclass(frozen=True, slots=True)
class Limits:
    """What may differ.

    Attributes:
        largest, mean: difference of a token's log-probability, nats.
        agreement: least share of tokens at which both find the same one likeliest.
        answers: least share of greedy answers that are the same text.
    """

    largest: float
    mean: float
    agreement: float
    answers: float


LIMITS: Mapping[Kind, Limits] = {
    "f32": Limits(0.002, 0.0002, 0.999, 0.9),
    "f16": Limits(0.05, 0.005, 0.99, 0.75),
    "bf16": Limits(0.3, 0.03, 0.97, 0.3),
    "q8_0": Limits(0.5, 0.05, 0.95, 0.3),
}


@dataclass(frozen=True)
class Reference:
    """What the stack says: prompts as the network is asked, greedy answers, and each of their tokens.

    `likeliest` and `logprobs`: of each answer that is not empty (M,), before each of its tokens. `tokens`: most of one.
    """

    asked: tuple[Conversation, ...]
    tokens: int
    answers: tuple[str, ...]
    rows: tuple[TokenRow, ...]
    prompts: tuple[tuple[int, ...], ...]
    likeliest: tuple[np.ndarray, ...]
    logprobs: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class Parity:
    """How far an export is from its stack.

    Attributes:
        tokenised: share of prompts that both turn into the same tokens.
        tokens: of the answers that were read.
        agreement, largest, mean: as in `Limits`; nan where no token was read.
        answers: share of greedy answers that are the same text.
        failures: what is not within the limits, in words; none: it holds.
    """

    prompts: int
    tokenised: float
    tokens: int
    agreement: float
    largest: float
    mean: float
    answers: Estimate
    limits: Limits
    failures: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether all of it is within the limits."""
        return not self.failures


def reference(base: Base, asked: Sequence[Conversation], tokens: int = MOST) -> Reference:
    """What a model says to conversations; its answers have at most so many tokens, and are never drawn at random."""
    texts = _answers(base, asked, tokens)
    # An empty answer has no token to read.
    rows = tuple(row(base, one, text) for one, text in zip(asked, texts, strict=True) if text)
    prompts = tuple(tuple(prompt_ids(base.tokenizer, one)) for one in asked)
    likeliest, logprobs = _read(base, rows)
    return Reference(tuple(asked), tokens, tuple(texts), rows, prompts, likeliest, logprobs)


def compare(known: Reference, exported: Base, limits: Limits) -> Parity:
    """How far an exported model is from what is known of its stack.

    Raises:
        ModelError: it has no chat template.
    """
    prompts = [tuple(prompt_ids(exported.tokenizer, one)) for one in known.asked]
    likeliest, logprobs = _read(exported, known.rows)
    texts = _answers(exported, known.asked, known.tokens)
    same = sum(one == other for one, other in zip(prompts, known.prompts, strict=True))
    count = sum(map(len, logprobs))
    apart, agree = np.array([np.nan]), np.array([np.nan])
    if count:
        apart = np.abs(np.concatenate(logprobs) - np.concatenate(known.logprobs))
        agree = np.concatenate(likeliest) == np.concatenate(known.likeliest)
    answers = stats.wilson(sum(a == b for a, b in zip(texts, known.answers, strict=True)), len(texts))
    found = {
        "tokenised": same / len(prompts),
        "agreement": float(agree.mean()),
        "largest": float(apart.max()),
        "mean": float(apart.mean()),
    }
    return Parity(
        prompts=len(prompts),
        tokens=count,
        answers=answers,
        limits=limits,
        failures=tuple(_failures(found, answers.value, limits)),
        **found,
    )


def unread(known: Reference, limits: Limits, why: str) -> Parity:
    """The parity of what could not be read at all: every number is missing."""
    nothing = stats.wilson(0, 0)
    return Parity(len(known.asked), NAN, 0, NAN, NAN, NAN, nothing, limits, (why,))


def _failures(found: Mapping[str, float], answers: float, limits: Limits) -> list[str]:
    """What is not within the limits; a number that is not there is not within them."""
    said = []
    if found["tokenised"] != 1:
        said.append(f"the prompts' tokens: {found['tokenised']:.1%} of prompts have the same")
    if not found["agreement"] >= limits.agreement:
        said.append(
            f"likeliest tokens: {found['agreement']:.2%} are the same, at least {limits.agreement:.2%}"
        )
    for name in ("largest", "mean"):
        limit = getattr(limits, name)
        if not found[name] <= limit:
            said.append(f"log-probability: {name} difference {found[name]:.3g} nats, at most {limit:g}")
    if not answers >= limits.answers:
        said.append(f"greedy answers: {answers:.1%} are the same, at least {limits.answers:.1%}")
    return said


def _answers(base: Base, asked: Sequence[Conversation], tokens: int) -> list[str]:
    how = Sampling(max_new_tokens=tokens)
    questions = [Question(str(number), one, how) for number, one in enumerate(asked)]
    return [output.text for output in sampler.answer(base, questions)]


@torch.no_grad()
def _read(base: Base, rows: Sequence[TokenRow]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Before each token of the answers: the likeliest one, and the log-probability (nats) of the answer's own."""
    likeliest, logprobs = [], []
    for one in rows:
        logits, targets = plain_logits(base.network, one)
        likeliest.append(logits.argmax(-1).cpu().numpy())
        own = logits.log_softmax(-1).gather(-1, targets[:, None])[:, 0]
        logprobs.append(own.double().cpu().numpy())
    return tuple(likeliest), tuple(logprobs)
