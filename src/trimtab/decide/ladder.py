"""The climb: which rung stands next, what error it may spend, when it ends. It knows nothing of models.

Rung by rung, smallest change first. A rung that fails on select, or is skipped because its expected time would pass
the budget, takes no look at confirm and passes its weight on; one that passes takes a look at the error that is its
own weight and what was passed on to it. The climb ends at the first success. Where no rung succeeds, a last one joins
the best light change (of the conversation, the sampling or the text) with the best change of the network.

Error. Stacks, their order, weights and what passes on depend on tune and select (and on the clock), never on scores
of confirm. So given those, rung r ships wrongly with probability at most alpha_r, and any rung of run j with
probability at most sum alpha_r <= run_alpha(j). See docs/decisions/0009-ladder.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab import stats
from trimtab.decide import judge
from trimtab.records import Verdict

LIGHT = ("prompt", "context", "decoding", "postprocess")
HEAVY = ("steering", "embedding", "adapter", "layers")
COMBINED = "combined"
SKIPPED = "skipped: budget"

Outcome = Literal[
    "passed",
    "too small",
    "worse",
    "guard breached",
    "undecided",
    "not better on select",
    "skipped: budget",
]


@dataclass(frozen=True, slots=True)
class Step:
    """A rung as it came out.

    Attributes:
        alpha: one-sided error of its look at confirm; nan where it took none.
        verdict: on confirm where a look was taken, else on select; None where nothing was measured.
        minutes: that it took, or was expected to take where it was skipped.
    """

    rung: str
    outcome: Outcome
    alpha: float = math.nan
    verdict: Verdict | None = None
    minutes: float = 0.0

    @property
    def looked(self) -> bool:
        """Whether confirm was opened for it."""
        return not math.isnan(self.alpha)


@dataclass(frozen=True, slots=True)
class Climb:
    """A ladder, and how far it was climbed; a step gives a new one.

    Attributes:
        weights: of each rung, in order; `combined` last where the ladder has it.
        steps: what has come out so far, in order.
    """

    weights: Mapping[str, float]
    steps: tuple[Step, ...] = ()

    @property
    def rung(self) -> str | None:
        """The rung that stands next; None where the climb is over."""
        if self.steps and self.steps[-1].outcome == "passed" and self.steps[-1].looked:
            return None
        return next(iter(list(self.weights)[len(self.steps) :]), None)

    def alpha(self, look: int) -> float:
        """One-sided error that the next rung may spend if it passes on select; `look` is the run's, from 1."""
        failed = [step.rung for step in self.steps if not step.looked]
        return stats.rung_alphas(self.weights, run=look, failed=failed)[str(self.rung)]

    def too_long(self, expected: Mapping[str, float], spent: float, budget: float) -> bool:
        """Whether the next rung is to be skipped: its expected minutes, on top of those spent, pass the budget.

        Time is kept for rungs behind it that weigh more, where they still fit: they are the likelier ones. The first
        rung that could be tried is tried at any price: a run that measured nothing is no use.

        Args:
            expected: minutes of each rung; one that is missing counts as 0.
        """
        if all(step.outcome == SKIPPED for step in self.steps):
            return False
        here, *behind = list(self.weights)[len(self.steps) :]
        kept = sum(expected.get(rung, 0.0) for rung in behind if self.weights[rung] > self.weights[here])
        kept = kept if spent + kept <= budget else 0.0
        return spent + expected.get(here, 0.0) + kept > budget

    def then(self, step: Step) -> Climb:
        """The climb after the rung that stood next came out like this."""
        if step.rung != self.rung:
            raise ValueError(f"the next rung is {self.rung}, not {step.rung}")
        return Climb(self.weights, (*self.steps, step))


def start(weights: Mapping[str, float], combined: float) -> Climb:
    """A climb that has not begun.

    Args:
        weights: of the single rungs, positive, in the ladder's order.
        combined: weight kept for the rung `combined`, from 0. It is there only where the ladder has a light rung and
            one that changes the network; what failing rungs at the end leave passes on to it.
    """
    joins = combined > 0 and any(rung in LIGHT for rung in weights) and any(rung in HEAVY for rung in weights)
    return Climb({**weights, COMBINED: combined} if joins else dict(weights))


def parts(chosen: Mapping[str, judge.Judged], min_gain: float) -> list[tuple[str, str]]:
    """The pairs (network rung, light rung) that the rung `combined` tries, from what select shows alone.

    The network rung is the best of those whose candidate gains on select; a light one needs a gain above 0. None may
    have breached a guard there. Outcomes on confirm must not choose here: they would choose the stack by the items
    that then judge it.

    Args:
        chosen: the candidate that each single rung chose, judged on select.
    """
    hopeful = {
        rung: found
        for rung, found in chosen.items()
        if found.target.difference.value > 0
        and not any(g.comparison.outcome == "breached" for g in found.guards)
    }
    heavy = {rung: found for rung, found in hopeful.items() if rung in HEAVY}
    if not heavy:
        return []
    best = judge.best(list(heavy.values()), min_gain)
    under = next(rung for rung, found in heavy.items() if found is best)
    return [(under, rung) for rung in hopeful if rung in LIGHT]


def worth_combining(steps: Sequence[Step], rungs: Sequence[str]) -> bool:
    """Whether a look at a combination of these rungs has hope: none was shown to harm on confirm.

    This reads confirm, and may: it can only take a look away.
    """
    return not any(step.rung in rungs and step.outcome in ("worse", "guard breached") for step in steps)


def on_confirm(verdict: Verdict) -> Outcome:
    """What a rung's look at confirm came to."""
    if verdict.outcome == "ship":
        return "passed"
    if any(guard.comparison.outcome == "breached" for guard in verdict.guards):
        return "guard breached"
    found = verdict.target.outcome if verdict.target else "inconclusive"
    if found == "worse":
        return "worse"
    return "too small" if found == "too small" else "undecided"


def on_select(passing: judge.Passing, verdict: Verdict) -> Outcome:
    """What a rung came to that took no look: failed on select, or the run only explores."""
    if passing == "passed":
        return "undecided"
    small = verdict.target is not None and verdict.target.outcome == "too small"
    return "too small" if small and passing == "not better on select" else passing


def best_step(steps: Sequence[Step]) -> Step | None:
    """The rung that a run's verdict is about: the one that ships, else the best so far; None if nothing was measured.

    Of those that do not ship: confirm before select, no harm before harm, what is open before what is known to be too
    little, then the larger gain; of equals the first.
    """

    def rank(step: Step) -> tuple[bool, bool, bool, float]:
        value = step.verdict.difference.value if step.verdict else math.nan
        harmless = step.outcome not in ("worse", "guard breached")
        unsettled = step.verdict is not None and step.verdict.outcome == "inconclusive"
        return step.looked, harmless, unsettled, -math.inf if math.isnan(value) else value

    shipped = [step for step in steps if step.looked and step.outcome == "passed"]
    measured = [step for step in steps if step.verdict is not None]
    return shipped[0] if shipped else max(measured, key=rank, default=None)
