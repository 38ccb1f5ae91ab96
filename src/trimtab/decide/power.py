"""What the data can prove, stated before any time is spent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from trimtab import stats
from trimtab.errors import StatisticsError

# Typical spread of an item's paired difference before anything was measured: standard deviation, or the share of
# pairs that differ for 0/1 metrics. Rounded up from the runs that docs/results.md reports.
TYPICAL_SD = {
    "chrf": 20.0,
    "bleu": 20.0,
    "rouge_l": 0.16,
    "nll": 0.08,
    "coverage": 0.45,
    "invented": 0.45,
    "similarity": 0.2,
    "phrase_rate": 0.05,
    "sentiment": 0.5,
    "readability": 25.0,
}
TYPICAL_DISCORDANCE = {
    "choice": 0.12,
    "refusal": 0.1,
    "exact_match": 0.25,
    "accuracy": 0.25,
    "minimal_pair": 0.1,
    "preference": 0.1,
}


@dataclass(frozen=True, slots=True)
class Question:
    """One comparison that a run will have to decide on confirm.

    Attributes:
        n: items in confirm.
        threshold: min_gain of a target, or -margin of a guard.
        expected: the true difference that power is computed for; 0 for a guard.
        span: width of the metric's range, None where it is infinite.
    """

    name: str
    metric: str
    role: str
    n: int
    threshold: float
    expected: float
    span: float | None = None
    observed_sd: float | None = None


def assess(question: Question, level: float) -> dict[str, Any]:
    """Power, smallest detectable difference and items needed, and what spread was assumed."""
    spread, assumed = _spread(question)
    limits = {"min_gain": question.threshold} if question.threshold >= 0 else {"margin": -question.threshold}
    common: dict[str, Any] = {**spread, **limits, "level": level}
    try:
        need: int | None = stats.sample_size(effect=question.expected, **common)
    except StatisticsError:
        need = None
    return {
        "name": question.name,
        "role": question.role,
        "n": question.n,
        "threshold": question.threshold,
        "expected": question.expected,
        "sd": spread.get("sd") or math.sqrt(spread["discordance"]),
        "detectable": stats.detectable_effect(n=question.n, **common),
        "power": stats.power(effect=question.expected, n=question.n, **common),
        "need_n": need,
        "assumed": assumed,
    }


def unprovable(question: Question, level: float) -> str:
    """Why a guard's margin cannot be proven at its n even if not one item changes; "" if it can."""
    if question.role != "guard" or question.span is None or question.metric not in TYPICAL_DISCORDANCE:
        return ""
    need = stats.items_without_change(margin=-question.threshold, span=question.span, level=level)
    if question.n >= need:
        return ""
    return (
        f"{question.name}: a margin of {-question.threshold:g} needs {need} items even if none changes; "
        f"confirm has {question.n}. Add items, or allow a wider margin"
    )


def _spread(question: Question) -> tuple[dict[str, float], str]:
    if question.observed_sd is not None and question.observed_sd > 0:
        return {"sd": question.observed_sd}, f"{question.name}: spread seen on select"
    if question.metric in TYPICAL_DISCORDANCE:
        share = max(TYPICAL_DISCORDANCE[question.metric], abs(question.expected))
        return {"discordance": share}, f"{question.name}: {share:.0%} of items change, as is typical"
    if question.metric in TYPICAL_SD:
        sd = TYPICAL_SD[question.metric]
        return {
            "sd": sd
        }, f"{question.name}: an item's difference has a standard deviation of {sd:g}, as is typical"
    sd = question.span / 4 if question.span else 2 * max(abs(question.expected), abs(question.threshold))
    return {"sd": sd}, f"{question.name}: nothing is known of its spread; {sd:g} was assumed"
