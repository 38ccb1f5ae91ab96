"""An ordered tuple of adjustments: identified by content, attached in order, taken off in reverse."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.adjust.adapter import Adapter
from trimtab.adjust.contract import Adjustment
from trimtab.adjust.layers import Layers
from trimtab.model import likelihood
from trimtab.model.load import Base, wrap
from trimtab.model.sampler import sample_all
from trimtab.records import Example, Message, Output, Progress, Report, Sampling, content_hash
from trimtab.run import read_json, write_json

KINDS: dict[str, Any] = {"adapter": Adapter, "layers": Layers}
BASE = "base"


@dataclass(frozen=True)
class Attached:
    """A model with a stack on it. Call it to generate; it ends when its context ends."""

    base: Base
    report: Report | None = None

    def __call__(
        self, examples: Sequence[Example], sampling: Sampling, seeds: Sequence[int] = (0,)
    ) -> list[Output]:
        """One answer for each example and seed, in that order."""
        return self.all([(examples, sampling)], seeds)[0]

    def all(
        self, jobs: Sequence[tuple[Sequence[Example], Sampling]], seeds: Sequence[int] = (0,)
    ) -> list[list[Output]]:
        """The same for several sets of examples, each with settings of its own; faster than one after the other."""

        def report(done: int, total: int, tokens: int) -> None:
            if self.report:
                self.report(Progress("generating", done, total, {"tokens": tokens}))

        return sample_all(self.base, jobs, seeds, report=report)

    def likelihood(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[tuple[float, int]]:
        """Log-probability (nats) and number of tokens of each answer after its prompt."""

        def report(done: int, total: int) -> None:
            if self.report:
                self.report(Progress("reading", done, total))

        return likelihood.answers(self.base, pairs, report=report)


@dataclass(frozen=True)
class Stack:
    """Adjustments in the order in which they are applied; the empty stack is the base model."""

    adjustments: tuple[Adjustment, ...] = ()

    @property
    def hash(self) -> str:
        """Identity by content; `base` for the empty stack."""
        return content_hash([a.hash for a in self.adjustments]) if self.adjustments else BASE

    @contextlib.contextmanager
    def attach(
        self, model: Any, tokenizer: Any = None, *, report: Report | None = None
    ) -> Iterator[Attached]:
        """Apply all adjustments to a model for as long as the context lasts.

        Args:
            model: a loaded `Base`, or any transformers causal model.
            tokenizer: for a transformers model whose own tokenizer does not lie where it came from.
        """
        base = model if isinstance(model, Base) else wrap(model, tokenizer)
        with contextlib.ExitStack() as applied:
            for adjustment in self.adjustments:
                applied.enter_context(adjustment.attach(base))
            yield Attached(base, report)

    def scaled(self, factor: float) -> Stack:
        """Every adjustment `factor` times as strong."""
        return Stack(tuple(a.scaled(factor) for a in self.adjustments))

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
        """Read what `save` wrote."""
        described = read_json(folder / "stack.json")["adjustments"]
        return cls(tuple(KINDS[d["kind"]].load(_place(folder, n)) for n, d in enumerate(described)))


def _place(folder: Path, number: int) -> Path:
    return folder / f"adjustment-{number}"
