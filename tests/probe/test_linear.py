"""The probe against its primal form, and on features that say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from trimtab.errors import DataError
from trimtab.probe import linear


def primal(known: np.ndarray, labels: np.ndarray, asked: np.ndarray, penalty: float) -> np.ndarray:
    """Ridge by its normal equations, as a least-squares problem with rows added for the penalty."""
    centre, scale = known.mean(axis=0), known.std(axis=0)
    ours, theirs = (known - centre) / scale, (asked - centre) / scale
    weight = penalty * (ours**2).sum() / len(ours)
    added = np.concatenate([ours, np.sqrt(weight) * np.eye(ours.shape[1])])
    found = np.linalg.lstsq(added, np.concatenate([labels, np.zeros(ours.shape[1])]), rcond=None)[0]
    return np.asarray(theirs @ found)


@pytest.mark.parametrize("width", [3, 40])
def test_ridge_is_that_of_the_normal_equations(width: int) -> None:
    dice = np.random.default_rng(0)
    known, asked = dice.normal(2, 3, (20, width)), dice.normal(2, 3, (7, width))
    labels = np.repeat([1.0, -1.0], 10)
    found = linear.ridge(known, labels, asked, 0.1)
    np.testing.assert_allclose(found, primal(known, labels, asked, 0.1), atol=1e-8)


def test_groups_stay_in_one_fold_and_folds_are_even() -> None:
    groups = [f"g{number // 3}" for number in range(30)] + [""] * 10
    fold = linear.folds(groups, 5, seed=1)
    assert all(
        len({f for f, g in zip(fold, groups, strict=True) if g == name}) == 1 for name in set(groups) - {""}
    )
    assert np.ptp(np.bincount(fold, minlength=5)) <= 3
    assert len(set(fold[30:])) > 1
    assert list(linear.folds(groups, 5, seed=1)) == list(fold)
    assert set(linear.folds(["a", "b", "b"], 5, seed=0)) == {0, 1}
    with pytest.raises(DataError, match="1 group"):
        linear.folds(["a", "a"], 5, seed=0)


def test_features_that_say_nothing_give_half() -> None:
    dice = np.random.default_rng(3)
    fold = np.arange(20) % 5
    shares = [linear.correct(*dice.normal(size=(2, 20, 30)), fold, 0.1).mean() for _ in range(200)]
    assert np.mean(shares) == pytest.approx(0.5, abs=3 * np.std(shares) / np.sqrt(200) + 1e-3)
    same = np.ones((20, 4))
    assert (linear.correct(same, same, fold, 0.1) == 0.5).all()


def test_a_group_that_is_held_out_is_not_learned_by_heart() -> None:
    """Each group has a direction of its own: seen in other folds it would be told, held out as a whole it is not."""
    dice = np.random.default_rng(5)
    own = np.repeat(dice.normal(size=(20, 200)), 4, axis=0)
    groups = np.repeat(np.arange(20), 4)
    noise = dice.normal(0, 0.1, (2, 80, 200))
    together = linear.folds([str(g) for g in groups], 5, seed=0)
    apart = np.arange(80) % 4
    held, leaked = (
        linear.correct(noise[0] + own, noise[1] - own, fold, 0.1).mean() for fold in (together, apart)
    )
    assert leaked == 1.0
    assert held < 0.75
