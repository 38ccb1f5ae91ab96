"""Batched, seeded answers from any causal model.

Each distinct prompt is read once and shared by its seeds; rows leave the batch when they finish. Every row draws
from its own random stream, keyed by seed and prompt, so an answer does not depend on what it was batched with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from trimtab.model.cache import growing_cache, select_rows
from trimtab.model.choose import choose, penalise
from trimtab.model.load import Base, prompt_ids
from trimtab.records import Example, Message, Output, Sampling

ROWS = 32


@dataclass
class Row:
    """One answer in the making."""

    prompt: tuple[int, ...]
    seed: int
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: str = ""

    def random(self) -> np.random.Generator:
        """This row's own stream of random numbers."""
        return np.random.default_rng([self.seed, *self.prompt])


@torch.no_grad()
def decode(base: Base, rows: Sequence[Row], sampling: Sampling) -> Iterator[Row]:
    """Extend rows token by token, yielding each row whenever it has grown; a yielded row may be finished.

    Rows of one prompt must stand together. `logprobs` are the model's own, before penalties and temperature.
    """
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    cache, attended, logits = _read(base, prompts)
    owner = torch.tensor([prompts.index(row.prompt) for row in rows], device=logits.device)
    if len(prompts) < len(rows):
        select_rows(cache, owner)
        attended, logits = attended[owner], logits[owner]
    seen = _seen(logits, rows) if sampling.repetition_penalty != 1 else None
    streams = [row.random() for row in rows]
    active = list(rows)
    stops = set(base.stop_ids())
    while active:
        scores = penalise(logits, seen, sampling.repetition_penalty) if seen is not None else logits
        uniforms = np.array([stream.random() for stream in streams])
        tokens = choose(scores, sampling, uniforms)
        logprobs = (logits.gather(-1, tokens[:, None])[:, 0] - logits.logsumexp(-1)).tolist()
        for row, token, logprob in zip(active, tokens.tolist(), logprobs, strict=True):
            _extend(base, row, token, logprob, sampling, stops)
            yield row
        keep = [i for i, row in enumerate(active) if not row.finish]
        if len(keep) < len(active):
            index = torch.tensor(keep, device=logits.device, dtype=torch.int64)
            active, streams = [active[i] for i in keep], [streams[i] for i in keep]
            tokens, attended = tokens[index], attended[index]
            seen = seen[index] if seen is not None else None
            if active:
                select_rows(cache, index)
        if active:
            if seen is not None:
                seen.scatter_(1, tokens[:, None], True)
            attended = torch.nn.functional.pad(attended, (0, 1), value=1)
            logits = _forward(base, tokens[:, None], attended, cache)


def _read(base: Base, prompts: Sequence[tuple[int, ...]]) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """Run the prompts: the cache, what is attended (P, T), the next logits (P, vocabulary).

    What all prompts begin with is run once; the rests are padded on the left.
    """
    device = base.network.device
    cache = growing_cache(base.network.config)
    shared = _common(prompts) if len(prompts) > 1 else 0
    if shared:
        beginning = torch.tensor([prompts[0][:shared]], device=device)
        _forward(base, beginning, torch.ones_like(beginning), cache)
        select_rows(cache, torch.zeros(len(prompts), dtype=torch.int64, device=device))
    longest = max(map(len, prompts)) - shared
    ids = torch.full((len(prompts), longest), base.tokenizer.pad_token_id or 0)
    attended = torch.zeros((len(prompts), shared + longest), dtype=torch.int64)
    attended[:, :shared] = 1
    for number, prompt in enumerate(prompts):
        rest = prompt[shared:]
        ids[number, longest - len(rest) :] = torch.tensor(rest)
        attended[number, shared + longest - len(rest) :] = 1
    attended = attended.to(device)
    return cache, attended, _forward(base, ids.to(device), attended, cache)


def _common(prompts: Sequence[tuple[int, ...]]) -> int:
    """Number of tokens that all prompts begin with, at least one token less than the shortest prompt."""
    first, last = min(prompts), max(prompts)
    limit = min(map(len, prompts)) - 1
    return next((n for n in range(limit) if first[n] != last[n]), limit)


def _forward(base: Base, ids: torch.Tensor, attended: torch.Tensor, cache: Any) -> torch.Tensor:
    """Run tokens (rows, T) on top of the cache; the logits after the last one (rows, vocabulary) float32."""
    result = base.network(
        input_ids=ids,
        attention_mask=attended,
        position_ids=(attended.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    logits: torch.Tensor = result.logits[:, -1].float()
    return logits


def _seen(logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
    seen = torch.zeros_like(logits, dtype=torch.bool)
    for number, row in enumerate(rows):
        seen[number, list(row.prompt)] = True
    return seen


def _extend(base: Base, row: Row, token: int, logprob: float, sampling: Sampling, stops: set[int]) -> None:
    row.logprobs.append(logprob)
    if token in stops:
        row.finish = "stop"
        return
    row.tokens.append(token)
    if sampling.stop and any(stop in text(base, row) for stop in sampling.stop):
        row.finish = "stop"
    elif len(row.tokens) >= sampling.max_new_tokens:
        row.finish = "length"


def text(base: Base, row: Row, stop: Sequence[str] = ()) -> str:
    """The answer as text, cut before the first stop string."""
    answer: str = base.tokenizer.decode(row.tokens, skip_special_tokens=True)
    ends = [answer.index(mark) for mark in stop if mark in answer]
    return answer[: min(ends)] if ends else answer


def sample(
    base: Base,
    examples: Sequence[Example],
    sampling: Sampling,
    seeds: Sequence[int] = (0,),
    *,
    rows: int = ROWS,
    report: Callable[[int, int, int], None] | None = None,
) -> list[Output]:
    """Answer every example under every seed: outputs example by example, seed by seed.

    Greedy answers do not depend on the seed, so they are drawn once and repeated.

    Args:
        rows: answers in one batch.
        report: called with answers finished, answers in all, tokens sampled so far.
    """
    drawn = list(seeds) if sampling.temperature else list(seeds[:1])
    prompts = [tuple(prompt_ids(base.tokenizer, example.messages)) for example in examples]
    distinct = sorted(set(prompts), key=lambda prompt: (len(prompt), prompt))
    per_batch = max(1, rows // len(drawn))
    finished: dict[tuple[tuple[int, ...], int], Row] = {}
    sampled = 0
    for start in range(0, len(distinct), per_batch):
        batch = [Row(prompt, seed) for prompt in distinct[start : start + per_batch] for seed in drawn]
        for row in decode(base, batch, sampling):
            sampled += 1
            if row.finish:
                finished[row.prompt, row.seed] = row
                if report:
                    report(len(finished), len(distinct) * len(drawn), sampled)
    source = {seed: seed if sampling.temperature else drawn[0] for seed in seeds}
    return [
        _output(base, example, finished[prompt, source[seed]], seed, sampling)
        for example, prompt in zip(examples, prompts, strict=True)
        for seed in seeds
    ]


def _output(base: Base, example: Example, row: Row, seed: int, sampling: Sampling) -> Output:
    finish = "stop" if row.finish == "stop" else "length"
    return Output(example.id, seed, text(base, row, sampling.stop), tuple(row.logprobs), finish)  # type: ignore[arg-type]


def stream(base: Base, messages: Sequence[Message], sampling: Sampling, seed: int = 0) -> Iterator[str]:
    """One answer, piece by piece; a piece is held back while it may still be part of a character or stop string."""
    row = Row(tuple(prompt_ids(base.tokenizer, list(messages))), seed)
    sent = ""
    held = max((len(stop) for stop in sampling.stop), default=1) - 1
    for _ in decode(base, [row], sampling):
        answer = text(base, row, sampling.stop)
        safe = len(answer) if row.finish else len(answer.rstrip("\ufffd")) - held
        if safe > len(sent):
            yield answer[len(sent) : safe]
            sent = answer[:safe]
