"""What an interval says of a difference: better, worse, too small, held, breached, or not decided yet."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trimtab.errors import StatisticsError
from trimtab.records import NAN, Comparison, Estimate
from trimtab.stats.choose import Choice
from trimtab.stats.distributions import normal_quantile
from trimtab.stats.intervals import p_value
from trimtab.stats.levels import alpha_from_level

Outcome = Literal["better", "worse", "too small", "held", "breached", "inconclusive", "undefined"]
PLANNED_POWER = 0.8


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on n items: both means, the interval chosen, and the metric's range where it has one."""

    n: int
    baseline: float
    candidate: float
    choice: Choice
    span: float | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What a difference must lie above, and what each position of its interval (low, high) is called."""

    threshold: float
    outcome: Callable[[float, float], Outcome]


NeedItems = Callable[[Measured, Estimate, float], int | None]


def gain_above(min_gain: float) -> Aim:
    """A goal: better if low > min_gain; worse if high < 0; too small if high <= min_gain; else inconclusive.

    Raises:
        StatisticsError: min_gain is not a number from 0.
    """
    if not 0 <= min_gain < math.inf:
        raise StatisticsError(
            f"min_gain {min_gain} is not a number from 0",
            "for what may be lost give a margin, as to non_inferior",
        )

    def outcome(low: float, high: float) -> Outcome:
        if low > min_gain:
            return "better"
        if high < 0:
            return "worse"
        return "too small" if high <= min_gain else "inconclusive"

    return Aim(min_gain, outcome)


def loss_within(margin: float) -> Aim:
    """A guard: held if low > -margin; breached if high < -margin; else inconclusive.

    Raises:
        StatisticsError: margin is not a number from 0.
    """
    if not 0 <= margin < math.inf:
        raise StatisticsError(
            f"margin {margin} is not a number from 0", "a margin is the largest loss allowed"
        )

    def outcome(low: float, high: float) -> Outcome:
        if low > -margin:
            return "held"
        return "breached" if high < -margin else "inconclusive"

    return Aim(-margin, outcome)


def estimated(choice: Choice, level: float, n: int) -> Estimate:
    """The interval of a choice at `level`, or undefined with its reason."""
    if choice.family is None:
        return Estimate(NAN, NAN, NAN, level, n, "none", choice.undefined)
    return choice.family.estimate(level, n)


def judged(measured: Measured, aim: Aim, level: float, need_items: NeedItems) -> Comparison:
    """The comparison of what was measured with what is aimed at.

    need_items: from what was measured, its difference and the threshold to the items in all that would decide; asked
    only where the outcome is inconclusive.
    """
    family, notes = measured.choice.family, measured.choice.notes
    difference = estimated(measured.choice, level, measured.n)
    means = measured.baseline, measured.candidate
    if family is None:
        return Comparison(difference, NAN, "undefined", None, NAN, aim.threshold, *means, notes)
    outcome = aim.outcome(difference.low, difference.high)
    z = normal_quantile(1 - alpha_from_level(level))
    detectable = (difference.value - difference.low) * (1 + normal_quantile(PLANNED_POWER) / z)
    need = need_items(measured, difference, aim.threshold) if outcome == "inconclusive" else None
    p = p_value(family, aim.threshold)
    return Comparison(difference, p, outcome, need, detectable, aim.threshold, *means, notes)
