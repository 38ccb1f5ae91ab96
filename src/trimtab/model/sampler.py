"""Batched, seeded answers from any causal model.

Each distinct prompt is read once and shared by its seeds and settings; rows leave the batch when they finish and
others take their place. Every row draws from its own random stream, keyed by seed and prompt, so an answer does
not depend on what it was batched with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from trimtab.model import prefill
from trimtab.model.choose import choose, penalise
from trimtab.model.load import Base, prompt_ids
from trimtab.records import Example, Message, Output, Sampling

# Rows in one batch: enough that the weights are read seldom; and how many must be free before others join, because
# joining copies the cache.
ROWS = 64
JOINING = 16

Counted = Callable[[int, int, int], None]


@dataclass
class Row:
    """One answer in the making."""

    prompt: tuple[int, ...]
    seed: int
    sampling: Sampling
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: str = ""

    def random(self) -> np.random.Generator:
        """This row's own stream of random numbers."""
        return np.random.default_rng([self.seed, *self.prompt])


@dataclass
class Batch:
    """Rows that grow together.

    Attributes:
        prefix: what was read and written so far.
        seen: (rows, vocabulary) bool, tokens of prompt and answer; None while no row has a repetition penalty.
    """

    rows: list[Row]
    streams: list[np.random.Generator]
    prefix: prefill.Prefix
    seen: torch.Tensor | None

    def join(self, other: Batch) -> None:
        """Add the rows of another batch."""
        self.rows += other.rows
        self.streams += other.streams
        self.prefix.join(other.prefix)
        if self.seen is not None and other.seen is not None:
            self.seen = torch.cat([self.seen, other.seen])

    def leave(self) -> list[int]:
        """Let finished rows go; returns the numbers that those who stay had."""
        keep = [i for i, row in enumerate(self.rows) if not row.finish]
        if len(keep) == len(self.rows):
            return keep
        index = torch.tensor(keep, device=self.prefix.logits.device, dtype=torch.int64)
        self.rows, self.streams = [self.rows[i] for i in keep], [self.streams[i] for i in keep]
        self.seen = self.seen[index] if self.seen is not None else None
        if keep:
            self.prefix.select(index)
        return keep


@torch.no_grad()
def decode(base: Base, rows: Sequence[Row], *, at_once: int = ROWS) -> Iterator[Row]:
    """Extend rows token by token, yielding each row whenever it has grown; a yielded row may be finished.

    Rows of one prompt should stand together. `logprobs` are the model's own, before penalties and temperature.

    Args:
        at_once: most rows in the batch.
    """
    stops = set(base.stop_ids())
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    share = len(prompts) > 1 and prefill.can_share(base, prompts)
    penalised = any(row.sampling.repetition_penalty != 1 for row in rows)
    waiting = list(rows)
    batch: Batch | None = None
    while waiting or batch:
        batch = _filled(base, batch, waiting, at_once, share, penalised)
        tokens, logprobs = _draw(batch)
        for row, token, logprob in zip(batch.rows, tokens.tolist(), logprobs.tolist(), strict=True):
            _extend(base, row, token, logprob, stops)
            yield row
        grown = tokens[batch.leave()][:, None]
        if not batch.rows:
            batch = None
            continue
        if batch.seen is not None:
            batch.seen.scatter_(1, grown, True)
        prefill.step(base, batch.prefix, grown)


def _filled(
    base: Base, batch: Batch | None, waiting: list[Row], at_once: int, share: bool, penalised: bool
) -> Batch:
    """The batch with the rows that can join it now; they are taken from `waiting`."""
    free = at_once - (len(batch.rows) if batch else 0)
    enough = waiting and share and free >= min(JOINING, at_once, len(waiting))
    if batch and not enough:
        return batch
    count = _entering(waiting, free)
    joining = _begin(base, waiting[:count], share, penalised)
    del waiting[:count]
    if batch is None:
        return joining
    batch.join(joining)
    return batch


def _entering(waiting: Sequence[Row], free: int) -> int:
    """How many rows join now: rows of one prompt together where they fit, so that it is read once."""
    count = min(free, len(waiting))
    whole = count
    while 0 < whole < len(waiting) and waiting[whole].prompt == waiting[whole - 1].prompt:
        whole -= 1
    return whole or count


def _begin(base: Base, rows: list[Row], share: bool, penalised: bool) -> Batch:
    """Read the prompts of rows."""
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    place = {prompt: number for number, prompt in enumerate(prompts)}
    prefix = prefill.read(base, prompts, share=share)
    if len(prompts) < len(rows):
        prefix.select(torch.tensor([place[row.prompt] for row in rows], device=prefix.logits.device))
    seen = None
    if penalised:
        seen = torch.zeros_like(prefix.logits, dtype=torch.bool)
        for number, row in enumerate(rows):
            seen[number, list(row.prompt)] = True
    return Batch(list(rows), [row.random() for row in rows], prefix, seen)


def _draw(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """The next token of each row and its log-probability, (rows,) both."""
    logits = batch.prefix.logits
    scores = logits
    if batch.seen is not None:
        penalties = [row.sampling.repetition_penalty for row in batch.rows]
        scores = penalise(logits, batch.seen, torch.tensor(penalties, device=logits.device)[:, None])
    uniforms = np.array([stream.random() for stream in batch.streams])
    tokens = torch.zeros(len(logits), dtype=torch.int64, device=logits.device)
    settings: dict[Sampling, list[int]] = {}
    for number, row in enumerate(batch.rows):
        settings.setdefault(row.sampling, []).append(number)
    for sampling, members in settings.items():
        alone = len(settings) == 1
        tokens[members] = choose(scores if alone else scores[members], sampling, uniforms[members])
    return tokens, logits.gather(-1, tokens[:, None])[:, 0] - logits.logsumexp(-1)


def _extend(base: Base, row: Row, token: int, logprob: float, stops: set[int]) -> None:
    row.logprobs.append(logprob)
    if token in stops:
        row.finish = "stop"
        return
    row.tokens.append(token)
    stop = row.sampling.stop
    if stop and any(mark in text(base, row, whole=True) for mark in stop):
        row.finish = "stop"
    elif len(row.tokens) >= row.sampling.max_new_tokens:
        row.finish = "length"


def text(base: Base, row: Row, *, whole: bool = False) -> str:
    """The answer as text, cut before the first stop string unless it is wanted whole."""
    answer: str = base.tokenizer.decode(row.tokens, skip_special_tokens=True)
    ends = [answer.index(mark) for mark in row.sampling.stop if mark in answer and not whole]
    return answer[: min(ends)] if ends else answer


def sample(
    base: Base,
    examples: Sequence[Example],
    sampling: Sampling,
    seeds: Sequence[int] = (0,),
    *,
    rows: int = ROWS,
    report: Counted | None = None,
) -> list[Output]:
    """Answer every example under every seed: outputs example by example, seed by seed.

    Greedy answers do not depend on the seed, so they are drawn once and repeated.

    Args:
        rows: answers in one batch.
        report: called with answers finished, answers in all, tokens sampled so far.
    """
    return sample_all(base, [(examples, sampling)], seeds, rows=rows, report=report)[0]


def sample_all(
    base: Base,
    jobs: Sequence[tuple[Sequence[Example], Sampling]],
    seeds: Sequence[int] = (0,),
    *,
    rows: int = ROWS,
    report: Counted | None = None,
) -> list[list[Output]]:
    """The same for several sets of examples, each with settings of its own, in one stream of batches."""
    asked = [
        [(tuple(prompt_ids(base.tokenizer, example.messages)), sampling) for example in examples]
        for examples, sampling in jobs
    ]
    # Longest answers first: short ones fill the batch while the last long ones end.
    distinct = sorted(
        {want for job in asked for want in job}, key=lambda w: (-w[1].max_new_tokens, len(w[0]), w[0])
    )
    wanted = [
        Row(prompt, seed, sampling)
        for prompt, sampling in distinct
        for seed in (seeds if sampling.temperature else seeds[:1])
    ]
    finished: dict[tuple[tuple[int, ...], Sampling, int], Row] = {}
    for sampled, row in enumerate(decode(base, wanted, at_once=rows), start=1):
        if row.finish:
            finished[row.prompt, row.sampling, row.seed] = row
            if report:
                report(len(finished), len(wanted), sampled)
    return [
        [
            _output(
                base, example, finished[prompt, sampling, seed if sampling.temperature else seeds[0]], seed
            )
            for example, (prompt, sampling) in zip(examples, wants, strict=True)
            for seed in seeds
        ]
        for (examples, _), wants in zip(jobs, asked, strict=True)
    ]


def _output(base: Base, example: Example, row: Row, seed: int) -> Output:
    finish = "stop" if row.finish == "stop" else "length"
    return Output(example.id, seed, text(base, row), tuple(row.logprobs), finish)  # type: ignore[arg-type]


def stream(base: Base, messages: Sequence[Message], sampling: Sampling, seed: int = 0) -> Iterator[str]:
    """One answer, piece by piece; a piece is held back while it may still be part of a character or stop string."""
    row = Row(tuple(prompt_ids(base.tokenizer, list(messages))), seed, sampling)
    sent = ""
    held = max((len(stop) for stop in sampling.stop), default=1) - 1
    for _ in decode(base, [row]):
        answer = text(base, row)
        safe = len(answer) if row.finish else len(answer.rstrip("\ufffd")) - held
        if safe > len(sent):
            yield answer[len(sent) : safe]
            sent = answer[:safe]
