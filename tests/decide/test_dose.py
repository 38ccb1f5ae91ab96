"""Strengths to a dose: what is effective, what harms, and each sign of too much or too little with its remedy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from trimtab import stats
from trimtab.decide import dose
from trimtab.decide.dose import Dose
from trimtab.records import Comparison, Estimate, GuardResult


def compared(outcome: str, value: float) -> Comparison:
    return Comparison(Estimate(value, value - 1, value + 1, 0.99, 30, "t"), 0.5, outcome, None, 0.5, 2.0)  # type: ignore[arg-type]


def made(
    strength: float, outcome: str = "inconclusive", guard: str = "held", value: float = 1.0, **more: Any
) -> Dose:
    found = GuardResult("english", "nll", 0.05, compared(guard, 0.0))
    texts = {"variety": 0.8, "usual": 0.9, "copied": 0.0} | more
    return Dose(strength, f"s{strength:g}", compared(outcome, value), (found,), **texts)


BASE = made(0.0, "too small", value=0.0)
CURVE = (
    BASE,
    made(0.5),
    made(1.0, "better", value=4),
    made(1.5, "better", value=5),
    made(2.0, "better", "breached", 6),
)


def names(*doses: Dose, growing: str = "") -> dict[str, dose.Finding]:
    last = compared(growing, 1.0) if growing else None
    return {finding.name: finding for finding in dose.findings(doses, last)}


def test_the_smallest_effective_and_the_first_harmful() -> None:
    assert dose.smallest_effective(CURVE) == 1.0
    assert dose.first_harmful(CURVE) == 2.0
    assert dose.smallest_effective(CURVE[:2]) is None
    assert dose.first_harmful(CURVE[:4]) is None
    assert dose.first_harmful([BASE, made(0.5, "worse", value=-2), *CURVE[2:]]) == 0.5


def test_a_lost_guard_names_the_strength_that_is_left() -> None:
    found = names(*CURVE)["guard lost"]
    assert (found.kind, found.strength) == ("over", 2.0)
    assert "english" in found.said
    assert "strength 1.5" in found.remedy
    nothing_left = names(BASE, made(1.0, "better", "breached", 4))["guard lost"]
    assert "smaller rate" in nothing_left.remedy


def test_a_target_that_turns_worse() -> None:
    found = names(BASE, made(1.0, "better", value=4), made(2.0, "worse", value=-4))["target worse"]
    assert (found.kind, found.strength) == ("over", 2.0)
    assert "strength 1," in found.remedy
    assert "mend the examples" in names(BASE, made(1.0, "worse", value=-4))["target worse"].remedy


def test_answers_that_are_all_alike() -> None:
    found = names(BASE, made(1.0, "better"), made(2.0, "better", variety=0.3))["diversity collapse"]
    assert (found.kind, found.strength) == ("over", 2.0)
    # Where the good answers are alike as well, there is nothing wrong; with too few words nothing is said.
    assert "diversity collapse" not in names(BASE, made(2.0, "better", variety=0.3, usual=0.35))
    assert "diversity collapse" not in names(BASE, made(2.0, variety=math.nan, usual=math.nan))


def test_answers_learned_by_heart() -> None:
    found = names(BASE, made(1.0, "better", copied=0.04), made(2.0, "better", copied=0.2))[
        "memorised answers"
    ]
    assert (found.kind, found.strength) == ("over", 2.0)
    assert "20%" in found.said
    knew = made(0.0, "too small", value=0.0, copied=0.3)
    assert "memorised answers" not in names(knew, made(2.0, "better", copied=0.3))


def test_a_gain_that_is_too_small_everywhere() -> None:
    found = names(BASE, made(1.0, value=1.0), made(2.0, value=1.5))["gain too small"]
    assert (found.kind, found.strength) == ("under", 2.0)
    assert "1.5 [0.5, 2.5]" in found.said
    assert "train longer" in found.remedy
    harmed = names(BASE, made(1.0, value=1.0), made(2.0, "inconclusive", "breached", 1.5))["gain too small"]
    assert "only harms" in harmed.remedy
    assert "gain too small" not in names(*CURVE)


def test_a_gain_that_has_not_levelled_off() -> None:
    assert names(*CURVE[:4], growing="better")["still growing"].strength == 1.5
    assert "still growing" not in names(*CURVE[:4], growing="inconclusive")
    assert "still growing" not in names(*CURVE, growing="better")
    assert "still growing" not in names(*CURVE[:4])


def test_every_finding_has_a_remedy() -> None:
    found = [
        *names(*CURVE[:4], made(2.0, "worse", "breached", -1, variety=0.1, copied=0.5)).values(),
        *names(BASE, made(1.0), growing="better").values(),
    ]
    assert len(found) == 6
    assert all(finding.remedy and finding.said and finding.kind in ("over", "under") for finding in found)


def test_a_curve_without_effect_names_a_strength_at_most_one_time_in_twenty() -> None:
    """By simulation with the library's own intervals: seven strengths that share luck, none with an effect."""
    strengths = dose.STRENGTHS
    level = dose.level(strengths)
    assert level == pytest.approx(1 - 0.05 / 7)
    rng = np.random.default_rng(0)
    wrong, curves = 0, 200
    for _ in range(curves):
        shared = rng.normal(size=60)
        found = [
            stats.compare(np.zeros(60), 0.8 * shared + 0.6 * rng.normal(size=60), level=level)
            for _ in strengths[1:4]
        ]
        wrong += any(one.outcome in ("better", "worse") for one in found)
    assert wrong / curves <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / curves)
