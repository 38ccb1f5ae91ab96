"""What every adjustment is: fitted, attached and taken off without a trace, saved, loaded, described."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from trimtab import taint
from trimtab.adjust.loop import Settings
from trimtab.model.load import Base
from trimtab.model.mixed import Changes
from trimtab.records import Message, Model, Output, Question, Report, Sampling

Hook = Literal["messages", "sampling", "network", "text"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of an adjustment, with its unit."""

    value: Any
    unit: str = ""


UNITS = {
    "epochs": "passes",
    "batch_size": "rows",
    "micro_tokens": "tokens",
    "learning_rate": "per update, at its peak",
    "warmup": "share of the updates",
    "weight_decay": "per unit of learning rate",
    "clip": "largest gradient norm",
    "patience": "evaluations, 0 is off",
    "replay": "share of an update's rows, 0 is off",
    "kl": "weight of nats a token, 0 is off",
    "balance": "weight of squared nats a token, 0 is off",
    "seed": "of everything random",
    "proximity": "nats a token per squared length",
    "beta": "per nat of an answer's log-ratio to the base",
    "undesirable": "weight of a rejected answer's loss, of a chosen one's",
}


def training_settings(settings: Settings) -> dict[str, Setting]:
    """Every training setting with its unit."""
    return {f.name: Setting(getattr(settings, f.name), UNITS.get(f.name, "")) for f in fields(settings)}


@dataclass(frozen=True, slots=True)
class Description:
    """What an adjustment is, in numbers: every setting, the weights it holds, and their size on disk."""

    kind: str
    strength: float
    settings: dict[str, Setting]
    parameters: int
    bytes: int


def _unless_tainted(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def checked(kind: type[Any], folder: Path) -> Any:
        taint.refuse(folder)
        return load(kind, folder)

    return checked


class Adjustment(abc.ABC):
    """One reversible change of one kind. Strength 0 is the model before it, bit for bit; 1 is as fitted.

    A kind overrides the hooks that it names in `hooks`, and no others: what a stack cannot touch is read from there.
    A change of several passes (draft and revise, best of n, a rejected answer drawn again) overrides `answers`.
    """

    kind: ClassVar[str]
    hooks: ClassVar[frozenset[Hook]]

    def __init_subclass__(cls, **named: Any) -> None:
        """Let no kind's `load` read a folder that is marked as tainted."""
        super().__init_subclass__(**named)
        if "load" in cls.__dict__:
            cls.load = classmethod(_unless_tainted(cls.__dict__["load"].__func__))  # type: ignore[assignment, method-assign]

    @property
    @abc.abstractmethod
    def strength(self) -> float:
        """0 is the model before it bit for bit, 1 is as fitted."""

    @property
    @abc.abstractmethod
    def hash(self) -> str:
        """Identity by content: kind, settings, weights and strength."""

    @abc.abstractmethod
    def scaled(self, factor: float) -> Self:
        """The same change, `factor` times as strong."""

    @abc.abstractmethod
    def save(self, folder: Path) -> None:
        """Write it so that `load` gives back the same hash."""

    @classmethod
    @abc.abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            TaintedError: the folder is marked (`taint`); every kind is held to it.
        """

    @abc.abstractmethod
    def describe(self) -> Description:
        """Every setting with its unit."""

    def check(self, model: Model) -> None:  # noqa: B027 - most kinds may stand anywhere
        """Refuse a model, with what stands before on it, that this was not made for.

        Raises:
            ModelError: saying what it was made for.
        """

    def attach(self, base: Base) -> AbstractContextManager[None]:
        """Change the base's network for as long as the context lasts: the hook *network*."""
        return contextlib.nullcontext()

    def changes(self, base: Base) -> Changes:
        """The hook *network* module by module, for some rows of a batch: the same as `attach` up to rounding.

        Raises:
            ModelError: it was made for another base.
        """
        return {}

    def messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The conversation to ask instead of this one, which ends with the user's turn: the hook *messages*."""
        return messages

    def sampling(self, sampling: Sampling) -> Sampling:
        """How to draw the answer instead: the hook *sampling*."""
        return sampling

    def text(self, question: Question, output: Output) -> Output:
        """The answer to give instead of this one to a question, as it was asked of this adjustment: the hook *text*."""
        return output

    def asked(self, question: Question) -> Question:
        """A question as the model that stands before this adjustment is to be asked it."""
        messages, sampling = self.messages(question.messages), self.sampling(question.sampling)
        return dataclasses.replace(question, messages=messages, sampling=sampling)

    def answers(self, model: Model, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """Answer questions with the model that stands before this adjustment, in as many passes as are needed."""
        found = model.answer([self.asked(question) for question in asked], report)
        return [self.text(question, output) for question, output in zip(asked, found, strict=True)]

    def __rmul__(self, factor: float) -> Self:
        """`0.5 * a` is `a` at half its strength."""
        return self.scaled(factor)

    def __add__(self, other: Self) -> Self:
        """Both changes as one, where the sum of two of a kind means something."""
        return NotImplemented
