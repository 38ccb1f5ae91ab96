"""Why a climb ended as it did, in sentences made from its record: smaller rungs, what bounds the best, what next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab.decide.ladder import COMBINED, HEAVY, SKIPPED, Step, best_step
from trimtab.records import Comparison, GuardResult, Verdict

Bound = Literal["power", "guard", "data", "model", "ladder", "budget", "undefined"]

_SMALLER = {
    "too small": "shown too small",
    "worse": "shown worse",
    "guard breached": "breached a guard",
    "undecided": "undecided",
    "not better on select": "not better on select",
    SKIPPED: "not tried: it would have passed the budget",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What keeps the best rung so far from passing, why that is said, and the next thing to try."""

    bound: Bound
    why: str
    next_step: str


def smaller(steps: Sequence[Step], shipped: str) -> list[str]:
    """What is known of each rung below the one that ships; "smallest" means no more than this."""
    below = steps[: [step.rung for step in steps].index(shipped)]
    return [
        f"smaller rung {step.rung}: {_SMALLER[step.outcome]}{_where(step)}{_gain(step.verdict)}"
        for step in below
    ]


def against_prompt(found: Comparison | None) -> str:
    """The winner beside the best prompt, on confirm; "" where no prompt was tried or the prompt is the winner."""
    if found is None:
        return ""
    word = {"better": "better than", "worse": "worse than"}.get(found.outcome, "not shown to differ from")
    return f"beside the best prompt: {word} it: {found.difference}"


def fallen_short(steps: Sequence[Step], ladder: Sequence[str], min_gain: float) -> list[str]:
    """Where nothing ships: the best so far, what bounds it, and the next thing to try."""
    best = best_step(steps)
    found = advice(steps, ladder, min_gain)
    said = [f"best so far: rung {best.rung}, {_SMALLER[best.outcome]}{_where(best)}"] if best else []
    others = [
        f"rung {step.rung}: {_SMALLER[step.outcome]}{_where(step)}" for step in steps if step is not best
    ]
    return [*said, *others, f"bounded by {found.bound}: {found.why}", f"next: {found.next_step}"]


def advice(steps: Sequence[Step], ladder: Sequence[str], min_gain: float) -> Advice:
    """What bounds a climb that did not succeed.

    Args:
        steps: every rung of it, none of which ships.
        ladder: names of its single rungs.
        min_gain: smallest gain worth having.
    """
    best = best_step(steps)
    if best is None or best.verdict is None:
        return _budget([step for step in steps if step.outcome == SKIPPED])
    verdict = best.verdict
    breached = [g for g in verdict.guards if g.comparison.outcome == "breached"]
    if verdict.difference.undefined:
        return Advice(
            "undefined",
            f"the difference is undefined: {verdict.difference.undefined}",
            "mend the examples or the metric that leave it undefined",
        )
    if breached:
        return _guard(best.rung, breached)
    if verdict.difference.value > min_gain:
        return _power(best, verdict)
    return _little(steps, ladder, best)


def _guard(rung: str, breached: Sequence[GuardResult]) -> Advice:
    names = ", ".join(g.suite for g in breached)
    return Advice(
        "guard",
        f"{names} got worse by more than its margin",
        f"see with trimtab dose whether less of {rung} keeps the gain; else fewer epochs or blocks, or a smaller rate",
    )


def _power(best: Step, verdict: Verdict) -> Advice:
    """The estimate is large enough, and its interval, or that of a guard, is too wide."""
    measured = [g for g in verdict.guards if not g.by_construction]
    open_ones = [f"guard {g.suite} ({g.metric})" for g in measured if g.comparison.outcome != "held"]
    wide = [] if verdict.target is not None and verdict.target.outcome == "better" else ["the gain"]
    what = " and ".join([*wide, *open_ones]) or "the gain"
    be = "are" if " and " in what else "is"
    if not best.looked:
        return Advice(
            "power",
            f"{what} looked good enough on select, where nothing can be proven",
            "take a look: the same command without --explore",
        )
    if verdict.need_n is None:
        return Advice(
            "power",
            f"{what} cannot be told from too little with this many items, nor with more at what was seen",
            "a larger change: more candidates on this rung, or the next rung",
        )
    return Advice(
        "power",
        f"{what} {be} not decided with {verdict.difference.n} items",
        f"about {verdict.need_n} items in all would decide; collect more, which is a new look",
    )


def _little(steps: Sequence[Step], ladder: Sequence[str], best: Step) -> Advice:
    """The best gains no more than min_gain: what was left out, else what was learned from, else the model."""
    skipped = [step for step in steps if step.outcome == SKIPPED and step.rung != COMBINED]
    if skipped:
        return _budget(skipped)
    if not any(rung in HEAVY for rung in ladder):
        return Advice(
            "ladder",
            "only changes around the network were tried",
            "add a rung that changes the network, such as adapter, to the ladder",
        )
    trained = [step for step in steps if step.rung in HEAVY]
    if all(step.outcome == "worse" for step in trained):
        return Advice(
            "data",
            "what is learned from tune makes other items worse",
            "look at the worst outputs, mend the examples, or train with a smaller rate",
        )
    if best.outcome == "too small":
        return Advice(
            "model",
            "the largest change tried moves the goal, by less than is worth having",
            "a larger model, or more of the network: another rung, more blocks, a higher rank",
        )
    return Advice(
        "data",
        "no candidate gained enough on select to be put to the test",
        "more and cleaner examples, more epochs, or other candidates; trimtab dose shows whether more strength helps",
    )


def _budget(skipped: Sequence[Step]) -> Advice:
    names = ", ".join(step.rung for step in skipped)
    minutes = sum(step.minutes for step in skipped)
    return Advice(
        "budget",
        f"not tried for want of time: {names}",
        f"raise budget.minutes by about {minutes:.0f}, or give these rungs fewer candidates",
    )


def _where(step: Step) -> str:
    return " on confirm" if step.looked else " on select" if step.outcome in ("too small", "worse") else ""


def _gain(verdict: Verdict | None) -> str:
    return f": {verdict.difference}" if verdict else ""
