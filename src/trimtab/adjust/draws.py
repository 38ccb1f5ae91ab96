"""Several answers to one question: drawing them, and scoring each without knowing a good one."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from trimtab.adjust.overlay import laid
from trimtab.errors import ModelError
from trimtab.records import Message, Model, Output, Question, Report

By = Literal["likelihood", "agreement", "vote", "judgement", "repetition"]
ORDERS = 6  # of character n-grams
WORDS = 4  # of repeated word n-grams
JUDGE = "Is the answer above right? Reply with Yes or No only."
VERDICTS = ("Yes", "No")


def seed_of(seed: int, number: int) -> int:
    """The seed of an answer drawn besides: number 0 is the question's own, others do not meet small seeds."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0]) if number else seed


def draws(question: Question, count: int) -> list[Question]:
    """The question, and again as often as makes `count`, with seeds derived from its own.

    Adjustments that stand earlier know from the settings that somebody chooses, and choose nothing themselves.
    """
    sampling = dataclasses.replace(laid(question.sampling), chosen=True)
    return [
        dataclasses.replace(question, sampling=sampling, seed=seed_of(question.seed, number))
        for number in range(count)
    ]


def chosen_from(chosen: Output, drawn: Sequence[Output]) -> Output:
    """An answer, which says what it took to draw all of these, itself among them."""
    return dataclasses.replace(chosen, drawn=sum(output.spent for output in drawn))


def score(
    model: Model,
    by: By,
    asked: Sequence[Question],
    found: Sequence[Sequence[Output]],
    report: Report | None = None,
) -> list[list[float]]:
    """A score for each answer to each question, larger is better; none of them needs a reference.

    - likelihood: mean log-probability of a token, nats.
    - agreement: mean closeness to the other answers, 0 to 1: minimum Bayes risk with the samples as references
      (Eikema and Aziz 2022, arXiv 2108.04718; Freitag et al. 2022, arXiv 2111.09388), chrF as the utility.
    - vote: share of the answers that are word for word the same (self-consistency, Wang et al. 2023, arXiv 2203.11171).
    - judgement: probability that the model itself calls the answer right.
    - repetition: minus the share of word 4-grams that the answer has used before.

    Raises:
        ModelError: the model gives no log-probabilities, and the score is read from them.
    """
    if by == "likelihood":
        # A service counts no token for an answer of none: it is taken where there is no other.
        return [
            [-math.inf if not (o.text or o.logprobs) else mean_logprob(o) for o in outputs]
            for outputs in found
        ]
    if by == "judgement":
        pairs = [(q, o) for q, outputs in zip(asked, found, strict=True) for o in outputs]
        values = iter(judged(model, [q for q, _ in pairs], [o.text for _, o in pairs], report))
        return [[next(values) for _ in outputs] for outputs in found]
    texts = [[output.text for output in outputs] for outputs in found]
    if by == "agreement":
        return [agreement(some) for some in texts]
    if by == "vote":
        return [votes(some) for some in texts]
    return [[-repeated(text) for text in some] for some in texts]


def mean_logprob(output: Output) -> float:
    """Mean log-probability of the answer's tokens, nats.

    Raises:
        ModelError: the answer carries none.
    """
    return math.fsum(logprobs(output)) / len(output.logprobs)


def logprobs(output: Output) -> tuple[float, ...]:
    """The log-probabilities of an answer's tokens, nats, at least one.

    Raises:
        ModelError: the answer carries none.
    """
    if not output.logprobs:
        raise ModelError(
            f"the answer to {output.example!r} has no log-probabilities",
            "this model does not give them: choose by agreement or vote, or use another model",
        )
    return output.logprobs


def votes(texts: Sequence[str]) -> list[float]:
    """The share of texts that are the same, white space aside, for each text."""
    keys = [" ".join(text.split()) for text in texts]
    count = Counter(keys)
    return [count[key] / len(keys) for key in keys]


def agreement(texts: Sequence[str]) -> list[float]:
    """Mean closeness of each text to all others, 0 to 1; 1 for a text that is alone."""
    distinct = {text: _profile(text) for text in texts}
    known = {(a, b): _closeness(distinct[a], distinct[b]) for a in distinct for b in distinct}
    whole = [math.fsum(known[text, other] for other in texts) - known[text, text] for text in texts]
    return [value / (len(texts) - 1) if len(texts) > 1 else 1.0 for value in whole]


def closeness(text: str, other: str) -> float:
    """chrF2 of a text with the other as its reference, 0 to 1: the F-score of character n-grams up to 6.

    Two texts without a character are the same, 1. Source: Popovic 2015, equation 1 with beta 2, precision and
    recall averaged over the orders that both sides have.
    """
    return _closeness(_profile(text), _profile(other))


def _profile(text: str) -> list[Counter[str]]:
    bare = "".join(text.split())
    return [Counter(bare[i : i + n] for i in range(len(bare) - n + 1)) for n in range(1, ORDERS + 1)]


def _closeness(one: Sequence[Counter[str]], other: Sequence[Counter[str]]) -> float:
    if not one[0] or not other[0]:
        return float(not one[0] and not other[0])
    shared = [((a & b).total(), a.total(), b.total()) for a, b in zip(one, other, strict=True) if a and b]
    precision = math.fsum(same / own for same, own, _ in shared) / len(shared)
    recall = math.fsum(same / theirs for same, _, theirs in shared) / len(shared)
    return 5 * precision * recall / (4 * precision + recall) if precision else 0.0


def repeated(text: str) -> float:
    """Share of a text's word 4-grams that it has used before, 0 to 1; 0 for fewer than four words."""
    words = text.lower().split()
    found = [tuple(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)]
    return 1 - len(set(found)) / len(found) if found else 0.0


def judged(
    model: Model, asked: Sequence[Question], texts: Sequence[str], report: Report | None = None
) -> list[float]:
    """Probability that the model calls its answer right, 0 to 1: Yes against No, each distinct answer asked once.

    Source: Kadavath et al. 2022 (arXiv 2207.05221), P(True), with Yes and No for True and False.

    Raises:
        ModelError: the model gives no likelihood.
    """
    turns = [
        (*question.messages, Message("assistant", text), Message("user", JUDGE))
        for question, text in zip(asked, texts, strict=True)
    ]
    distinct = list(dict.fromkeys(turns))
    pairs = [(messages, verdict) for messages in distinct for verdict in VERDICTS]
    totals = [total for total, _ in model.likelihood(pairs, report)]
    known: Mapping[tuple[Message, ...], float] = {
        messages: 1 / (1 + math.exp(min(700.0, totals[2 * n + 1] - totals[2 * n])))
        for n, messages in enumerate(distinct)
    }
    return [known[messages] for messages in turns]
