"""Comparisons to a verdict: the rules of ship, hold and inconclusive, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab.records import Comparison, Estimate, GuardResult, Verdict

Passing = Literal["passed", "not better on select", "worse", "guard breached"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One stack with its target comparison and guards on one part of the data."""

    stack: str
    target: Comparison
    guards: tuple[GuardResult, ...]


def passes_select(judged: Judged, min_gain: float) -> Passing:
    """Whether a candidate is worth a look at confirm: its estimates alone, no error is charged for it."""
    if judged.target.outcome == "worse":
        return "worse"
    if not judged.target.difference.value > min_gain:
        return "not better on select"
    if any(g.comparison.outcome == "breached" for g in judged.guards):
        return "guard breached"
    return "passed"


def best(candidates: Sequence[Judged], min_gain: float) -> Judged:
    """The candidate to confirm: passing ones first, then fewest guards below their margin, then most gain.

    An undefined gain comes last; of equals the first stands, and candidates come smallest first.
    """

    def rank(judged: Judged) -> tuple[bool, bool, int, float]:
        gain = judged.target.difference.value
        below = sum(
            not g.comparison.difference.value > -g.margin for g in judged.guards if not g.by_construction
        )
        defined = not math.isnan(gain)
        return passes_select(judged, min_gain) == "passed", defined, -below, gain if defined else 0.0

    return max(candidates, key=rank)


def guards_in_the_way(candidates: Sequence[Judged], min_gain: float) -> bool:
    """Whether candidates gain enough on select, but not one of these keeps all its guards above their margins.

    Then a candidate that gains less may be the better one. A guard that is undefined is so for every candidate.
    """
    gaining = [judged for judged in candidates if judged.target.difference.value > min_gain]
    return bool(gaining) and not any(
        passes_select(judged, min_gain) == "passed"
        and not any(
            g.comparison.difference.value <= -g.margin for g in judged.guards if not g.by_construction
        )
        for judged in gaining
    )


def verdict(judged: Judged, *, level: float, look: int) -> Verdict:
    """Read ship, hold or inconclusive from the comparisons on confirm.

    Args:
        level: of every interval, after paying for looks and rungs.
        look: number of this look at the confirm set.
    """
    target, guards = judged.target, judged.guards
    breached = [g for g in guards if g.comparison.outcome == "breached"]
    unheld = [g for g in guards if g.comparison.outcome != "held" and not g.by_construction]
    reasons: list[str] = [_of_target(target)]
    reasons += [_of_guard(g) for g in guards]
    if target.outcome in ("worse", "too small") or breached:
        outcome: Literal["ship", "hold", "inconclusive"] = "hold"
    elif target.outcome == "better" and not unheld:
        outcome = "ship"
    else:
        outcome = "inconclusive"
    return Verdict(
        outcome,
        judged.stack,
        target.difference,
        guards,
        tuple(reasons),
        _need_n(target, unheld) if outcome == "inconclusive" else None,
        target,
        level,
        look,
    )


def without_look(judged: Judged, *, level: float, failure: Passing, explored: bool) -> Verdict:
    """The verdict when confirm was not opened, because select gave no hope or the run only explored.

    What select shows beyond doubt (worse, or a guard breached) is a hold; anything else is inconclusive.
    """
    reasons = [f"on select only: {_of_target(judged.target)}"]
    reasons += [f"on select only: {_of_guard(g)}" for g in judged.guards]
    if failure == "passed":
        reasons.append("explored: the confirm part was not opened, so nothing is proven")
    else:
        reasons.append(f"no look at the confirm part was taken: {failure}")
    outcome: Literal["hold", "inconclusive"] = (
        "hold" if failure in ("worse", "guard breached") else "inconclusive"
    )
    if judged.target.outcome == "too small":
        outcome = "hold"
    return Verdict(
        outcome,
        judged.stack,
        judged.target.difference,
        judged.guards,
        tuple(reasons),
        None,
        judged.target,
        level,
        0,
        explored,
    )


def undefined_verdict(stack: str, reason: str, level: float) -> Verdict:
    """A verdict for a run whose rungs offered nothing to judge."""
    nan = float("nan")
    return Verdict(
        "inconclusive", stack, Estimate(nan, nan, nan, level, 0, "none", reason), (), (reason,), None
    )


def _need_n(target: Comparison, unheld: Sequence[GuardResult]) -> int | None:
    open_ones = [
        c for c in [target, *(g.comparison for g in unheld)] if c.outcome in ("inconclusive", "undefined")
    ]
    needs = [c.need_n for c in open_ones if c.outcome == "inconclusive" and c.need_n is not None]
    return max(needs) if needs and len(needs) == len(open_ones) else None


def _of_target(c: Comparison) -> str:
    words = {
        "better": "better by more than the smallest gain worth having",
        "worse": "worse than the base model",
        "too small": "the gain is too small to be worth having",
        "inconclusive": "the gain is not decided",
    }
    return f"target: {words.get(c.outcome, c.outcome)}: {c.difference}, held against {c.threshold:g}"


def _of_guard(g: GuardResult) -> str:
    if g.by_construction:
        return f"guard {g.suite} ({g.metric}): held by construction: the adjustment cannot touch it"
    c = g.comparison
    return f"guard {g.suite} ({g.metric}): {c.outcome}: {c.difference}, margin {g.margin:g}"
