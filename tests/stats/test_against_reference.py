"""Every interval against its second implementation."""

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from tests.reference import stats_reference as reference
from trimtab import stats
from trimtab.stats import clustered, corpus
from trimtab.stats.binary import bonett_price, tango
from trimtab.stats.intervals import no_change, plus_two, replicates_for, studentised

LEVELS = [0.8, 0.95, 0.99375]


def close(estimate, expected, tolerance=1e-9):
    return (estimate.low, estimate.high) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("level", LEVELS)
def test_t_for_a_small_sample(level):
    d = np.random.default_rng(1).standard_normal(8)
    estimate = stats.interval(d, level=level)
    assert estimate.method == "t"
    assert close(estimate, reference.t_interval(d, level))


@pytest.mark.parametrize("level", LEVELS)
def test_bootstrap_t(level):
    d = -np.random.default_rng(2).standard_exponential(30)
    estimate = stats.interval(d, level=level)
    expected = reference.bootstrap_t(d, level, 8000, seed=99)
    assert estimate.method == "bootstrap-t"
    assert close(estimate, expected, 0.12 * (expected[1] - expected[0]))
    again = [stats.interval(d, level=level, seed=s) for s in range(20)]
    scale = expected[1] - expected[0]
    assert np.mean([e.low for e in again]) == pytest.approx(expected[0], abs=0.025 * scale)
    assert np.mean([e.high for e in again]) == pytest.approx(expected[1], abs=0.025 * scale)


def test_studentised_replicates_on_the_same_resamples():
    d = np.random.default_rng(3).standard_normal(12)
    ours = studentised(d[None], 50, np.random.default_rng(4))[0]
    drawn = d[np.random.default_rng(4).integers(0, 12, (50, 12))]
    pivots = (drawn.mean(1) - d.mean()) / (drawn.std(1, ddof=1) / math.sqrt(12))
    assert ours == pytest.approx(np.sort(pivots))


def test_hull_of_bootstrap_t_and_t():
    d = np.random.default_rng(5).standard_exponential(60)
    estimate = stats.interval(d)
    t_low, t_high = reference.t_interval(d, 0.95)
    low, high = reference.bootstrap_t(d, 0.95, 8000, seed=9)
    assert estimate.method == "hull of bootstrap-t and t"
    assert estimate.low == pytest.approx(t_low)
    assert high > t_high
    assert low > t_low
    assert estimate.high == pytest.approx(high, abs=0.06 * (high - low))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("counts", [(7, 3, 40), (0, 5, 25), (4, 0, 100), (0, 0, 60), (30, 28, 60), (1, 1, 9)])
def test_tango_and_bonett_price(counts, level):
    alpha = (1 - level) / 2
    assert tango(*counts).bounds(alpha) == pytest.approx(reference.tango(*counts, level), abs=2e-5)
    expected = reference.bonett_price(*counts, level)
    assert bonett_price(*counts).bounds(alpha) == pytest.approx(np.clip(expected, -1, 1))


def test_pairs_get_the_hull():
    before, after = np.repeat([1.0, 0, 0, 1], [3, 7, 20, 20]), np.repeat([0.0, 1, 0, 1], [3, 7, 20, 20])
    found = stats.compare(before, after).difference
    both = reference.tango(7, 3, 50, 0.95), reference.bonett_price(7, 3, 50, 0.95)
    assert close(found, (min(b[0] for b in both), max(b[1] for b in both)), 2e-5)
    assert found == stats.interval(after - before, binary=True)


@pytest.mark.parametrize("n", [20, 150])
def test_no_variation_is_the_wilson_bound(n):
    low, high = no_change(0.0, 1.0, n).bounds(0.025)
    expected = proportion_confint(0, n, alpha=0.05, method="wilson")[1]
    assert high == pytest.approx(expected)
    assert low == pytest.approx(-expected)


def test_plus_two():
    d = np.repeat([0.0, -0.4, 0.7], [50, 3, 2])
    assert plus_two(d, 1.0).bounds(0.025) == pytest.approx(reference.plus_two(d, 1.0, 0.95))
    hull = stats.interval(d[:30].tolist() + d[50:].tolist(), bounds=(0, 1))
    values = np.concatenate([d[:30], d[50:]])
    both = reference.t_interval(values, 0.95), reference.plus_two(values, 1.0, 0.95)
    assert close(hull, (min(b[0] for b in both), max(b[1] for b in both)))


@pytest.mark.parametrize("correlation", [0.0, 0.35, 0.9])
@pytest.mark.parametrize("sizes", [[4] * 10, [1, 1, 2, 3, 5, 8, 13, 2, 1, 4, 20], [30, 1, 1, 1, 1]])
def test_cr2_by_matrices(sizes, correlation):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    d = np.random.default_rng(6).standard_normal(len(codes)) + codes / 5
    fit = clustered.cr2(d, codes, correlation)
    error, df = reference.cr2(d, codes, correlation)
    assert fit.standard_error == pytest.approx(error)
    assert fit.df == pytest.approx(df)


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_intra_cluster_correlation(effect):
    codes = np.repeat(np.arange(12), [3, 1, 5, 2, 2, 7, 4, 4, 1, 1, 3, 6])
    rng = np.random.default_rng(7)
    d = rng.standard_normal(len(codes)) + effect * rng.standard_normal(12)[codes]
    ours = clustered.intra_cluster_correlation(d, codes)
    assert ours == pytest.approx(reference.intra_cluster_correlation(d, codes))


def test_cluster_bootstrap_t():
    codes = np.repeat(np.arange(15), [3, 2, 5, 2, 2, 7, 4, 4, 3, 2, 3, 6, 4, 4, 4])
    rng = np.random.default_rng(8)
    d = rng.standard_normal(len(codes)) - rng.standard_exponential(15)[codes]
    expected = reference.cluster_bootstrap_t(d, codes, 0.95, 8000, seed=1)
    ours = clustered.cluster_bootstrap_t(d, codes, 8000, np.random.default_rng(2)).bounds(0.025)
    assert ours == pytest.approx(expected, abs=0.04 * (expected[1] - expected[0]))


def test_clusters_get_the_hull():
    codes = np.repeat(np.arange(12), [3, 1, 5, 2, 2, 7, 4, 4, 1, 1, 3, 6])
    d = np.random.default_rng(9).standard_normal(len(codes))
    fit = clustered.cr2(d, codes)
    low, high = fit.mean + np.array([-1, 1]) * reference.stats.t.ppf(0.975, fit.df) * fit.standard_error
    found = stats.interval(d, clusters=[f"topic {c}" for c in codes])
    boot = clustered.cluster_bootstrap_t(d, codes, replicates_for(0.025), np.random.default_rng(0)).bounds(
        0.025
    )
    assert close(found, (min(low, boot[0]), max(high, boot[1])))


def ratio(rows):
    return float(100 * rows[:, 0].sum() / rows[:, 1].sum())


def mean_of_ratios(rows):
    return float((rows[:, 0] / rows[:, 1]).mean())


@pytest.mark.parametrize("statistic", [ratio, mean_of_ratios])
@pytest.mark.parametrize("groups", [None, 12])
def test_jackknife_t(statistic, groups):
    rng = np.random.default_rng(10)
    before, after = (np.stack([rng.integers(1, 9, 60), rng.integers(9, 20, 60)], 1) * 1.0 for _ in "ab")
    codes = np.arange(60) if groups is None else np.arange(60) % groups
    found = stats.compare(
        before, after, statistic=statistic, clusters=None if groups is None else codes.tolist(), level=0.9
    )
    assert close(found.difference, reference.jackknife_t(before, after, statistic, codes, 0.9))
    assert corpus.adds_up(statistic, before) == (statistic is ratio)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_krippendorff(scale):
    rng = np.random.default_rng(11)
    truth = rng.integers(1, 6, 25)
    ratings = np.where(rng.random((4, 25)) < 0.6, truth, rng.integers(1, 6, (4, 25))).astype(float)
    ratings[rng.random((4, 25)) < 0.2] = np.nan
    found = stats.agreement(ratings, scale)
    assert found.value == pytest.approx(reference.krippendorff(ratings, scale))
    resampled = [
        reference.krippendorff(ratings[:, rng.integers(0, 25, 25)], scale)
        for _ in range(150 if scale != "ordinal" else 40)
    ]
    low, high = np.quantile(resampled, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.12)
    assert found.high == pytest.approx(high, abs=0.12)


def test_krippendorff_published_example():
    """The nominal data of Krippendorff (2011), section C: four observers, twelve units, alpha 0.743."""
    nan = np.nan
    ratings = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
    found = [round(stats.agreement(ratings, s).value, 3) for s in ("nominal", "ordinal", "interval")]
    assert found == [0.743, 0.815, 0.849]
