"""An ordered tuple of adjustments, identified by content: each changes the model that those before it make.

So networks are changed and answers edited in the stack's order, and the last adjustment sees a question first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab import taint
from trimtab.adjust.contract import Adjustment, Hook
from trimtab.errors import ModelError
from trimtab.model.hooks import Change
from trimtab.model.load import Base, wrap
from trimtab.model.local import Local
from trimtab.records import (
    Example,
    Message,
    Model,
    Output,
    Pair,
    Question,
    Report,
    Sampling,
    content_hash,
    questions,
)
from trimtab.run import read_json, write_json

# Modules are named, not imported: a prompt needs no PEFT.
KINDS: Mapping[str, tuple[str, str]] = {
    "prompt": ("prompt", "Prompt"),
    "context": ("context", "Context"),
    "decoding": ("decoding", "Decoding"),
    "postprocess": ("postprocess", "Postprocess"),
    "confidence": ("confidence", "Confidence"),
    "steering": ("steering", "Steering"),
    "embedding": ("embedding", "Embedding"),
    "adapter": ("adapter", "Adapter"),
    "layers": ("layers", "Layers"),
    "watermark": ("watermark", "Watermark"),
}
BASE = "base"


@dataclass(frozen=True)
class Adjusted:
    """A model with one adjustment on it, whose hooks other than *network* are applied here."""

    model: Model
    adjustment: Adjustment

    @property
    def name(self) -> str:
        """The name of the model underneath."""
        return self.model.name

    def answer(self, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """One answer for each question, in order."""
        return self.adjustment.answers(self.model, asked, report)

    def likelihood(self, pairs: Sequence[Pair], report: Report | None = None) -> list[tuple[float, int]]:
        """Log-probability (nats) and number of tokens of each answer; a text without a conversation stays as it is."""

        def changed(messages: Sequence[Message]) -> tuple[Message, ...]:
            return self.adjustment.messages(tuple(messages)) if messages else ()

        return self.model.likelihood([(changed(messages), text) for messages, text in pairs], report)


@dataclass(frozen=True)
class Attached:
    """A model with a stack on it. Call it to generate; it ends when its context ends."""

    model: Model
    report: Report | None = None

    def __call__(
        self, examples: Sequence[Example], sampling: Sampling, seeds: Sequence[int] = (0,)
    ) -> list[Output]:
        """One answer for each example and seed, in that order."""
        return self.model.answer(questions(examples, sampling, seeds), self.report)

    def all(
        self, jobs: Sequence[tuple[Sequence[Example], Sampling]], seeds: Sequence[int] = (0,)
    ) -> list[list[Output]]:
        """The same for several sets of examples, each with settings of its own; faster than one after the other."""
        asked = [questions(examples, sampling, seeds) for examples, sampling in jobs]
        found = iter(self.model.answer([question for job in asked for question in job], self.report))
        return [[next(found) for _ in job] for job in asked]

    def likelihood(self, pairs: Sequence[Pair]) -> list[tuple[float, int]]:
        """Log-probability (nats) and number of tokens of each answer after its prompt."""
        return self.model.likelihood(pairs, self.report)


@dataclass(frozen=True)
class Stack:
    """Adjustments in the order in which they are applied; the empty stack is the base model."""

    adjustments: tuple[Adjustment, ...] = ()

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content; `base` for the empty stack."""
        return content_hash([a.hash for a in self.adjustments]) if self.adjustments else BASE

    @property
    def hooks(self) -> frozenset[Hook]:
        """What the stack can touch."""
        return frozenset().union(*(a.hooks for a in self.adjustments if a.strength))

    @contextlib.contextmanager
    def attach(
        self, model: Any, tokenizer: Any = None, *, report: Report | None = None
    ) -> Iterator[Attached]:
        """Apply all adjustments to a model for as long as the context lasts.

        Args:
            model: a loaded `Base`, another `Model`, or any transformers causal model.
            tokenizer: for a transformers model whose own tokenizer does not lie where it came from.

        Raises:
            ModelError: the stack changes weights, and the model is a service that keeps its own; or an adjustment
                was made for another model.
        """
        adjusted = _answering(model, tokenizer)
        base = adjusted.base if isinstance(adjusted, Local) else None
        with contextlib.ExitStack() as applied:
            for adjustment in self.adjustments:
                if adjustment.strength == 0:
                    continue
                adjustment.check(adjusted)
                if "network" in adjustment.hooks:
                    applied.enter_context(adjustment.attach(_network(base, adjustment, adjusted)))
                adjusted = Adjusted(adjusted, adjustment)
            yield Attached(adjusted, report)

    def changes(self, base: Base) -> dict[str, list[Change]]:
        """What the stack does to each module's output, for some rows of a batch; see `model.mixed`.

        Raises:
            ModelError: an adjustment was made for another base.
        """
        found: dict[str, list[Change]] = {}
        for adjustment in self.adjustments:
            for name, changes in adjustment.changes(base).items():
                found.setdefault(name, []).extend(changes)
        return found

    def messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """A conversation as the network is asked it: the last adjustment sees it first."""
        for adjustment in reversed(self.adjustments):
            messages = adjustment.messages(messages)
        return messages

    def sampling(self, sampling: Sampling) -> Sampling:
        """How the network's answer is drawn: the last adjustment sees it first."""
        for adjustment in reversed(self.adjustments):
            sampling = adjustment.sampling(sampling)
        return sampling

    def asked(self, question: Question) -> Question:
        """A question as the network is asked it."""
        messages, sampling = self.messages(question.messages), self.sampling(question.sampling)
        return dataclasses.replace(question, messages=messages, sampling=sampling)

    def scaled(self, factor: float) -> Stack:
        """Every adjustment `factor` times as strong."""
        return Stack(tuple(a.scaled(factor) for a in self.adjustments))

    def __rmul__(self, factor: float) -> Stack:
        """`0.5 * stack` is every adjustment at half its strength."""
        return self.scaled(factor)

    def __add__(self, other: Stack) -> Stack:
        """This stack, then the other."""
        return Stack((*self.adjustments, *other.adjustments))

    def save(self, folder: Path) -> None:
        """Write `stack.json` and each adjustment's own files."""
        for number, adjustment in enumerate(self.adjustments):
            adjustment.save(_place(folder, number))
        write_json(
            folder / "stack.json",
            {"stack": self.hash, "adjustments": [a.describe() for a in self.adjustments]},
        )

    @classmethod
    def load(cls, folder: Path) -> Stack:
        """Read what `save` wrote.

        Raises:
            TaintedError: it learned from rows that were erased since.
        """
        taint.refuse(folder)
        described = read_json(folder / "stack.json")["adjustments"]
        return cls(tuple(_class(d["kind"]).load(_place(folder, n)) for n, d in enumerate(described)))


def hooks_of(kind: str) -> frozenset[Hook]:
    """What adjustments of a kind can touch."""
    return _class(kind).hooks


def taken_apart(model: Model) -> tuple[Model, Stack]:
    """A model without the adjustments that were put on it one by one, and those as a stack."""
    found: list[Adjustment] = []
    while isinstance(model, Adjusted):
        found.append(model.adjustment)
        model = model.model
    return model, Stack(tuple(found[::-1]))


def _answering(model: Any, tokenizer: Any) -> Model:
    if hasattr(model, "answer"):
        found: Model = model
        return found
    return Local(model if isinstance(model, Base) else wrap(model, tokenizer))


def _network(base: Base | None, adjustment: Adjustment, model: Model) -> Base:
    if base:
        return base
    raise ModelError(
        f"{adjustment.kind}: changes weights, and {model.name} is a service that keeps its own",
        "use the rungs prompt, context, decoding and postprocess with it",
    )


def _class(kind: str) -> type[Adjustment]:
    module, name = KINDS[kind]
    found: type[Adjustment] = getattr(importlib.import_module(f"trimtab.adjust.{module}"), name)
    return found


def _place(folder: Path, number: int) -> Path:
    return folder / f"adjustment-{number}"
