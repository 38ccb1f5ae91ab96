"""Figures of a space: against scikit-learn, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from trimtab.errors import StatisticsError
from trimtab.probe import linear
from trimtab.probe.space import figures


def sides(shift: float, n: int = 60, hidden: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    items = rng.normal(size=(n, hidden))
    after = items + 0.5 * rng.normal(size=(n, hidden))
    after[:, 0] += shift
    return items, after


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_shift_is_held_by_its_interval(shift: float) -> None:
    held, zero = 0, 0
    for seed in range(200):
        found = figures.centroid_shift(*sides(shift, 30, 5, seed), seed=seed)
        held += found.low <= shift <= found.high
        zero += found.low == 0
    assert held >= 185
    assert zero >= 185 if shift == 0 else zero == 0


def test_a_shift_is_that_of_the_means() -> None:
    before, after = sides(1.0)
    found = figures.centroid_shift(before, after)
    assert found.value == pytest.approx(np.linalg.norm(after.mean(0) - before.mean(0)))
    assert figures.centroid_shift(before, before).high == 0
    assert figures.centroid_shift(before[:3], after[:3]).undefined


def test_silhouettes_are_those_of_scikit_learn() -> None:
    for shift in (0.0, 3.0):
        before, after = sides(shift)
        found = figures.silhouette(before, after)
        other = silhouette_score(np.concatenate([before, after]), np.repeat([0, 1], len(before)))
        assert found.value == pytest.approx(other)
        assert found.low < found.value < found.high


def test_trustworthiness_is_that_of_scikit_learn() -> None:
    points = np.random.default_rng(1).normal(size=(80, 6))
    shown = points[:, :2] + 0.1
    found = figures.trustworthiness(points, shown, 7)
    assert found.value == pytest.approx(trustworthiness(points, shown, n_neighbors=7))
    assert figures.trustworthiness(points, points).value == 1
    near = [
        NearestNeighbors(n_neighbors=8).fit(x).kneighbors(x, return_distance=False)[:, 1:]
        for x in (points, shown)
    ]
    share = np.mean([len(set(a) & set(b)) / 7 for a, b in zip(*near, strict=True)])
    assert figures.kept_neighbours(points, shown, 7).value == pytest.approx(share)
    assert figures.trustworthiness(points[:20], shown[:20]).undefined


@pytest.mark.parametrize("hidden", [8, 300])
def test_the_probe_says_what_scikit_learn_says(hidden: int) -> None:
    before, after = sides(0.6, hidden=hidden)
    n, fold = len(before), np.tile(linear.folds([""] * len(before), figures.FOLDS, 3), 2)
    points, side = np.concatenate([before, after]), np.repeat([-1, 1], n)
    right = []
    for one in range(figures.FOLDS):
        seen = points[fold != one]
        centre, scale = seen.mean(0), seen.std(0)
        alpha = linear.PENALTY * hidden
        made = RidgeClassifier(alpha=alpha).fit((seen - centre) / scale, side[fold != one])
        right += (made.predict((points[fold == one] - centre) / scale) == side[fold == one]).tolist()
    found = figures.linear_probe(before, after, seed=3)
    assert found.value == pytest.approx(np.mean(right))
    assert found.low < found.value < found.high


def test_the_probe_finds_a_shift_and_nothing_where_there_is_none() -> None:
    assert figures.linear_probe(*sides(5.0)).low > 0.9
    wrong = [figures.linear_probe(*sides(0.0, 40, 5, seed), seed=seed).low > 0.5 for seed in range(200)]
    assert sum(wrong) <= 10
    before, _ = sides(0.0)
    assert figures.linear_probe(before, before).value == 0.5
    assert figures.linear_probe(before[:9], before[:9]).undefined


def test_points_of_other_items_are_refused() -> None:
    before, after = sides(0.0)
    for figure in (figures.centroid_shift, figures.silhouette, figures.linear_probe):
        with pytest.raises(StatisticsError, match="shape"):
            figure(before, after[:-1])
