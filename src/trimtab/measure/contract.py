"""The one contract of all metrics: what is asked, in which unit, which way is better, what it cannot show."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import numpy as np

from trimtab.errors import MissingPart
from trimtab.records import NAN, Example, Message

Direction = Literal["higher", "lower"]
Needs = Literal["generation", "likelihood", "choices", "pairs"]
Ask = tuple[tuple[Message, ...], str]
ScoreAnswer = Callable[[Example, str], float]
ScoreSeveral = Callable[[Sequence[str], Sequence[Sequence[str]]], float]
SufficientStatistics = Callable[[Example, str], tuple[float, ...]]
Statistic = Callable[[np.ndarray], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: four facts for people, and the functions that compute it.

    Attributes:
        name: what recipes, scores and reports call it.
        unit: unit of a score.
        direction: which scores are better.
        question: the question that a score answers.
        limits: what a score cannot show.
        bounds: smallest and largest possible score, or None where either is infinite.
        needs: "generation" reads sampled answers; "likelihood" reads the log-probability of the references,
            "choices" of each choice and "pairs" of both members of a pair.
        score: of one answer, for "generation": (example, text) -> float, nan where undefined.
        agree: instead of `score`, of all answers to an item: (its answers, those of each other item of its group) ->
            float, nan where undefined. One score an item, with seed 0.
        over: for `agree`, whether the answers to the item itself are compared, of which it then needs two, or those
            to the items of its group.
        contrast: instead of `score`, a score of one answer, of which the means over the answers to the first item of
            a `group` and over those to its other items are held against each other: their distance is the first
            item's score. Nan for the others, so that a group counts once, and for an item alone.
        asks: for the other three: the (messages, answer) pairs whose likelihood is needed; empty: undefined.
        combine: likelihoods of these pairs, (total log-probability in nats, tokens) each, -> float.
        values: sufficient statistics (k,) of one answer, for a metric of a whole corpus; nan where undefined.
        statistic: rows of sufficient statistics (n, k) -> the corpus score. Seeds are summed within a row.
    """

    name: str
    unit: str
    direction: Direction
    question: str
    limits: str
    bounds: tuple[float, float] | None = None
    needs: Needs = "generation"
    score: ScoreAnswer | None = None
    agree: ScoreSeveral | None = None
    over: Literal["item", "group"] = "item"
    contrast: ScoreAnswer | None = None
    asks: Callable[[Example], list[Ask]] | None = None
    combine: Callable[[Example, Sequence[tuple[float, int]]], float] | None = None
    values: SufficientStatistics | None = None
    statistic: Statistic | None = None

    @property
    def least_seeds(self) -> int:
        """Answers to an item without which the metric has no score."""
        return 2 if self.agree and self.over == "item" else 1

    @property
    def sign(self) -> float:
        """1 where higher is better, -1 where lower is: times a score, larger is better."""
        return 1.0 if self.direction == "higher" else -1.0

    def applies(self, example: Example) -> bool:
        """Whether there is anything to measure on an item, as far as can be told without a model."""
        return self.asks is None or bool(self.asks(example))

    @property
    def oriented_bounds(self) -> tuple[float, float] | None:
        """The bounds after orientation, so that larger is better."""
        if self.bounds is None or self.direction == "higher":
            return self.bounds
        return -self.bounds[1], -self.bounds[0]

    @property
    def oriented_statistic(self) -> Statistic | None:
        """The corpus statistic after orientation, or None where the mean over items is the metric."""
        statistic, sign = self.statistic, self.sign
        if statistic is None:
            return None
        return lambda rows: sign * statistic(rows)


def optional(module: str, *, extra: str = "measures") -> ModuleType:
    """Import a third-party module that the base installation lacks.

    Raises:
        MissingPart: it is not installed; the hint names the extra to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        name = error.name or module
        raise MissingPart(
            f"the package that provides {name!r} is not installed", f"pip install 'trimtab[{extra}]'"
        ) from None


def ratio(part: float, whole: float, *, empty: float = NAN) -> float:
    """part / whole, or `empty` where the whole is 0."""
    return part / whole if whole else empty
