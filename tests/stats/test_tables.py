"""Shares and tables of counts, held against scipy and against all tables with the same margins."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from trimtab import stats
from trimtab.errors import StatisticsError


@pytest.mark.parametrize(("count", "n"), [(0, 1), (0, 40), (3, 40), (40, 40), (512, 100_000)])
def test_wilson_is_that_of_statsmodels(count: int, n: int) -> None:
    low, high = proportion_confint(count, n, method="wilson")
    share = stats.wilson(count, n)
    assert (share.value, share.n) == (count / n, n)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-12)


def test_a_share_of_nothing_is_undefined_and_a_wrong_count_is_refused() -> None:
    assert stats.wilson(0, 0).undefined
    for wrong in ((5, 4), (-1, 4)):
        with pytest.raises(StatisticsError):
            stats.wilson(*wrong)


TABLES = [
    ((3, 7), (1, 9)),
    ((0, 20), (8, 2)),
    ((12, 340), (3, 500)),
    ((50, 950), (70, 9930)),
    ((5, 0), (0, 5)),
]


@pytest.mark.parametrize(("one", "other"), TABLES)
def test_fisher_is_that_of_scipy(one: tuple[int, int], other: tuple[int, int]) -> None:
    expected = fisher_exact([one, other]).pvalue
    assert stats.fisher(one, other) == pytest.approx(expected, rel=1e-9)
    assert stats.fisher(other, one) == pytest.approx(expected, rel=1e-9)


def test_fisher_is_the_sum_over_all_tables_as_rare() -> None:
    one, other = (4, 3), (1, 6)
    have = one[0] + other[0]
    ways = {k: math.comb(7, k) * math.comb(7, have - k) for k in range(have + 1)}
    rare = Fraction(sum(way for way in ways.values() if way <= ways[one[0]]), math.comb(14, have))
    assert stats.fisher(one, other) == pytest.approx(float(rare), rel=1e-12)


def test_fisher_of_empty_margins_is_one_and_of_millions_is_quick() -> None:
    assert stats.fisher((0, 9), (0, 4)) == stats.fisher((9, 0), (4, 0)) == stats.fisher((0, 0), (1, 2)) == 1.0
    big = (100_000, 400_000), (100_400, 399_600)
    assert stats.fisher(*big) == pytest.approx(fisher_exact(big).pvalue, rel=1e-6)
    assert stats.fisher((200_000, 1), (1, 200_000)) == 0.0


@pytest.mark.parametrize(("one", "other"), TABLES)
def test_the_log_odds_ratio_turns_round_with_the_groups_and_is_finite(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    found, turned = stats.log_odds_ratio(one, other), stats.log_odds_ratio(other, one)
    a, b, c, d = (count + 0.5 for count in (*one, *other))
    assert found.value == pytest.approx(math.log(a / b) - math.log(c / d))
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))
    assert math.isfinite(found.high)
    assert found.high - found.low == pytest.approx(
        2 * 1.959964 * math.sqrt(sum(1 / x for x in (a, b, c, d))), rel=1e-6
    )


@pytest.mark.parametrize(("p", "q"), [(0.1, 0.1), (0.05, 0.2), (0.5, 0.3)])
def test_the_interval_of_the_log_odds_ratio_covers(p: float, q: float) -> None:
    rng = np.random.default_rng(0)
    truth = math.log(p / (1 - p)) - math.log(q / (1 - q))
    met = 0
    for a, c in zip(rng.binomial(120, p, 2000), rng.binomial(150, q, 2000), strict=True):
        found = stats.log_odds_ratio((int(a), 120 - int(a)), (int(c), 150 - int(c)))
        met += found.low <= truth <= found.high
    assert 0.94 <= met / 2000 <= 0.98


def test_holm_is_that_of_statsmodels_in_any_order() -> None:
    values = [0.04, 0.001, 0.3, 0.012, 0.9]
    for order in itertools.islice(itertools.permutations(values), 0, None, 17):
        assert stats.holm(order) == pytest.approx(multipletests(order, method="holm")[1])
    assert stats.holm([]) == []


def test_one_row_of_a_small_group_is_not_certain_where_the_interval_says_so() -> None:
    one, other = (1, 19), (50, 9950)
    assert stats.log_odds_ratio(one, other, level=0.99).low > 0
    assert stats.fisher(one, other) > 0.05


@pytest.mark.parametrize(("count", "n"), [(0, 0), (0, 5), (3, 10), (5, 10), (9, 10), (61, 100), (400, 1000)])
def test_the_sign_test_is_the_binomial_one(count: int, n: int) -> None:
    expected = binomtest(count, n, 0.5).pvalue if n else 1.0
    assert stats.sign_test(count, n) == pytest.approx(expected)


def test_more_than_all_is_no_count() -> None:
    with pytest.raises(StatisticsError):
        stats.sign_test(3, 2)
