"""What the record of a climb is said to mean: one case for each thing that can bound it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from trimtab.decide import reasons
from trimtab.decide.ladder import Step
from trimtab.records import Comparison, Estimate, GuardResult, Verdict

MIN_GAIN = 2.0


def compared(outcome: str, value: float = 1.0) -> Comparison:
    undefined = "no items" if outcome == "undefined" else ""
    estimate = Estimate(value, value - 1, value + 1, 0.95, 30, "t", undefined)
    return Comparison(estimate, 0.5, outcome, None, 0.5, MIN_GAIN)  # type: ignore[arg-type]


def guard(outcome: str, suite: str = "english", *, built: bool = False) -> GuardResult:
    return GuardResult(suite, "nll", 0.05, compared(outcome, 0.0), built)


def step(
    rung: str,
    outcome: str,
    value: float = 1.0,
    *guards: GuardResult,
    target: str = "inconclusive",
    look: int = 0,
    need_n: int | None = None,
) -> Step:
    word = "hold" if outcome in ("too small", "worse", "guard breached") else "inconclusive"
    found = compared(target, value)
    verdict = Verdict(word, rung, found.difference, guards, (), need_n, found, 0.95, look)  # type: ignore[arg-type]
    return Step(rung, outcome, 0.01 if look else math.nan, verdict)  # type: ignore[arg-type]


SKIPPED = Step("layers", "skipped: budget", minutes=12.4)
CASES: dict[str, tuple[list[Step], list[str], str, str, str]] = {
    "a guard": (
        [
            step(
                "adapter",
                "guard breached",
                5,
                guard("breached"),
                guard("held", "facts"),
                target="better",
                look=1,
            )
        ],
        ["adapter"],
        "guard",
        "english got worse",
        "trimtab dose",
    ),
    "power for the gain": (
        [step("adapter", "undecided", 3, guard("held"), look=1, need_n=240)],
        ["adapter"],
        "power",
        "the gain is not decided with 30 items",
        "about 240 items",
    ),
    "power for a guard": (
        [
            step(
                "adapter",
                "undecided",
                5,
                guard("inconclusive"),
                guard("inconclusive", "built", built=True),
                target="better",
                look=1,
                need_n=400,
            )
        ],
        ["adapter"],
        "power",
        "guard english (nll) is not decided with 30 items",
        "about 400 items",
    ),
    "power that more items would not bring": (
        [step("adapter", "undecided", 3, look=1)],
        ["adapter"],
        "power",
        "nor with more",
        "a larger change",
    ),
    "exploring": ([step("adapter", "undecided", 3)], ["adapter"], "power", "on select", "without --explore"),
    "undefined": (
        [step("adapter", "not better on select", math.nan, target="undefined")],
        ["adapter"],
        "undefined",
        "no items",
        "mend",
    ),
    "data that harm": (
        [step("adapter", "worse", -3, target="worse")],
        ["adapter"],
        "data",
        "makes other items worse",
        "mend the examples",
    ),
    "data that teach too little": (
        [step("prompt", "too small", -1), step("adapter", "not better on select", 1)],
        ["prompt", "adapter"],
        "data",
        "no candidate gained enough on select",
        "cleaner examples",
    ),
    "the model": (
        [step("adapter", "too small", 1, target="too small", look=1)],
        ["adapter"],
        "model",
        "less than is worth having",
        "a larger model",
    ),
    "the ladder": (
        [step("prompt", "too small", 1, target="too small"), step("decoding", "not better on select", 0)],
        ["prompt", "decoding"],
        "ladder",
        "around the network",
        "adapter",
    ),
    "the budget": (
        [step("prompt", "not better on select", 1), SKIPPED],
        ["prompt", "layers"],
        "budget",
        "layers",
        "by about 12",
    ),
    "nothing tried": ([SKIPPED], ["layers"], "budget", "layers", "by about 12"),
}


@pytest.mark.parametrize(("steps", "ladder", "bound", "why", "then"), CASES.values(), ids=CASES)
def test_what_bounds_a_climb(steps: list[Step], ladder: list[str], bound: str, why: str, then: str) -> None:
    found = reasons.advice(steps, ladder, MIN_GAIN)
    assert found.bound == bound
    assert why in found.why
    assert then in found.next_step


def test_every_bound_has_a_case() -> None:
    assert {case[2] for case in CASES.values()} == set(reasons.Bound.__args__)  # type: ignore[attr-defined]


def test_the_reasons_name_the_best_the_others_the_bound_and_the_next_step() -> None:
    steps = [
        step("prompt", "not better on select", 1),
        step("decoding", "too small", 0.5, target="too small", look=1),
        step("adapter", "undecided", 3, look=1, need_n=90),
        SKIPPED,
    ]
    said = reasons.fallen_short(steps, ["prompt", "decoding", "adapter", "layers"], MIN_GAIN)
    assert said[0] == "best so far: rung adapter, undecided on confirm"
    assert said[1:4] == [
        "rung prompt: not better on select",
        "rung decoding: shown too small on confirm",
        "rung layers: not tried: it would have passed the budget",
    ]
    assert said[4].startswith("bounded by power: ")
    assert said[5].startswith("next: about 90 items")


def test_smallest_means_what_is_known_of_each_smaller_rung() -> None:
    steps: list[Any] = [
        step("prompt", "too small", 0.5, target="too small", look=1),
        step("decoding", "undecided", 1.5, look=1),
        step("steering", "guard breached", 5, guard("breached")),
        Step("embedding", "skipped: budget"),
        step("adapter", "passed", 5, look=1),
    ]
    said = reasons.smaller(steps, "adapter")
    assert said == [
        "smaller rung prompt: shown too small on confirm: 0.5 [-0.5, 1.5] (n=30, 0.95, t)",
        "smaller rung decoding: undecided on confirm: 1.5 [0.5, 2.5] (n=30, 0.95, t)",
        "smaller rung steering: breached a guard: 5 [4, 6] (n=30, 0.95, t)",
        "smaller rung embedding: not tried: it would have passed the budget",
    ]
    assert reasons.smaller(steps[-1:], "adapter") == []


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("better", "better than it"),
        ("worse", "worse than it"),
        ("inconclusive", "not shown to differ from it"),
    ],
)
def test_the_winner_beside_the_best_prompt(outcome: str, said: str) -> None:
    assert said in reasons.against_prompt(compared(outcome))
    assert reasons.against_prompt(None) == ""
