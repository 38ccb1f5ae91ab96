"""Batched, seeded answers from any causal model.

Each distinct prompt is read once and shared by its seeds and settings; rows leave when they finish and others take
their places. Every row draws from its own random stream, keyed by seed and prompt, so an answer does not depend on
what it was batched with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch

from trimtab.model import slots
from trimtab.model.choose import Settings, choose, log_total, penalise
from trimtab.model.load import Base, prompt_ids
from trimtab.model.memory import available_bytes
from trimtab.model.pack import rounded
from trimtab.model.padded import Padded
from trimtab.records import Example, Message, Output, Question, Sampling, questions

# Rows in one batch: enough that the weights are read seldom; and the share of free memory that their keys and values
# may take. Others join when this many places are free, because their prompts are read together.
ROWS = 256
SHARE = 0.25
JOINING = 32
# Rows whose next tokens are chosen at once on a processor: their logits stay in its cache.
FEW = 32

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


class Places(Protocol):
    """Where rows are while they are answered; `logits` (places, vocabulary) follow the last token of each."""

    logits: torch.Tensor

    def free(self) -> int:
        """Number of rows that can enter now."""
        ...

    def enter(self, prompts: Sequence[tuple[int, ...]]) -> list[int]:
        """Give each row, by its prompt, a place."""
        ...

    def leave(self, places: Sequence[int]) -> None:
        """Give places back."""
        ...

    def tighten(self) -> dict[int, int]:
        """Move rows together where that saves work; returns who went where."""
        ...

    def step(self, tokens: torch.Tensor) -> None:
        """Read one more token of each row, (places,) int64, and renew the logits."""
        ...


@torch.no_grad()
def decode(base: Base, rows: Sequence[Row], *, at_once: int = ROWS) -> Iterator[Row]:
    """Extend rows token by token, yielding each row whenever it has grown; a yielded row may be finished.

    Rows of one prompt should stand together. `logprobs` are the model's own, before penalties and temperature.

    Args:
        at_once: most rows in the batch.
    """
    stops = set(base.stop_ids())
    places = _places(base, rows, at_once)
    waiting = list(rows)
    live: dict[int, Row] = {}
    draw = _Drawing(rows)
    while waiting or live:
        count = min(places.free(), len(waiting))
        if count and (not live or count >= min(JOINING, len(waiting))):
            joining, waiting = waiting[:count], waiting[count:]
            entered = dict(zip(places.enter([row.prompt for row in joining]), joining, strict=True))
            live |= entered
            draw.join(entered, len(places.logits), places.logits.device)
        at = sorted(live)
        tokens, logprobs = draw.next(places.logits, at, [live[place].sampling for place in at])
        for place, token, logprob in zip(at, tokens[at].tolist(), logprobs, strict=True):
            _extend(base, live[place], token, logprob, stops)
            yield live[place]
        done = [place for place in at if live[place].finish]
        places.leave(done)
        for place in done:
            del live[place]
        if live:
            moved = places.tighten() if not waiting else {}
            for source, target in moved.items():
                live[target] = live.pop(source)
                tokens[target] = tokens[source]
            draw.move(moved)
            places.step(tokens)


def _places(base: Base, rows: Sequence[Row], at_once: int) -> Places:
    """Places for as many rows as memory allows."""
    prompts = {row.prompt for row in rows}
    longest = max(map(len, prompts)), max(row.sampling.max_new_tokens for row in rows)
    if not slots.suited(base):
        return Padded(base, at_once)
    width = _bytes_a_token(base.network)
    room = int(SHARE * available_bytes(str(base.network.device))) // (width * sum(longest))
    count = rounded(max(1, min(at_once, len(rows), room)))
    return slots.Slots(base, count, min(count, len(prompts)), longest)


def _bytes_a_token(network: Any) -> int:
    """Size of the keys and values of one token in all blocks."""
    config = network.config
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    shared = getattr(config, "num_key_value_heads", None) or heads
    return int(2 * config.num_hidden_layers * shared * size * network.dtype.itemsize)


class _Drawing:
    """Random streams and seen tokens of the rows by place, and the settings of those that are answered."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.penalised = any(row.sampling.repetition_penalty != 1 for row in rows)
        self.streams: dict[int, np.random.Generator] = {}
        # (places, tokens): prompt and answer, then the prompt's first token again; and (places,): how many are filled.
        self.seen = torch.empty(0)
        self.filled = torch.empty(0)
        self._most = max(len(row.prompt) + max(1, row.sampling.max_new_tokens) for row in rows)
        self._of: tuple[int, ...] = ()
        self._settings: Settings | None = None

    def join(self, entered: dict[int, Row], places: int, device: torch.device) -> None:
        """Take rows in at their places."""
        self._of = ()
        self.streams |= {place: row.random() for place, row in entered.items()}
        if not self.penalised:
            return
        if self.seen.shape[0] != places:
            self.seen = torch.zeros(places, self._most, dtype=torch.int64, device=device)
            self.filled = torch.zeros(places, dtype=torch.int64, device=device)
        for place, row in entered.items():
            self.seen[place] = row.prompt[0]
            self.seen[place, : len(row.prompt)] = torch.tensor(row.prompt, device=device)
            self.filled[place] = len(row.prompt)

    def move(self, moved: dict[int, int]) -> None:
        """Follow rows to other places."""
        if moved:
            self._of = ()
        for source, target in moved.items():
            self.streams[target] = self.streams.pop(source)
            if self.penalised:
                self.seen[target], self.filled[target] = self.seen[source], self.filled[source]

    def next(
        self, logits: torch.Tensor, at: list[int], how: Sequence[Sampling]
    ) -> tuple[torch.Tensor, list[float]]:
        """The next token by place, (places,) int64, and the log-probabilities of those at `at`, drawn as `how` says."""
        if self._settings is None or self._of != tuple(at):
            self._of = tuple(at)
            self._settings = Settings.of(how, logits.device)
        index = torch.tensor(at, device=logits.device)
        uniforms = torch.tensor([self.streams[place].random() for place in at], dtype=torch.float64)
        uniforms = uniforms.to(logits.device)
        few = FEW if logits.device.type == "cpu" else len(at)
        tokens = torch.zeros(len(logits), dtype=torch.int64, device=logits.device)
        logprobs: list[float] = []
        for start in range(0, len(at), few):
            rows = torch.arange(start, min(start + few, len(at)), device=logits.device)
            some = index[rows]
            found, values = self._some(logits[some].float(), some, self._settings.take(rows), uniforms[rows])
            tokens[some] = found
            logprobs += values.tolist()
        return tokens, logprobs

    def _some(
        self, logits: torch.Tensor, index: torch.Tensor, settings: Settings, uniforms: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Next tokens and log-probabilities of some rows, which are at the places `index`."""
        scores = penalise(logits, self.seen[index], settings.penalty) if self.penalised else logits
        found = choose(scores, settings, uniforms)
        if self.penalised:
            self.seen[index, self.filled[index]] = found
            self.filled[index] += 1
        return found, (logits.gather(-1, found[:, None]) - log_total(logits))[:, 0]


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


def answer(
    base: Base, wanted: Sequence[Question], *, rows: int = ROWS, report: Counted | None = None
) -> list[Output]:
    """One answer for each question, in order; each may have settings and a seed of its own.

    Greedy answers do not depend on the seed, so they are drawn once and repeated.

    Args:
        rows: answers in one batch.
        report: called with answers finished, answers in all, tokens sampled so far.
    """
    conversations = dict.fromkeys(question.messages for question in wanted)
    prompts = {messages: tuple(prompt_ids(base.tokenizer, messages)) for messages in conversations}
    asked = [
        (prompts[question.messages], question.sampling, question.seed if question.sampling.temperature else 0)
        for question in wanted
    ]
    # Longest answers first: short ones fill the batch while the last long ones end.
    distinct = sorted(dict.fromkeys(asked), key=lambda w: (-w[1].max_new_tokens, len(w[0]), w[0]))
    drawn = [Row(prompt, seed, sampling) for prompt, sampling, seed in distinct]
    finished: dict[tuple[tuple[int, ...], Sampling, int], Row] = {}
    for sampled, row in enumerate(decode(base, drawn, at_once=rows), start=1):
        if row.finish:
            finished[row.prompt, row.sampling, row.seed] = row
            if report:
                report(len(finished), len(drawn), sampled)
    return [_output(base, question, finished[want]) for question, want in zip(wanted, asked, strict=True)]


def sample(
    base: Base,
    examples: Sequence[Example],
    sampling: Sampling,
    seeds: Sequence[int] = (0,),
    *,
    rows: int = ROWS,
    report: Counted | None = None,
) -> list[Output]:
    """Answer every example under every seed: outputs example by example, seed by seed."""
    return answer(base, questions(examples, sampling, seeds), rows=rows, report=report)


def _output(base: Base, question: Question, row: Row) -> Output:
    finish: Literal["stop", "length"] = "stop" if row.finish == "stop" else "length"
    return Output(question.example, question.seed, text(base, row), tuple(row.logprobs), finish)


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
