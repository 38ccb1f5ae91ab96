"""Many regressions at once agree with scikit-learn's, one by one, and never see the fold that they tell of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from trimtab.audit.told.logistic import fit, likely, unseen


@pytest.fixture(scope="module")
def made() -> tuple[sparse.csr_matrix, np.ndarray]:
    rng = np.random.default_rng(5)
    features = sparse.csr_matrix((rng.random((300, 12)) < 0.3).astype(np.float64))
    margins = features @ rng.normal(size=(12, 3)) + rng.normal(size=(300, 3))
    return features, (margins > 0).astype(np.float64)


def test_weights_are_those_of_scikit_learn(made: tuple[sparse.csr_matrix, np.ndarray]) -> None:
    features, labels = made
    weights = fit(features, labels, penalty=3.0, steps=500)
    for column in range(labels.shape[1]):
        theirs = LogisticRegression(C=1 / 3.0, tol=1e-9, max_iter=5000).fit(features, labels[:, column])
        assert weights[:-1, column] == pytest.approx(theirs.coef_[0], abs=2e-3)
        assert weights[-1, column] == pytest.approx(theirs.intercept_[0], abs=2e-3)
        probable = theirs.predict_proba(features)[:, 1]
        assert likely(features, weights)[:, column] == pytest.approx(probable, abs=1e-3)


def test_a_fold_is_told_from_the_others_alone(made: tuple[sparse.csr_matrix, np.ndarray]) -> None:
    features, labels = made
    folds = np.arange(300) % 3
    turned = labels.copy()
    turned[folds == 1] = 1 - turned[folds == 1]
    before, after = unseen(features, labels, folds), unseen(features, turned, folds)
    assert np.array_equal(before[folds == 1], after[folds == 1])
    assert not np.allclose(before[folds == 0], after[folds == 0])
