"""The sampling job: prompts and ways to decode them; and the arm that answers with Trimtab."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import rows as data
from machine import synchronised
from training import opened
from trimtab.model import sampler
from trimtab.model.load import Base
from trimtab.model.memory import peak_bytes
from trimtab.records import Example, Sampling, questions

TEMPERATURES = (0.6, 0.8, 1.0, 1.2)
TOP_PS = (0.8, 0.9, 0.95, 1.0)
WARM_PROMPTS, WARM_TOKENS = 8, 4


@dataclass(frozen=True)
class Answers:
    """Answers in the order asked for, tokens sampled in all with those that end answers, and seconds."""

    texts: list[str]
    tokens: int
    seconds: float

    def told(self) -> dict[str, Any]:
        """What the parent process is told."""
        return {
            "answers": len(self.texts),
            "tokens": self.tokens,
            "seconds": self.seconds,
            "tokens_per_second": self.tokens / self.seconds,
        }


def greedy(job: dict[str, Any]) -> Sampling:
    """The most likely token, always."""
    return Sampling(max_new_tokens=job["new_tokens"])


def variants(job: dict[str, Any]) -> list[Sampling]:
    """All ways to decode, in an order of which every beginning spreads over temperatures and shares alike."""
    pairs = [
        (TEMPERATURES[place], TOP_PS[(place + turn) % len(TOP_PS)])
        for turn, place in itertools.product(range(len(TOP_PS)), range(len(TEMPERATURES)))
    ]
    return [
        Sampling(max_new_tokens=job["new_tokens"], temperature=temperature, top_p=top_p)
        for temperature, top_p in pairs[: job["variants"]]
    ]


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Every prompt in every variant in one call, and every prompt greedily in another."""
    base = opened(job)
    examples = data.prompts(job["prompts"])
    sampler.sample(
        base, examples[:WARM_PROMPTS], Sampling(max_new_tokens=WARM_TOKENS, temperature=1.0, top_p=0.9)
    )
    whole = answered(base, [(examples, sampling) for sampling in variants(job)])
    return {
        "top-p": whole.told(),
        "greedy": answered(base, [(examples, greedy(job))]).told(),
        "peak_bytes": peak_bytes(base.device.value),
    }


def answered(base: Base, jobs: list[tuple[list[Example], Sampling]]) -> Answers:
    """One call of Trimtab's sampler, with its own choice of batches."""
    started = synchronised(base.device.value)
    outputs = sampler.answer(base, [question for job in jobs for question in questions(*job)])
    seconds = synchronised(base.device.value) - started
    return Answers([o.text for o in outputs], sum(len(o.logprobs) for o in outputs), seconds)
