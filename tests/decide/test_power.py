"""What the data can prove, against the normal approximation and against what cannot be proven at all."""

from __future__ import annotations

import pytest
from scipy.stats import norm

from trimtab.decide.power import TYPICAL_DISCORDANCE, TYPICAL_SD, Question, assess, unprovable


def target(**more: object) -> Question:
    settings = {"n": 100, "threshold": 2.0, "expected": 6.0} | more
    return Question("target", str(settings.pop("metric", "chrf")), "target", **settings)  # type: ignore[arg-type]


def test_power_grows_with_items_and_follows_the_normal_approximation() -> None:
    powers = [assess(target(n=n), 0.95)["power"] for n in (20, 60, 100, 400)]
    assert powers == sorted(powers)
    spread = TYPICAL_SD["chrf"] / 100**0.5
    assert powers[2] == pytest.approx(norm.cdf((6 - 2) / spread - norm.ppf(0.975)), abs=0.02)


def test_the_items_needed_give_80_percent_and_no_fewer_do() -> None:
    need = assess(target(), 0.95)["need_n"]
    assert assess(target(n=need), 0.95)["power"] >= 0.8
    assert assess(target(n=need - 2), 0.95)["power"] < 0.8


def test_the_detectable_difference_is_found_with_80_percent() -> None:
    found = assess(target(), 0.95)["detectable"]
    at = max(found, found + 2.0, key=lambda gain: -abs(assess(target(expected=gain), 0.95)["power"] - 0.8))
    assert assess(target(expected=at), 0.95)["power"] == pytest.approx(0.8, abs=0.02)


def test_a_stricter_level_needs_more_items() -> None:
    assert assess(target(), 0.99)["need_n"] > assess(target(), 0.95)["need_n"]


def test_no_number_of_items_proves_an_effect_at_the_threshold() -> None:
    found = assess(target(expected=2.0), 0.95)
    assert found["need_n"] is None
    assert found["power"] < 0.05


def test_a_guard_is_held_against_its_margin() -> None:
    wide = assess(Question("g", "nll", "guard", 100, -0.05, 0.0), 0.95)
    narrow = assess(Question("g", "nll", "guard", 100, -0.02, 0.0), 0.95)
    assert wide["power"] > narrow["power"]
    assert wide["need_n"] < narrow["need_n"]


def test_spread_comes_from_select_then_from_what_is_typical_then_from_the_range() -> None:
    assert assess(target(observed_sd=5.0), 0.95)["sd"] == 5
    assert "seen on select" in assess(target(observed_sd=5.0), 0.95)["assumed"]
    assert assess(target(observed_sd=0.0), 0.95)["sd"] == TYPICAL_SD["chrf"]
    choice = assess(Question("g", "choice", "guard", 100, -0.1, 0.0, span=2.0), 0.95)
    assert choice["sd"] == pytest.approx(TYPICAL_DISCORDANCE["choice"] ** 0.5)
    assert assess(target(metric="mine", span=8.0), 0.95)["sd"] == 2
    unknown = assess(target(metric="mine"), 0.95)
    assert unknown["sd"] == 12
    assert "nothing is known" in unknown["assumed"]


def test_a_margin_that_cannot_be_proven_is_named_before_any_work() -> None:
    question = Question("truth", "choice", "guard", 150, -0.02, 0.0, span=1.0)
    assert "margin of 0.02 needs 1" in unprovable(question, 0.95)
    assert "confirm has 150" in unprovable(question, 0.95)
    assert unprovable(Question("truth", "choice", "guard", 200, -0.02, 0.0, span=1.0), 0.95) == ""
    assert unprovable(Question("english", "nll", "guard", 5, -0.02, 0.0), 0.95) == ""
    assert unprovable(target(n=5, span=1.0), 0.95) == ""
