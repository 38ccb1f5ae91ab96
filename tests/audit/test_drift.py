"""Two-sample tests between halves of time: their level by simulation, their power, and other implementations."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from scipy import stats

from trimtab.audit import drift

START = datetime.date(2024, 1, 1)


def days(count: int) -> list[datetime.date]:
    return [START + datetime.timedelta(days=one) for one in range(count)]


def test_the_cut_parts_the_dates_most_evenly() -> None:
    assert drift.cut(days(10)) == START + datetime.timedelta(days=5)
    early, late = START, START + datetime.timedelta(days=1)
    assert drift.cut([early] * 9 + [late]) == late
    assert drift.cut([late, early, late]) == late
    assert drift.cut([early] * 5) is None
    assert drift.cut([]) is None


def test_energy_of_one_axis_is_scipys() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=30), rng.normal(1, 2, size=50)])
    apart = np.abs(values[:, None] - values[None, :])
    later = np.repeat([False, True], [30, 50])
    # scipy gives the square root.
    expected = stats.energy_distance(values[:30], values[30:]) ** 2
    assert drift.energy(apart, later[None, :])[0] == pytest.approx(expected)


def test_levels_and_shares() -> None:
    rng = np.random.default_rng(2)
    later = np.repeat([False, True], 60)
    values = rng.normal(size=120) + 0.8 * later
    values[5] = np.nan
    found = drift.level("words", values, later)
    assert found
    assert found.chance == pytest.approx(stats.mannwhitneyu(np.delete(values[:60], 5), values[60:]).pvalue)
    assert found.said.startswith("words ")
    assert drift.level("words", values, np.arange(120) >= 110) is None
    equal = drift.level("words", np.ones(120), later)
    assert equal
    assert equal.chance == 1
    moved = drift.share("in en", np.arange(120) < 50, later)
    assert moved
    assert moved.chance < 1e-6
    assert moved.said == "in en 83% before, 0% since"


def test_meaning_that_stays_is_told_to_stay_and_meaning_that_moves_to_move() -> None:
    chances = []
    for seed in range(100):
        vectors = np.random.default_rng(seed).normal(size=(80, 8))
        found = drift.meaning(days(80), vectors, drift.cut(days(80)), seed)
        assert found
        chances.append(found.chance)
    # Of a right test 5 of 100 are below 0.05; 12 or more have a chance of 1 in 250.
    assert sum(one < 0.05 for one in chances) < 12
    assert stats.kstest(chances, "uniform").pvalue > 0.01
    vectors = np.random.default_rng(0).normal(size=(80, 8))
    vectors[40:, 0] += 1.5
    moved = drift.meaning(days(80), vectors, drift.cut(days(80)))
    assert moved
    assert moved.chance == pytest.approx(0.001)


def test_rows_without_dates_and_few_rows_are_not_compared() -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 4))
    assert drift.meaning([None] * 60, vectors, START) is None
    assert drift.meaning(days(60), vectors, None) is None
    assert drift.meaning(days(60), vectors, START + datetime.timedelta(days=50)) is None
