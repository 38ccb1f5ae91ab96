"""People's judgement in a verdict: a guard beside the others, or the goal itself.

As a guard it must be held like any other, at the level of the rung (intersection-union, no further correction). As
the goal it stands in for the metric, which then has only chosen what people see: the one test of the target is theirs.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from trimtab import stats
from trimtab.decide import judge
from trimtab.records import AWAITS_PEOPLE, Comparison, GuardResult, Verdict

Role = Literal["goal", "guard"]
SUITE, METRIC = "people", "win_rate"
# Standard deviation of an item's share of judgements for the candidate that a plan assumes: 0.5 where nobody is ever
# undecided and all agree, less with ties and with people who differ.
SPREAD = 0.4


def reviewable(measured: Verdict, role: Role) -> bool:
    """Whether people's judgement on confirm could still end in ship: what was measured does not rule it out."""
    if measured.look == 0 or measured.explored:
        return False
    if role == "guard":
        return measured.outcome == "ship"
    return all(g.by_construction or g.comparison.outcome == "held" for g in measured.guards)


def waiting(measured: Verdict, role: Role) -> Verdict:
    """The verdict while people have not judged yet: inconclusive where it rests on them, else as it is."""
    if not reviewable(measured, role):
        return measured
    return dataclasses.replace(measured, outcome="inconclusive", reasons=(*measured.reasons, AWAITS_PEOPLE))


def concluded(measured: Verdict, people: Comparison, role: Role, margin: float) -> Verdict:
    """What was measured and what people judged, as one verdict.

    Args:
        people: the win rate less one half, held against min_gain as the goal, or against -margin as a guard.
    """
    target, guards = measured.target, measured.guards
    if role == "goal":
        target = people
    else:
        guards = (*guards, GuardResult(SUITE, METRIC, margin, people))
    if target is None:
        return measured
    joined = judge.verdict(
        judge.Judged(measured.stack, target, guards), level=measured.level, look=measured.look
    )
    said = f"people: {people.outcome}: win rate less one half {people.difference}, held against {people.threshold:g}"
    return dataclasses.replace(
        measured,
        outcome=joined.outcome,
        target=target,
        difference=target.difference,
        guards=guards,
        need_n=joined.need_n,
        reasons=(*(_of_metric(one, role) for one in measured.reasons), said),
        decided_by="people" if role == "goal" else "metric",
    )


def _of_metric(reason: str, role: Role) -> str:
    """A reason of the metric's, which decides nothing where people are the goal."""
    rest = reason.removeprefix("target: ")
    return (
        reason
        if role == "guard" or rest == reason
        else f"the metric, which only chose what people saw: {rest}"
    )


def planned(items: int, per_item: int, role: Role, bar: float, level: float) -> str:
    """What a review of so many items can show, in a sentence; `bar` is min_gain as the goal, the margin as a guard."""
    asked = f"people: {items} items of confirm by {per_item} people each are {items * per_item} judgements"
    assumed = f"between items a standard deviation of {SPREAD:g} is assumed"
    if items < 2:
        return f"{asked}, which show nothing; give data.split.confirm more"
    if role == "goal":
        found = stats.detectable_effect(n=items, sd=SPREAD, min_gain=bar, level=level)
        return f"{asked}, which detect a win rate of {0.5 + found:.2f} with 80% power; {assumed}"
    need = stats.sample_size(effect=0.0, sd=SPREAD, margin=bar, level=level)
    enough = "that is enough" if items >= need else f"{need} items are needed"
    return (
        f"{asked}; to show with 80% power that answers preferred as often are not preferred less than "
        f"{0.5 - bar:.2f} of the time, {enough}; {assumed}"
    )
