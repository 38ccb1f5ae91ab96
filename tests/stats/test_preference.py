"""The win rate: against second implementations, and by simulated reviews whose truth is known."""

import math

import numpy as np
import pytest

from tests.reference import stats_reference
from tests.reference import win_rate_reference as reference
from tests.simulated import ACCURATE, allowance, bench
from trimtab import stats
from trimtab.errors import StatisticsError
from trimtab.stats.betting import betting, items_to_win
from trimtab.stats.crossed import crossed
from trimtab.stats.preference import NOT_BY_ITEMS, intervals, judgements

SHARED = 0.99375


def review(n=60, raters=6, per_item=2, seed=0, share=(0.25, 0.15, 0.6)):
    """values, items and raters of a review in which nobody has a taste of their own."""
    rng = np.random.default_rng(seed)
    items = np.repeat(np.arange(n), per_item)
    who = np.concatenate([rng.choice(raters, per_item, replace=False) for _ in range(n)])
    return rng.choice([0, 0.5, 1], len(items), p=share), items.tolist(), who.tolist()


def of_items(values, items):
    return np.array(
        [
            np.mean([v for v, i in zip(values, items, strict=True) if i == item])
            for item in dict.fromkeys(items)
        ]
    )


def test_one_look_by_one_rater_is_the_hull_of_t_and_plus_two():
    values, items, _ = review(per_item=1)
    found = stats.win_rate(values, items, ["ann"] * 60, sequential=False)
    d = values - 0.5
    both = stats_reference.t_interval(d, 0.95), stats_reference.plus_two(d, 0.5, 0.95)
    low, high = min(b[0] for b in both), max(b[1] for b in both)
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high))
    assert (found.baseline, found.candidate, found.difference.n) == (0.5, pytest.approx(values.mean()), 60)
    assert any("this rater alone" in note for note in found.notes)


@pytest.mark.parametrize("level", [0.95, SHARED])
@pytest.mark.parametrize("planned", [True, 40, 100])
def test_looking_at_any_time_adds_the_bets(level, planned):
    values, items, raters = review(raters=2)
    found = stats.win_rate(values, items, raters, level=level, sequential=planned).difference
    x, alpha = of_items(values, items), (1 - level) / 2
    assert found.value == pytest.approx(x.mean() - 0.5)
    assert found.low == pytest.approx(reference.betting_low(x, alpha, alpha, planned) - 0.5, abs=1e-4)
    assert found.high == pytest.approx(0.5 - reference.betting_low(1 - x, alpha, alpha, planned), abs=1e-4)
    assert found.low < stats.win_rate(values, items, raters, level=level, sequential=False).difference.low


@pytest.mark.parametrize("error", [0.001, 0.025, 0.3])
def test_bets_for_one_error_bound_another(error):
    x = np.random.default_rng(3).choice([0, 0.25, 1], 70)
    low, high = betting(x, 0.025).bounds(error)
    assert low == pytest.approx(reference.betting_low(x, 0.025, error), abs=1e-4)
    assert high == pytest.approx(1 - reference.betting_low(1 - x, 0.025, error), abs=1e-4)


@pytest.mark.parametrize(("per_item", "uneven"), [(1, False), (2, True), (3, False)])
def test_variance_by_items_and_raters_from_matrices(per_item, uneven):
    drawn = bench.draw(
        bench.World(40, ACCURATE * 7, per_item, 0.6, uneven=uneven), np.random.default_rng(per_item)
    )
    keep = np.random.default_rng(0).random(len(drawn.values)) < 0.8
    values, items, raters = drawn.values[keep], drawn.items[keep], drawn.raters[keep]
    found = crossed(judgements(values, items.tolist(), raters.tolist()))
    expected = reference.crossed(values, items, raters)
    assert found.of_raters > 0
    assert (found.of_items, found.of_raters, found.df) == pytest.approx(expected)
    reach = stats_reference.stats.t.ppf(0.975, len(set(raters)) - 1) * math.sqrt(found.of_raters)
    both = intervals(judgements(values, items.tolist(), raters.tolist()), 0.025, True)
    value, low = both.x.mean() - 0.5, both.anytime.bounds(0.025)[0]
    widened = value - math.hypot(value - low, reach)
    others = both.once.bounds(0.025)[0], both.crossed.family().bounds(0.025)[0] - 0.5
    assert both.family.bounds(0.025)[0] == pytest.approx(min(widened, *others))
    assert widened < low


def test_variance_of_as_many_judgements_each_is_that_of_the_raters_means():
    """One judgement of an item, ten of each rater: the textbook answer, s^2(raters' means) / raters."""
    rng = np.random.default_rng(5)
    raters = np.repeat(np.arange(8), 10)
    values = np.clip(0.5 + 0.2 * rng.standard_normal(8)[raters] + 0.1 * rng.standard_normal(80), 0, 1)
    found = crossed(judgements(values, range(80), raters.tolist()))
    means = values.reshape(8, 10).mean(axis=1)
    assert found.variance == pytest.approx(means.var(ddof=1) / 8)


def test_what_raters_add_is_right_on_average():
    rng, taste = np.random.default_rng(6), 0.1
    found = []
    for _ in range(400):
        items = np.repeat(np.arange(60), 2)
        raters = np.concatenate([rng.choice(8, 2, replace=False) for _ in range(60)])
        values = 0.5 + 0.05 * rng.standard_normal(60)[items] + taste * rng.standard_normal(8)[raters]
        data = judgements(np.clip(values, 0, 1), items.tolist(), raters.tolist())
        pairs = (data.of_raters**2).sum() - (data.weights**2).sum()
        found.append(crossed(data).of_raters / pairs)
    assert np.mean(found) == pytest.approx(taste**2, rel=0.07)


def test_from_five_raters_on_the_interval_is_about_such_raters():
    values, items, raters = review(n=100, raters=5)
    five = stats.win_rate(values, items, raters, sequential=False)
    assert five.difference.method.endswith("t by items and raters")
    assert any("raters such as these 5" in note for note in five.notes)
    four = stats.win_rate(values, items, [rater % 4 for rater in raters], sequential=False)
    assert "raters" not in four.difference.method
    most = stats.win_rate(
        values, items, [0 if i % 10 else 1 + i // 10 % 6 for i in range(200)], sequential=False
    )
    assert "raters" not in most.difference.method
    assert any("few judged most" in note for note in most.notes)


def test_items_judged_alike_by_all_are_bounded_by_what_may_be_unseen():
    found = stats.win_rate([1.0] * 40, list(range(40)), ["ann"] * 40, sequential=False)
    unseen = 1.96**2 / (40 + 1.96**2)
    assert (found.difference.low, found.difference.high) == pytest.approx((0.5 - unseen, 0.5), abs=1e-4)
    ties = stats.win_rate([0.5] * 40, list(range(40)), ["ann"] * 40, sequential=False).difference
    assert (ties.low, ties.high) == pytest.approx((-unseen / 2, unseen / 2), abs=1e-4)


def test_what_is_judged_twice_counts_once():
    values, items, raters = review(per_item=1)
    twice = np.repeat(values, 2), np.repeat(items, 2).tolist(), np.repeat(raters, 2).tolist()
    once = stats.win_rate(values, items, ["ann"] * 60).difference
    assert stats.win_rate(twice[0], twice[1], ["ann"] * 120).difference == once


@pytest.mark.parametrize(
    ("share", "options", "outcome"),
    [
        ((0.1, 0.1, 0.8), {}, "better"),
        ((0.8, 0.1, 0.1), {}, "worse"),
        ((0.4, 0.2, 0.4), {"threshold": 0.3}, "too small"),
        ((0.4, 0.2, 0.4), {}, "inconclusive"),
        ((0.4, 0.2, 0.4), {"margin": 0.2}, "held"),
        ((0.8, 0.1, 0.1), {"margin": 0.1}, "breached"),
        ((0.4, 0.2, 0.4), {"margin": 0.01}, "inconclusive"),
    ],
)
def test_outcomes(share, options, outcome):
    found = stats.win_rate(*review(n=150, raters=3, share=share), **options)
    assert found.outcome == outcome
    assert found.threshold == options.get("threshold", -options.get("margin", 0.0))


@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.parametrize("options", [{"threshold": 0.05}, {"margin": 0.05}])
def test_the_p_value_inverts_the_interval(sequential, options):
    values, items, raters = review(n=80)
    found = stats.win_rate(values, items, raters, sequential=sequential, **options)
    data = judgements(values, items, raters)
    family = intervals(data, 0.025, sequential).family
    assert family.bounds(found.p_value)[0] == pytest.approx(found.threshold, abs=1e-6)


def test_the_items_said_to_be_needed_decide_four_times_in_five():
    world = bench.shifted(bench.World(400, ACCURATE, 1), 0.1)
    drawn = next(
        d
        for d in (bench.draw(world, np.random.default_rng(s)) for s in range(99))
        if 0.59 < d.values.mean() < 0.61
    )
    few = (
        np.random.default_rng(0).permutation(np.repeat([0, 0.5, 1], [22, 8, 30])),
        list(range(60)),
        ["ann"] * 60,
    )
    assert stats.win_rate(*few).need_n > stats.win_rate(*few, sequential=False).need_n > 60
    need = items_to_win(drawn.values, 0.5, 0.025, 0.8)
    larger = bench.shifted(bench.World(int(need), ACCURATE, 1), 0.1)
    rng = np.random.default_rng(1)
    decided = [_low(bench.draw(larger, rng), sequential=True) > 0 for _ in range(200)]
    assert 0.7 <= np.mean(decided) <= 0.9


def _low(drawn, sequential):
    data = judgements(drawn.values, drawn.items.tolist(), drawn.raters.tolist())
    return intervals(data, 0.025, sequential).family.bounds(0.025)[0]


def test_where_raters_differ_too_much_only_more_of_them_would_decide():
    rng = np.random.default_rng(2)
    raters = np.tile(np.arange(6), 60)
    chance = np.array([0.95, 0.9, 0.8, 0.75, 0.2, 0.1])[raters]
    found = stats.win_rate((rng.random(360) < chance) * 1.0, list(range(360)), raters.tolist())
    assert (found.outcome, found.need_n) == ("inconclusive", None)
    assert NOT_BY_ITEMS in found.notes


def test_a_weight_counts_within_its_item():
    values, items, raters = review()
    weights = [1e-9 if place % 2 else 1.0 for place in range(len(values))]
    weighted = stats.win_rate(values, items, raters, weights=weights, sequential=False).difference
    alone = stats.win_rate(values[::2], items[::2], raters[::2], sequential=False).difference
    assert (weighted.value, weighted.low) == pytest.approx((alone.value, alone.low), abs=1e-6)


def test_too_few_items_have_no_interval():
    for values in ([], [1.0]):
        found = stats.win_rate(values, ["a"] * len(values), ["ann"] * len(values))
        assert (found.outcome, found.need_n) == ("undefined", None)
        assert f"{len(values)} items" in found.difference.undefined


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (([1, 0], ["a"], ["x", "y"]), {}),
        (([1, 2], ["a", "b"], ["x", "y"]), {}),
        (([1, math.nan], ["a", "b"], ["x", "y"]), {}),
        (([1, 0], ["a", "b"], ["x", "y"]), {"weights": [1, 0]}),
        (([1, 0], ["a", "b"], ["x", "y"]), {"threshold": 0.1, "margin": 0.1}),
        (([1, 0], ["a", "b"], ["x", "y"]), {"threshold": -0.1}),
        (([1, 0], ["a", "b"], ["x", "y"]), {"margin": -0.1}),
    ],
)
def test_what_cannot_be_judgements_is_refused(arguments, options):
    with pytest.raises(StatisticsError):
        stats.win_rate(*arguments, **options)


@pytest.mark.parametrize("level", [0.95, SHARED])
@pytest.mark.parametrize(
    "world",
    [
        bench.World(20, ACCURATE, 1),
        bench.World(100, ACCURATE, 1, 0.3, 0.9),
        bench.World(50, ACCURATE * 2, 2, 0.3),
        bench.World(100, ACCURATE * 3, 2, 0.3, uneven=True),
        bench.World(100, ACCURATE * 5, 1),
        bench.World(100, ACCURATE * 5, 2, 0.15, uneven=True),
        bench.World(100, ("accurate", "accurate", "accurate", "noisy", "left", "random"), 2, 0.15),
        bench.World(200, ACCURATE * 20, 3, 0.3),
    ],
    ids=lambda world: f"{world.items} items, {world.name}",
)
def test_coverage_at_one_look(world, level):
    found = bench.cover(world, 400, seed=world.items + world.per_item, level=level)
    assert found.coverage >= level - 0.01 - allowance(level, 400), found
    assert found.miss_low <= (1 - level) / 2 + 0.01 + allowance((1 - level) / 2, 400), found


def test_without_raters_in_the_variance_coverage_would_be_lost():
    """The simulation has the power to fail: eight raters with tastes, and an interval that knows items only."""
    rng, world = np.random.default_rng(0), bench.World(200, ACCURATE * 8, 2, 0.3)
    missed = 0
    for _ in range(200):
        drawn = bench.draw(world, rng)
        data = judgements(drawn.values, drawn.items.tolist(), drawn.raters.tolist())
        missed += intervals(data, 0.025, False).once.bounds(0.025)[0] > drawn.truth
    assert missed / 200 > 0.08


@pytest.mark.parametrize("threshold", [0.0, 0.05, -0.05])
@pytest.mark.parametrize("kinds", [ACCURATE, ("accurate", "accurate", "accurate", "noisy", "left", "random")])
def test_stopping_when_it_is_decided_keeps_the_error(threshold, kinds):
    world = bench.World(120, kinds, min(2, len(kinds)), 0.15)
    found = bench.peek(world, threshold, 300, seed=7)
    assert found.false <= 0.025 + allowance(0.025, 300), found


def test_stopping_early_with_an_interval_for_one_look_would_not():
    assert bench.peek(bench.World(120, ACCURATE, 1), 0.0, 200, seed=7, sequential=False).false > 0.06
