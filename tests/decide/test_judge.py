"""The rules of the verdict, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from trimtab.decide.judge import (
    Judged,
    best,
    guards_in_the_way,
    passes_select,
    undefined_verdict,
    verdict,
    without_look,
)
from trimtab.records import Comparison, Estimate, GuardResult

NAN = float("nan")


def compared(outcome: str, value: float = 1.0, need_n: int | None = None) -> Comparison:
    estimate = Estimate(
        value, value - 1, value + 1, 0.95, 30, "t", "no items" if outcome == "undefined" else ""
    )
    return Comparison(estimate, 0.5, outcome, need_n, 0.5, 0.0)  # type: ignore[arg-type]


def guard(outcome: str, value: float = 0.0, need_n: int | None = None, built: bool = False) -> GuardResult:
    return GuardResult("suite", "nll", 0.05, compared(outcome, value, need_n), built)


def judged(target: Comparison, *guards: GuardResult, stack: str = "s") -> Judged:
    return Judged(stack, target, guards)


HELD, BREACHED, OPEN = guard("held"), guard("breached", -1), guard("inconclusive")


@pytest.mark.parametrize(
    ("target", "guards", "outcome"),
    [
        ("better", (), "ship"),
        ("better", (HELD, HELD), "ship"),
        ("better", (HELD, guard("inconclusive", built=True)), "ship"),
        ("better", (HELD, OPEN), "inconclusive"),
        ("better", (HELD, guard("undefined")), "inconclusive"),
        ("better", (OPEN, BREACHED), "hold"),
        ("inconclusive", (HELD,), "inconclusive"),
        ("inconclusive", (BREACHED,), "hold"),
        ("undefined", (HELD,), "inconclusive"),
        ("undefined", (BREACHED,), "hold"),
        ("too small", (HELD,), "hold"),
        ("worse", (HELD,), "hold"),
        ("worse", (OPEN,), "hold"),
    ],
)
def test_the_rules(target: str, guards: tuple[GuardResult, ...], outcome: str) -> None:
    found = verdict(judged(compared(target), *guards), level=0.96, look=2)
    assert found.outcome == outcome
    assert (found.level, found.look, found.stack, found.explored) == (0.96, 2, "s", False)
    assert len(found.reasons) == 1 + len(guards)
    assert found.guards == guards


@pytest.mark.parametrize(
    ("target", "guards", "need"),
    [
        (compared("inconclusive", need_n=90), (HELD,), 90),
        (compared("better", need_n=None), (guard("inconclusive", need_n=200),), 200),
        (compared("inconclusive", need_n=90), (guard("inconclusive", need_n=200),), 200),
        (compared("inconclusive", need_n=None), (guard("inconclusive", need_n=200),), None),
        (compared("inconclusive", need_n=90), (guard("inconclusive", need_n=None),), None),
        (compared("inconclusive", need_n=90), (guard("inconclusive", need_n=None, built=True),), 90),
        (compared("undefined"), (guard("inconclusive", need_n=200),), None),
        (compared("inconclusive", need_n=90), (guard("undefined"),), None),
        (compared("worse", need_n=90), (HELD,), None),
        (compared("better", need_n=90), (HELD,), None),
    ],
)
def test_how_many_items_would_decide(
    target: Comparison, guards: tuple[GuardResult, ...], need: int | None
) -> None:
    assert verdict(judged(target, *guards), level=0.95, look=1).need_n == need


@pytest.mark.parametrize(
    ("target", "guards", "said"),
    [
        (compared("better", 3), (HELD,), "passed"),
        (compared("inconclusive", 3), (OPEN,), "passed"),
        (compared("inconclusive", 2), (), "not better on select"),
        (compared("too small", 1), (), "not better on select"),
        (compared("undefined", NAN), (), "not better on select"),
        (compared("worse", -3), (BREACHED,), "worse"),
        (compared("better", 3), (HELD, BREACHED), "guard breached"),
    ],
)
def test_what_is_worth_a_look(target: Comparison, guards: tuple[GuardResult, ...], said: str) -> None:
    assert passes_select(judged(target, *guards), min_gain=2.0) == said


def test_the_best_candidate_passes_keeps_its_guards_and_gains_most() -> None:
    undefined = judged(compared("undefined", NAN), stack="undefined")
    breaching = judged(compared("better", 9), BREACHED, stack="breaching")
    below = judged(compared("better", 8), guard("inconclusive", -0.2), stack="below")
    small = judged(compared("better", 3), HELD, stack="small")
    large = judged(compared("better", 5), HELD, stack="large")
    order: list[Any] = [undefined, breaching, below, small, large]
    while order:
        assert best(order, 1.0) == order[-1]
        assert best(order[::-1], 1.0) == order[-1]
        order.pop()


def test_of_equals_the_first_stands() -> None:
    candidates = [judged(compared("better", 3), stack=name) for name in "ab"]
    assert best(candidates, 1.0).stack == "a"


def test_a_guard_held_by_construction_does_not_count_against_a_candidate() -> None:
    built = judged(compared("better", 5), guard("inconclusive", -9, built=True), stack="built")
    other = judged(compared("better", 3), HELD, stack="other")
    assert best([other, built], 1.0).stack == "built"


@pytest.mark.parametrize(
    ("candidates", "blocked"),
    [
        ([judged(compared("better", 5), HELD)], False),
        ([judged(compared("better", 5), BREACHED)], True),
        ([judged(compared("better", 5), BREACHED), judged(compared("better", 4), HELD)], False),
        ([judged(compared("better", 5), guard("inconclusive", -0.2))], True),
        ([judged(compared("better", 5), guard("undefined", NAN))], False),
        ([judged(compared("better", 5), guard("inconclusive", -9, built=True))], False),
        ([judged(compared("inconclusive", 1), BREACHED)], False),
        ([judged(compared("inconclusive", 1), HELD), judged(compared("better", 5), BREACHED)], True),
        ([judged(compared("undefined", NAN), BREACHED)], False),
        ([], False),
    ],
)
def test_when_guards_stand_in_the_way(candidates: list[Judged], blocked: bool) -> None:
    """Only then can one that gains less be better than all of these."""
    assert guards_in_the_way(candidates, min_gain=2.0) == blocked


@pytest.mark.parametrize(
    ("target", "failure", "explored", "outcome"),
    [
        ("better", "passed", True, "inconclusive"),
        ("inconclusive", "not better on select", False, "inconclusive"),
        ("worse", "worse", False, "hold"),
        ("better", "guard breached", False, "hold"),
        ("too small", "not better on select", False, "hold"),
    ],
)
def test_without_a_look(target: str, failure: Any, explored: bool, outcome: str) -> None:
    found = without_look(judged(compared(target), HELD), level=0.95, failure=failure, explored=explored)
    assert found.outcome == outcome
    assert (found.look, found.explored, found.need_n) == (0, explored, None)
    assert all(reason.startswith("on select only") for reason in found.reasons[:2])
    assert ("explored" in found.reasons[-1]) == (failure == "passed")


def test_nothing_to_judge_is_inconclusive_with_its_reason() -> None:
    found = undefined_verdict("base", "no rung had a candidate", 0.95)
    assert found.outcome == "inconclusive"
    assert found.reasons == ("no rung had a candidate",)
    assert found.difference.undefined == "no rung had a candidate"
