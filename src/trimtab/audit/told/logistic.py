"""Many logistic regressions over the same sparse features at once."""

from __future__ import annotations

import numpy as np
from scipy import optimize, sparse, special

STEPS = 60


def fit(
    features: sparse.csr_matrix, labels: np.ndarray, *, penalty: float = 3.0, steps: int = STEPS
) -> np.ndarray:
    """Weights (d + 1, k) that make k labels most likely under a ridge penalty; the last row is the intercept.

    Minimises -log likelihood + penalty / 2 * |weights|^2, the intercepts left free, by L-BFGS (Hastie, Tibshirani
    and Friedman 2009, "The elements of statistical learning", section 4.4).

    Args:
        features: (n, d).
        labels: (n, k), 0 or 1.
        steps: iterations at most.
    """
    rows, width = features.shape
    count = labels.shape[1]
    with_one = sparse.hstack([features, np.ones((rows, 1))]).tocsr()
    turned = with_one.T.tocsr()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(width + 1, count)
        margins = with_one @ weights
        ridge = penalty * weights
        ridge[-1] = 0.0
        gradient = turned @ (special.expit(margins) - labels) + ridge
        total = float(np.sum(np.logaddexp(0.0, margins) - labels * margins) + 0.5 * np.sum(ridge * weights))
        return total, gradient.ravel()

    start = np.zeros((width + 1) * count)
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 6}
    )
    weights: np.ndarray = found.x.reshape(width + 1, count)
    return weights


def likely(features: sparse.csr_matrix, weights: np.ndarray) -> np.ndarray:
    """Probabilities (n, k) of each label of each row of features (n, d), given weights (d + 1, k)."""
    probable: np.ndarray = special.expit(features @ weights[:-1] + weights[-1])
    return probable


def unseen(
    features: sparse.csr_matrix, labels: np.ndarray, folds: np.ndarray, *, penalty: float = 3.0
) -> np.ndarray:
    """Probabilities (n, k) of each label of each row, from the rows of the other folds only.

    Args:
        folds: (n,), which fold each row is in.
    """
    found = np.zeros(labels.shape)
    for fold in np.unique(folds):
        own = folds == fold
        found[own] = likely(features[own], fit(features[~own], labels[~own], penalty=penalty))
    return found
