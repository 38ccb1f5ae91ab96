"""What fitting a candidate works with, and what it gives back; the same for every rung."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from trimtab.adjust.contract import Adjustment
from trimtab.adjust.stack import Stack
from trimtab.candidates import Candidate
from trimtab.measure.trial import measure, table
from trimtab.model.find import AnyBase, loaded
from trimtab.model.load import Base
from trimtab.prepare import Prepared
from trimtab.records import Example, Report, content_hash, questions
from trimtab.rungs.advised import Advised

# Characters of a text in one token, for estimates of time.
CHARACTERS_PER_TOKEN = 4.0
# Share of the budget that fitting may take.
FITTING = 0.5
One = TypeVar("One")
Found = TypeVar("Found")

# What was made for one rung or candidate and serves others, by the network, or the service, that it was made with.
_known: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()


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
        advised: what a survey of the network's blocks advises to try.
    """

    prepared: Prepared
    model: AnyBase
    folder: Path
    report: Report | None = None
    advised: Advised = field(default_factory=Advised)

    @property
    def base(self) -> Base:
        """The base with its network and tokenizer.

        Raises:
            ModelError: it is a service, which keeps both.
        """
        return loaded(self.model)

    @property
    def gives_logprobs(self) -> bool:
        """Whether answers come with log-probabilities; a service may give none.

        Seen from the answers that planning has asked it for.
        """
        if isinstance(self.model, Base):
            return True
        few = self.prepared.parts["select"][: self.model.options.at_once]
        asked = questions(few, self.prepared.sampling, self.prepared.seeds[:1])
        model = self.model
        return self.once(["log-probabilities"], lambda: any(o.logprobs for o in model.answer(asked)))

    @property
    def room(self) -> float:
        """Seconds that fitting the candidates of one rung may take: its share of what the budget has for fitting."""
        recipe = self.prepared.recipe
        return 60 * recipe.budget.minutes * FITTING / len(recipe.ladder)

    def some(self, most: int) -> list[Example]:
        """At most so many examples of tune, drawn by the recipe's seed, in their order."""
        tune = self.prepared.parts["tune"]
        chosen = np.random.default_rng(self.prepared.recipe.seed).permutation(len(tune))[:most]
        return [tune[number] for number in sorted(chosen)]

    def once(self, what: Any, make: Callable[[], Found]) -> Found:
        """What was made before from the same data with the same network or service, or made now.

        Args:
            what: names it among all that is made so; JSON values.
        """
        maker = self.model.network if isinstance(self.model, Base) else self.model
        known = _known.setdefault(maker, {})
        prepared = self.prepared
        key = content_hash([prepared.identity, prepared.sampling, prepared.seeds[:1], what])
        if key not in known:
            known[key] = make()
        found: Found = known[key]
        return found

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
    """A candidate as fitted: the adjustment, what it cost, and the course of its training, if there was one.

    made: augmented rows that it learned beside tune.
    """

    adjustment: Adjustment
    cost: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]] = field(default=())
    made: Sequence[Example] = ()


def in_time(wanted: Sequence[One], cost: Callable[[One], float], seconds: float) -> list[One]:
    """The first of these, as many as can be measured in time, at least one; `cost` is in seconds."""
    kept: list[One] = []
    for one in wanted:
        seconds -= cost(one)
        if seconds < 0 and kept:
            break
        kept.append(one)
    return kept


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
