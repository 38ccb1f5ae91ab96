"""What fitting a candidate works with, and what it gives back; the same for every rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from trimtab.adjust.contract import Adjustment
from trimtab.adjust.stack import Stack
from trimtab.candidates import Candidate
from trimtab.measure.trial import measure, table
from trimtab.model.find import AnyBase, loaded
from trimtab.model.load import Base
from trimtab.prepare import Prepared
from trimtab.records import Example, Report


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds a token, measured on this machine with this model: reading text, and sampling answers.

    `epoch` is the seconds that one forward pass over tune takes, beginnings that rows of an update share read once.
    """

    read: float
    sample: float
    epoch: float


@dataclass(frozen=True, slots=True)
class Workshop:
    """A run's data, goal and model, of which a candidate is fitted on *tune* and may be calibrated on *select*.

    Attributes:
        model: the base model, loaded here or served elsewhere: what stacks are attached to.
        folder: for what an interrupted fit leaves behind; removed when it has ended.
    """

    prepared: Prepared
    model: AnyBase
    folder: Path
    report: Report | None = None

    @property
    def base(self) -> Base:
        """The base with its network and tokenizer.

        Raises:
            ModelError: it is a service, which keeps both.
        """
        return loaded(self.model)

    def scores(self, stack: Stack, examples: Sequence[Example]) -> np.ndarray:
        """The goal of a stack on items (n,), larger is better, averaged over seeds.

        For a corpus metric the sufficient statistics (n, k).
        """
        prepared = self.prepared
        with stack.attach(self.model, report=self.report) as model:
            _, scores = measure(
                examples,
                prepared.goal,
                generate=model,
                likelihood=model.likelihood,
                sampling=prepared.sampling,
                seeds=prepared.seeds,
            )
        found = table(scores, prepared.goal)[1]
        return found if prepared.goal.statistic else found.mean(axis=1)

    def value(self, stack: Stack, examples: Sequence[Example]) -> float:
        """The goal of a stack over items as one number, larger is better."""
        scores, statistic = self.scores(stack, examples), self.prepared.goal.oriented_statistic
        return statistic(scores) if statistic else float(np.nanmean(scores))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A candidate as fitted: the adjustment, what it cost, and the course of its training, if there was one."""

    adjustment: Adjustment
    cost: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]] = field(default=())


class Kind(Protocol):
    """What the module of a rung provides."""

    def defaults(self, shop: Workshop, speed: Speed, seconds: float) -> Sequence[Candidate]:
        """Candidates to try when the recipe names none, at least one; fitting them should take `seconds` at most."""
        ...

    def seconds(self, shop: Workshop, candidate: Any, speed: Speed) -> float:
        """Time that fitting a candidate is expected to take."""
        ...

    def fit(self, shop: Workshop, candidate: Any) -> Fitted:
        """Fit a candidate on tune; an interrupted fit goes on where it stopped."""
        ...
