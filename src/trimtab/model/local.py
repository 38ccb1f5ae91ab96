"""A loaded base as something that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.model import likelihood, sampler
from trimtab.model.load import Base
from trimtab.records import Output, Pair, Progress, Question, Report


@dataclass(frozen=True)
class Local:
    """A base model on this machine, with whatever is attached to its network."""

    base: Base

    @property
    def name(self) -> str:
        """What people call the model."""
        return self.base.name

    def answer(self, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """One answer for each question, in order."""

        def tell(done: int, total: int, tokens: int) -> None:
            if report:
                report(Progress("generating", done, total, {"tokens": tokens}))

        return sampler.answer(self.base, asked, report=tell)

    def likelihood(self, pairs: Sequence[Pair], report: Report | None = None) -> list[tuple[float, int]]:
        """Log-probability (nats) and number of tokens of each answer after its prompt."""

        def tell(done: int, total: int) -> None:
            if report:
                report(Progress("reading", done, total))

        return likelihood.answers(self.base, pairs, report=tell)
