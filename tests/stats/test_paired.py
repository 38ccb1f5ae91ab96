"""compare, non_inferior and interval: outcomes, notes, undefined cases and arguments."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from trimtab import stats
from trimtab.errors import StatisticsError
from trimtab.stats.levels import next_look_alpha

RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal(40)


def shifted(by, sd=1.0, n=40):
    noise = NOISE[:n] - NOISE[:n].mean()
    return np.zeros(n), by + sd * noise


@pytest.mark.parametrize(
    ("gain", "min_gain", "outcome"),
    [
        (3, 1, "better"),
        (1.1, 1, "inconclusive"),
        (0.4, 1, "too small"),
        (-2, 1, "worse"),
        (0.1, 0, "inconclusive"),
    ],
)
def test_target_outcomes(gain, min_gain, outcome):
    found = stats.compare(*shifted(gain), min_gain=min_gain)
    assert found.outcome == outcome
    assert found.threshold == min_gain
    assert found.difference.value == pytest.approx(gain)
    assert (found.p_value < 0.025) == (outcome == "better")


@pytest.mark.parametrize(
    ("gain", "margin", "outcome"),
    [(0, 1, "held"), (-0.9, 1, "inconclusive"), (-2, 1, "breached"), (1, 0, "held")],
)
def test_guard_outcomes(gain, margin, outcome):
    found = stats.non_inferior(*shifted(gain), margin=margin)
    assert found.outcome == outcome
    assert found.threshold == -margin


@pytest.mark.parametrize("n", [8, 40])
def test_p_value_inverts_the_interval(n):
    before, after = shifted(0.25, n=n)
    found = stats.compare(before, after)
    at = stats.compare(before, after, level=1 - 2 * found.p_value)
    assert at.difference.low == pytest.approx(0, abs=0.03)
    if n == 8:
        assert found.p_value == pytest.approx(
            scipy_stats.ttest_rel(after, before, alternative="greater").pvalue
        )


def test_p_value_agrees_with_the_decision_at_every_level():
    before, after = np.zeros(60), np.random.default_rng(3).standard_exponential(60) - 0.6
    p = stats.compare(before, after).p_value
    for level in (0.5, 0.8, 0.9, 0.95):
        found = stats.compare(before, after, level=level)
        assert (found.outcome == "better") == (p < (1 - level) / 2) or abs(p - (1 - level) / 2) < 0.003


def test_seeds_are_averaged_within_an_item_first():
    before, after = RNG.standard_normal((2, 30, 4))
    found = stats.compare(before, after)
    assert found == stats.compare(before.mean(axis=1), after.mean(axis=1))
    assert found.difference.n == 30


def test_seeds_of_0_and_1_are_no_longer_binary():
    before, after = (RNG.random((2, 30, 3)) < 0.5).astype(float)
    assert "Tango" in stats.compare(before[:, 0], after[:, 0]).difference.method
    assert "Tango" not in stats.compare(before, after).difference.method


def test_need_n_pays_for_the_next_look():
    before, after = shifted(0.25)
    found = stats.compare(before, after)
    assert found.outcome == "inconclusive"
    at_this_level = stats.sample_size(effect=0.25, sd=float(NOISE.std(ddof=1)))
    at_next = stats.sample_size(
        effect=0.25, sd=float(NOISE.std(ddof=1)), level=stats.level_from_alpha(next_look_alpha(0.025))
    )
    assert at_next > at_this_level
    assert found.need_n == pytest.approx(at_next, rel=0.15)


@pytest.mark.parametrize("gain", [-0.1, 0.9])
def test_no_number_of_items_helps_an_estimate_below_min_gain(gain):
    found = stats.compare(*shifted(gain, sd=4.5), min_gain=1)
    assert found.outcome == "inconclusive"
    assert found.need_n is None


def test_detectable_is_the_distance_found_with_80_percent_power():
    found = stats.compare(*shifted(0.0), min_gain=0.5)
    expected = stats.detectable_effect(n=40, sd=float(NOISE.std(ddof=1)), min_gain=0.5) - 0.5
    assert found.detectable == pytest.approx(expected, rel=0.08)


def test_no_change_at_all():
    same = np.repeat([0.2, 0.9], 60)
    guard = stats.non_inferior(same, same, margin=0.05, bounds=(0, 1))
    z = scipy_stats.norm.ppf(0.975)
    assert guard.difference.low == pytest.approx(-z * z / (120 + z * z))
    assert guard.outcome == "held"
    tight = stats.non_inferior(same, same, margin=0.02, bounds=(0, 1))
    assert tight.outcome == "inconclusive"
    z_next = scipy_stats.norm.isf(0.3 * 0.025)
    assert tight.need_n == math.floor(z_next**2 * 0.98 / 0.02) + 1
    assert stats.non_inferior(same, same, margin=0.05).outcome == "undefined"


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ([1.0], [2.0], "1 items"),
        ([], [], "0 items"),
        ([1, 2, math.nan], [1, 2, 3], "finite"),
        ([0, 0, 0], [2, 2, 2], "equal"),
    ],
)
def test_undefined_with_a_reason_and_no_number(before, after, reason):
    found = stats.compare(np.array(before, float), np.array(after, float))
    assert found.outcome == "undefined"
    assert reason in found.difference.undefined
    assert math.isnan(found.difference.low)
    assert math.isnan(found.p_value)


def test_few_clusters_are_undefined_and_single_items_are_none():
    before, after = shifted(1.0)
    few = stats.compare(before, after, clusters=[i % 9 for i in range(40)])
    assert few.outcome == "undefined"
    assert "9 groups" in few.difference.undefined
    alone = stats.compare(
        before, after, clusters=[f"g{i}" for i in range(30)] + [None, "", math.nan] + [""] * 7
    )
    assert alone == stats.compare(before, after)


def test_clusters_widen_and_are_described():
    codes = np.arange(120) // 6
    d = np.random.default_rng(1).standard_normal(20)[codes] + 0.1 * np.random.default_rng(2).standard_normal(
        120
    )
    found = stats.compare(np.zeros(120), d, clusters=codes)
    loose = stats.compare(np.zeros(120), d)
    assert found.difference.high - found.difference.low > 1.8 * (loose.difference.high - loose.difference.low)
    assert "19.0 effective degrees of freedom; the largest of 20 groups holds 5%" in found.notes[0]


def test_clusters_without_any_change_count_as_clusters():
    same = np.repeat([0.2, 0.9], 60)
    found = stats.non_inferior(same, same, margin=0.05, bounds=(0, 1), clusters=np.arange(120) // 6)
    z2 = scipy_stats.norm.ppf(0.975) ** 2
    assert found.difference.high == pytest.approx(z2 / (20 + z2))


def test_sparse_differences_cannot_hold_a_margin_that_t_would():
    before = np.full(100, 0.8)
    after = before.copy()
    after[:3] = [0.3, 0.79, 0.75]
    bounded = stats.non_inferior(before, after, margin=0.02, bounds=(0, 1))
    low = scipy_stats.t.interval(0.95, 99, np.mean(after - before), scipy_stats.sem(after - before))[0]
    assert low > -0.02
    assert bounded.outcome == "inconclusive"
    assert "only 3 of 100 items differ" in bounded.notes


def bleu_like(rows):
    return float(rows[:, 0].sum() / rows[:, 1].sum())


def test_corpus_metric_averages_seeds_and_reports_both_sides():
    counts = np.random.default_rng(4).integers(1, 9, (30, 3, 2)).astype(float)
    better = counts * np.array([1.5, 1.0])
    found = stats.compare(counts, better, statistic=bleu_like)
    assert found == stats.compare(counts.mean(1), better.mean(1), statistic=bleu_like)
    assert found.baseline == pytest.approx(bleu_like(counts.reshape(-1, 2)))
    assert found.difference.method == "jackknife-t"
    assert found.outcome == "better"


def test_corpus_metric_without_change():
    counts = np.random.default_rng(4).integers(1, 9, (30, 2)).astype(float)
    assert stats.non_inferior(counts, counts, 0.1, statistic=bleu_like).outcome == "undefined"
    bounded = stats.non_inferior(counts, counts, 0.2, statistic=bleu_like, bounds=(0, 1))
    assert bounded.outcome == "held"


def test_the_seed_decides_the_bootstrap_and_nothing_else_does():
    before, after = shifted(0.3)
    first = stats.compare(before, after, seed=1)
    assert first == stats.compare(before, after, seed=1)
    assert first.difference.low != stats.compare(before, after, seed=2).difference.low


def test_direction_mirrors():
    d = np.random.default_rng(5).standard_exponential(15).repeat(2)[:28] - 0.5
    up, down = stats.interval(d, level=0.9), stats.interval(-d, level=0.9)
    scale = up.high - up.low
    assert up.low == pytest.approx(-down.high, abs=0.05 * scale)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"candidate": np.zeros(3)}, "baseline has shape"),
        ({"clusters": ["a"]}, "1 cluster labels for 4 items"),
        ({"level": 1.0}, "level 1.0"),
        ({"min_gain": -1.0}, "min_gain -1.0"),
        ({"bounds": (1.0, 0.0)}, "bounds"),
        ({"bounds": (0.0, 0.5)}, "outside bounds"),
        ({"baseline": np.zeros((4, 2, 2)), "candidate": np.zeros((4, 2, 2))}, "(items, seeds)"),
    ],
)
def test_wrong_arguments(arguments, words):
    good = {"baseline": np.zeros(4), "candidate": np.arange(4) / 3}
    with pytest.raises(StatisticsError) as caught:
        stats.compare(**(good | arguments))
    assert words in caught.value.message
    assert caught.value.hint


def test_margin_below_zero():
    with pytest.raises(StatisticsError, match="margin"):
        stats.non_inferior(np.zeros(3), np.ones(3), margin=-0.1)
