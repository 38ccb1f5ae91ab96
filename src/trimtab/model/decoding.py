"""Rows in the making: they enter, grow by a token at a time and leave, each as it asks, others not disturbed.

Every row draws from its own random stream, keyed by seed and prompt, so an answer does not depend on what it was
batched with. Rows may belong to different stacks, whose changes of the network reach their own rows alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch

from trimtab.model import slots
from trimtab.model.choose import Settings, choose, log_total, penalise
from trimtab.model.load import Base
from trimtab.model.memory import available_bytes
from trimtab.model.mixed import Asked, Mixed
from trimtab.model.pack import rounded
from trimtab.model.padded import Padded
from trimtab.model.watermark import Marking, marks, unmarked
from trimtab.records import Output, Question, Sampling

# Rows in one batch: enough that the weights are read seldom; and the share of free memory that their keys and values
# may take. Others join when this many places are free, because their prompts are read together.
ROWS = 256
SHARE = 0.25
JOINING = 32
# Rows whose next tokens are chosen at once on a processor: their logits stay in its cache.
FEW = 32
# How a character shows of which not all tokens are there.
OPEN = "\ufffd"


@dataclass(eq=False)
class Row:
    """One answer in the making, told from others by what it is and not by what it holds."""

    prompt: tuple[int, ...]
    seed: int
    sampling: Sampling
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: str = ""
    # Whose changes of the network it is answered under; empty for none.
    whose: str = ""

    def random(self) -> np.random.Generator:
        """This row's own stream of random numbers."""
        return np.random.default_rng([self.seed, *self.prompt])


class Places(Protocol):
    """Where rows are while they are answered; `logits` (places, vocabulary) follow the last token of each."""

    logits: torch.Tensor

    def free(self) -> int:
        """Number of rows that can enter now."""
        ...

    def enter(self, asked: Sequence[Asked], mixed: Mixed) -> list[int]:
        """Give each row a place, by its prompt and whose changes of the network it is read under."""
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


class Decoding:
    """Rows that are being answered and rows that wait for a place.

    Attributes:
        live: rows by their place.
        joining: places that must be free before several rows enter, while others are being answered.
    """

    def __init__(
        self, base: Base, places: Places, longest: int, *, penalised: bool = True, mixed: Mixed | None = None
    ) -> None:
        """Answer rows in these places.

        Args:
            longest: most tokens of a prompt and its answer together.
            penalised: whether a row may come whose repetition penalty is not 1.
            mixed: the changes of the network that rows may ask for.
        """
        self.base, self.places = base, places
        self.joining = JOINING
        self.live: dict[int, Row] = {}
        self._mixed = mixed or Mixed(base.network)
        self._waiting: list[Row] = []
        self._stops = set(base.stop_ids())
        self._draw = _Drawing(longest, penalised=penalised)
        self._tokens: torch.Tensor | None = None

    @property
    def busy(self) -> bool:
        """Whether a row waits or is being answered."""
        return bool(self._waiting or self.live)

    @property
    def waiting(self) -> int:
        """Rows that wait for a place."""
        return len(self._waiting)

    def add(self, rows: Sequence[Row]) -> None:
        """Let rows wait for places; rows of one prompt should stand together."""
        self._waiting += rows

    def drop(self, row: Row) -> None:
        """Answer a row no further."""
        self._waiting = [one for one in self._waiting if one is not row]
        self._left([place for place, one in self.live.items() if one is row])

    @torch.no_grad()
    def advance(self) -> list[Row]:
        """Read what was drawn last, let rows enter, and draw a token for each; returns the rows that grew."""
        if self._tokens is not None and self.live:
            self._step(self._tokens)
        self._tokens = None
        self._admit()
        at = sorted(self.live)
        if not at:
            return []
        tokens, logprobs = self._draw.next(
            self.places.logits, at, [self.live[place].sampling for place in at]
        )
        grown = [self.live[place] for place in at]
        for row, token, logprob in zip(grown, tokens[at].tolist(), logprobs, strict=True):
            _extend(self.base, row, token, logprob, self._stops)
        self._left([place for place in at if self.live[place].finish])
        self._tokens = tokens
        return grown

    def _admit(self) -> None:
        count = min(self.places.free(), len(self._waiting))
        if not count or (self.live and count < min(self.joining, len(self._waiting))):
            return
        rows, self._waiting = self._waiting[:count], self._waiting[count:]
        places = self.places.enter([(row.whose, row.prompt) for row in rows], self._mixed)
        entered = dict(zip(places, rows, strict=True))
        self.live |= entered
        self._draw.join(entered, len(self.places.logits), self.places.logits.device)

    def _left(self, done: Sequence[int]) -> None:
        self.places.leave(done)
        for place in done:
            del self.live[place]

    def _step(self, tokens: torch.Tensor) -> None:
        moved = self.places.tighten() if not self._waiting else {}
        for source, target in moved.items():
            self.live[target] = self.live.pop(source)
            tokens[target] = tokens[source]
        self._draw.move(moved)
        groups: dict[str, list[int]] = {}
        for place, row in self.live.items():
            groups.setdefault(row.whose, []).append(place)
        with self._mixed.applied(groups):
            self.places.step(tokens)


def decode(base: Base, rows: Sequence[Row], *, at_once: int = ROWS) -> Iterator[Row]:
    """Extend rows token by token, yielding each row whenever it has grown; a yielded row may be finished.

    Rows of one prompt should stand together. `logprobs` are the model's own, before penalties and temperature.

    Args:
        at_once: most rows in the batch.
    """
    longest = max(len(row.prompt) + max(1, row.sampling.max_new_tokens) for row in rows)
    penalised = any(row.sampling.repetition_penalty != 1 for row in rows)
    decoding = Decoding(base, places_for(base, rows, at_once), longest, penalised=penalised)
    decoding.add(rows)
    while decoding.busy:
        yield from decoding.advance()


def places_for(base: Base, rows: Sequence[Row], at_once: int) -> Places:
    """Places for as many rows as memory allows."""
    prompts = {(row.whose, row.prompt) for row in rows}
    longest = max(len(row.prompt) for row in rows), max(row.sampling.max_new_tokens for row in rows)
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
    """Random streams, watermarks and seen tokens of the rows by place, and the settings of those that are answered."""

    def __init__(self, longest: int, *, penalised: bool) -> None:
        self.penalised = penalised
        self.streams: dict[int, np.random.Generator] = {}
        self.marking: dict[int, Marking] = {}
        # (places, tokens): prompt and answer, then the prompt's first token again; and (places,): how many are filled.
        self.seen = torch.empty(0)
        self.filled = torch.empty(0)
        self._most = longest
        self._of: tuple[int, ...] = ()
        self._settings: Settings | None = None

    def join(self, entered: dict[int, Row], places: int, device: torch.device) -> None:
        """Take rows in at their places."""
        self._of = ()
        self.streams |= {place: row.random() for place, row in entered.items()}
        for place, row in entered.items():
            self.marking.pop(place, None)
            if row.sampling.mark and marks(row.sampling):
                self.marking[place] = Marking(row.sampling, row.sampling.mark, row.prompt[-1])
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
            self.marking.pop(target, None)
            if source in self.marking:
                self.marking[target] = self.marking.pop(source)
            if self.penalised:
                self.seen[target], self.filled[target] = self.seen[source], self.filled[source]

    def next(
        self, logits: torch.Tensor, at: list[int], how: Sequence[Sampling]
    ) -> tuple[torch.Tensor, list[float]]:
        """The next token by place, (places,) int64, and the log-probabilities of those at `at`, drawn as `how` says."""
        if self._settings is None or self._of != tuple(at):
            self._of = tuple(at)
            self._settings = Settings.of([unmarked(one) for one in how], logits.device)
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
        places = index.tolist() if self.marking else []
        marked = {n: self.marking[place] for n, place in enumerate(places) if place in self.marking}
        if marked:
            scores = scores.clone()
        for number, marking in marked.items():
            scores[number] = marking.scores(scores[number])
        found = choose(scores, settings, uniforms)
        for number, marking in marked.items():
            marking.said(int(found[number]))
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


def settled(base: Base, row: Row) -> str:
    """The answer without its end where that may still become part of a character or of a stop string."""
    answer = text(base, row)
    if row.finish:
        return answer
    held = max((len(stop) for stop in row.sampling.stop), default=1) - 1
    return answer[: max(0, len(answer.rstrip(OPEN)) - held)]


def output(base: Base, question: Question, row: Row) -> Output:
    """A finished row as the answer to its question."""
    finish: Literal["stop", "length"] = "stop" if row.finish == "stop" else "length"
    return Output(question.example, question.seed, text(base, row), tuple(row.logprobs), finish)
