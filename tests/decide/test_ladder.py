"""The climb: its rules as tables, and by simulation how often noise ships and a real effect is found."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimtab import stats
from trimtab.decide import judge, ladder, race
from trimtab.records import Comparison, Estimate, GuardResult, Verdict

_SPEC = util.spec_from_file_location(
    "ladder_bench", Path(__file__).resolve().parents[2] / "bench" / "ladder.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
bench = util.module_from_spec(_SPEC)
sys.modules["ladder_bench"] = bench
_SPEC.loader.exec_module(bench)

TABLE = {scenario.name: scenario for scenario in bench.scenarios()}
NAN = math.nan


def compared(outcome: str, value: float = 1.0) -> Comparison:
    return Comparison(Estimate(value, value - 1, value + 1, 0.95, 30, "t"), 0.5, outcome, None, 0.5)  # type: ignore[arg-type]


def guard(outcome: str, value: float = 0.0) -> GuardResult:
    return GuardResult("suite", "nll", 0.05, compared(outcome, value))


def judged(target: Comparison, *guards: GuardResult) -> judge.Judged:
    return judge.Judged("s", target, guards)


def step(
    rung: str, outcome: str, value: float = 1.0, *, look: int = 0, target: str = "inconclusive"
) -> ladder.Step:
    verdict = Verdict(
        "hold" if outcome in ("too small", "worse", "guard breached") else "inconclusive",
        rung,
        compared(target, value).difference,
        (),
        (),
        None,
        compared(target, value),
        0.95,
        look,
    )
    return ladder.Step(rung, outcome, 0.001 if look else NAN, verdict)  # type: ignore[arg-type]


def climbed(weights: dict[str, float], *steps: ladder.Step, combined: float = 0.0) -> ladder.Climb:
    climb = ladder.start(weights, combined)
    for one in steps:
        climb = climb.then(one)
    return climb


THREE = {"prompt": 1.0, "decoding": 1.0, "adapter": 2.0}


def test_rungs_come_in_order_and_the_first_success_ends_it() -> None:
    climb = climbed(THREE)
    assert climb.rung == "prompt"
    climb = climb.then(step("prompt", "undecided", look=1))
    assert climb.rung == "decoding"
    assert climb.then(step("decoding", "passed", look=1)).rung is None
    climb = climb.then(step("decoding", "worse")).then(step("adapter", "too small", look=1))
    assert climb.rung is None
    with pytest.raises(ValueError, match="next rung is decoding"):
        climbed(THREE, step("prompt", "worse")).then(step("adapter", "passed"))


def test_passing_on_select_alone_ends_nothing() -> None:
    assert climbed(THREE, step("prompt", "passed")).rung == "decoding"


@pytest.mark.parametrize(
    ("steps", "combined", "share"),
    [
        ((), 0.0, 1 / 4),
        ((step("prompt", "undecided", look=1),), 0.0, 1 / 4),
        ((step("prompt", "not better on select"),), 0.0, 2 / 4),
        ((ladder.Step("prompt", "skipped: budget"), step("decoding", "worse")), 0.0, 4 / 4),
        ((step("prompt", "undecided", look=1), step("decoding", "worse")), 0.0, 3 / 4),
        ((), 1.0, 1 / 5),
        (
            (step("prompt", "undecided", look=1), step("decoding", "worse"), step("adapter", "worse")),
            1.0,
            4 / 5,
        ),
        (
            (
                step("prompt", "undecided", look=1),
                step("decoding", "too small", look=1),
                step("adapter", "undecided", look=1),
            ),
            1.0,
            1 / 5,
        ),
    ],
)
@pytest.mark.parametrize("look", [1, 2])
def test_weights_of_rungs_without_a_look_pass_on(
    steps: tuple[ladder.Step, ...], combined: float, share: float, look: int
) -> None:
    climb = climbed(THREE, *steps, combined=combined)
    assert climb.alpha(look) == pytest.approx(share * stats.run_alpha(look))


def test_no_course_of_events_spends_more_than_the_run_may() -> None:
    """Every way in which five rungs and the combination can fail or look: the errors of the looks add up to at most
    the run's, and to all of it where the last one looks."""
    weights = {"prompt": 1.0, "context": 0.5, "decoding": 2.0, "steering": 1.0, "adapter": 3.0}
    for pattern in range(2**6):
        climb, spent = ladder.start(weights, 0.5), 0.0
        for number in range(6):
            looks = bool(pattern >> number & 1)
            alpha = climb.alpha(1) if looks else NAN
            spent += alpha if looks else 0.0
            climb = climb.then(ladder.Step(str(climb.rung), "undecided", alpha))
        assert climb.rung is None
        assert spent <= stats.run_alpha(1) * (1 + 1e-12)
        assert (pattern >> 5 & 1) == (spent == pytest.approx(stats.run_alpha(1)))


@pytest.mark.parametrize(
    ("weights", "combined", "last"),
    [
        (THREE, 0.5, "combined"),
        (THREE, 0.0, "adapter"),
        ({"adapter": 1.0, "layers": 1.0}, 0.5, "layers"),
        ({"prompt": 1.0, "decoding": 1.0}, 0.5, "decoding"),
        ({"postprocess": 1.0, "steering": 1.0}, 0.5, "combined"),
    ],
)
def test_there_is_a_combination_where_two_kinds_can_be_joined(
    weights: dict[str, float], combined: float, last: str
) -> None:
    assert list(ladder.start(weights, combined).weights)[-1] == last


def test_a_rung_that_would_pass_the_budget_is_skipped_except_the_first() -> None:
    climb = climbed(THREE)
    second = list(THREE)[1]
    assert not climb.too_long({"prompt": 50}, spent=1, budget=10)
    climb = climb.then(step("prompt", "undecided"))
    assert climb.too_long({second: 8}, spent=3, budget=10)
    assert not climb.too_long({second: 7}, spent=3, budget=10)


def test_time_is_kept_for_a_rung_that_weighs_more_where_it_still_fits() -> None:
    weights = {"prompt": 1.0, "steering": 1.0, "adapter": 4.0}
    climb = climbed(weights).then(step("prompt", "undecided"))
    assert climb.too_long({"steering": 3, "adapter": 5}, spent=3, budget=10)
    assert not climb.too_long({"steering": 2, "adapter": 5}, spent=3, budget=10)
    assert not climb.too_long({"steering": 3, "adapter": 8}, spent=3, budget=10), "it cannot be tried anyway"
    equal = climbed(weights | {"adapter": 1.0}).then(step("prompt", "undecided"))
    assert not equal.too_long({"steering": 3, "adapter": 5}, spent=3, budget=10)


def test_the_combination_is_chosen_by_select_alone() -> None:
    chosen = {
        "prompt": judged(compared("inconclusive", 2.0)),
        "context": judged(compared("inconclusive", -0.1)),
        "decoding": judged(compared("better", 3.0), guard("breached", -1)),
        "postprocess": judged(compared("too small", 0.5)),
        "steering": judged(compared("better", 4.0)),
        "adapter": judged(compared("better", 5.0)),
    }
    assert ladder.parts(chosen, 1.0) == [("adapter", "prompt"), ("adapter", "postprocess")]
    chosen["adapter"] = judged(compared("better", 5.0), guard("breached", -1))
    assert ladder.parts(chosen, 1.0) == [("steering", "prompt"), ("steering", "postprocess")]
    chosen["steering"] = judged(compared("undefined", NAN))
    assert ladder.parts(chosen, 1.0) == []


def test_what_was_shown_to_harm_is_not_joined() -> None:
    steps = [step("prompt", "worse"), step("adapter", "guard breached", look=1)]
    assert not ladder.worth_combining(steps, ["adapter"])
    assert ladder.worth_combining(steps, ["steering"])


@pytest.mark.parametrize(
    ("outcome", "target", "guards", "said"),
    [
        ("ship", "better", (), "passed"),
        ("hold", "worse", (), "worse"),
        ("hold", "too small", (), "too small"),
        ("hold", "better", (guard("held"), guard("breached", -1)), "guard breached"),
        ("inconclusive", "better", (guard("inconclusive"),), "undecided"),
        ("inconclusive", "inconclusive", (), "undecided"),
        ("inconclusive", "undefined", (), "undecided"),
    ],
)
def test_what_a_look_comes_to(outcome: Any, target: str, guards: tuple[GuardResult, ...], said: str) -> None:
    found = compared(target)
    verdict = Verdict(outcome, "s", found.difference, guards, (), None, found, 0.99, 1)
    assert ladder.on_confirm(verdict) == said


@pytest.mark.parametrize(
    ("target", "passing", "said"),
    [
        ("better", "passed", "undecided"),
        ("inconclusive", "not better on select", "not better on select"),
        ("too small", "not better on select", "too small"),
        ("worse", "worse", "worse"),
        ("better", "guard breached", "guard breached"),
    ],
)
def test_what_no_look_comes_to(target: str, passing: Any, said: str) -> None:
    found = judged(compared(target))
    verdict = judge.without_look(found, level=0.95, failure=passing, explored=passing == "passed")
    assert ladder.on_select(passing, verdict) == said


def test_the_best_so_far() -> None:
    order = [
        ladder.Step("skipped", "skipped: budget"),
        step("breached", "guard breached", 9),
        step("small", "too small", 3),
        step("nothing", "not better on select", NAN),
        step("little", "not better on select", 0.5),
        step("harmful look", "guard breached", 9, look=1),
        step("small look", "too small", 3, look=1),
        step("open look", "undecided", 1, look=1),
        step("larger open look", "undecided", 2, look=1),
        step("winner", "passed", 1, look=1),
    ]
    while len(order) > 1:
        assert ladder.best_step(order) == order[-1]
        assert ladder.best_step(order[::-1]) == order[-1]
        order.pop()
    assert ladder.best_step(order) is None


# Simulation: bench/ladder.py, with fewer ladders.


def test_the_quick_simulation_decides_as_the_library_does() -> None:
    """On a sample of ladders, raced and with guards, the short cuts give the same choices, looks and ships."""
    rng = np.random.default_rng(5)
    shipped = looked = 0
    for name, count, changes in (
        ("pure noise, raced", 3, {}),
        ("rung 4 of 8 gains 0.4", 4, {}),
        ("large gain, guard at its margin everywhere", 2, {}),
        ("large gain, guard at its margin everywhere", 2, {"guard": False, "gains": {1: 0.6}}),
    ):
        scenario = replace(TABLE[name], **changes)
        for seed in range(count):
            (data,) = bench.draw(rng, scenario)
            (quick,) = bench.best_of_many([data.select], scenario, [seed])
            rungs = range(scenario.rungs) if not scenario.racing else range(3)
            assert [bench.best_of(data.select[r], scenario, seed) for r in rungs] == quick[: len(rungs)]
            fast, slow = (climb(data, quick, scenario) for climb in (bench.quick, bench.whole))
            for one, other in zip(fast.steps, slow.steps, strict=True):
                assert (one.rung, one.looked) == (other.rung, other.looked)
                assert (one.outcome == "passed") == (other.outcome == "passed")
                assert one.alpha == other.alpha or not one.looked
            shipped += fast.steps[-1].outcome == "passed"
            looked += sum(one.looked for one in fast.steps)
    assert 0 < shipped < looked


def test_the_quick_races_drop_whom_the_library_drops() -> None:
    scenario = replace(TABLE["pure noise, raced"], rungs=1, gains={0: 0.0})
    rng = np.random.default_rng(2)
    dropped = 0
    for seed in range(6):
        (data,) = bench.draw(rng, scenario)
        rows = data.select[0] - np.linspace(0, 1.0, scenario.candidates)[:, None]
        plan = race.plan(range(scenario.select), scenario.candidates, seed=seed)
        real = race.race(
            plan,
            range(scenario.candidates),
            lambda racing, seen, rows=rows: {n: rows[n][list(seen)] for n in racing},
            race.Scale(range(scenario.select)),
        )
        racing = np.ones((1, 1, scenario.candidates), dtype=bool)
        for look in range(1, len(plan.ends)):
            here = rows[:, plan.seen(look)][None, None]
            racing &= ~bench._behind(here, racing, stats.alpha_from_level(plan.level))
        assert tuple(np.flatnonzero(racing[0, 0])) == real.finalists
        dropped += len(real.dropped)
    assert dropped > 5


@pytest.mark.parametrize(
    ("name", "ladders"),
    [
        ("pure noise", 1000),
        ("pure noise, raced", 1000),
        ("gain of exactly min_gain everywhere", 1000),
        ("large gain, guard at its margin everywhere", 1000),
        ("pure noise, 3 runs", 1000),
    ],
)
def test_what_should_not_ship_ships_no_more_often_than_stated(name: str, ladders: int) -> None:
    """The run's alpha at one look, all of 2.5% over three; the simulation's own error of 2 deviations is allowed."""
    found = bench.measure(TABLE[name], ladders, seed=len(name))
    allowed = stats.run_alpha(1) if TABLE[name].runs == 1 else 0.025
    allowance = 2 * math.sqrt(allowed * (1 - allowed) / ladders)
    print("\n" + bench.markdown([found]))
    assert found.rate <= allowed + allowance < 0.05
    assert found.looks > 4
    if not TABLE[name].guard:
        # Best of ten on the items that judge it: the figure that the ladder is there to prevent.
        assert found.naive > 0.3


@pytest.mark.parametrize("name", ["rung 1 of 8 gains 0.4", "rung 4 of 8 gains 0.4"])
def test_the_right_rung_is_found_with_the_stated_power(name: str) -> None:
    found = bench.measure(TABLE[name], 500, seed=3)
    print("\n" + bench.markdown([found]))
    assert found.stated > 0.5
    assert found.right / found.ladders == pytest.approx(found.stated, abs=0.06)
    assert found.rate <= 0.0175 + 2 * math.sqrt(0.0175 / 500)
