"""Labels that a small classifier, which has not seen the row, is sure are other ones: confident learning.

Source: Northcutt, Jiang, Chuang 2021, section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trimtab.audit.findings import Hit
from trimtab.document.masking import mask

FOLDS = 5
# Rows of a label; with fewer, a fold may have none to learn it from.
FEWEST = FOLDS
# Weight of the squared coefficients beside the mean loss: on banking77 a tenth of it finds 5% more in five times the
# time, and ten times as much finds 5% less and is wrong twice as often.
RIDGE = 1e-4
_STEPS, _SHOWN = 200, 40


def out_of_fold(vectors: np.ndarray, labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Probabilities (n, count) of each label for each row, by a softmax regression that was fitted without the row.

    Folds hold about the same share of each label and are drawn by a seed.

    Args:
        vectors: (n, hidden); labels: (n,) from 0 to count - 1.
    """
    fold = folds(labels, seed)
    found = np.zeros((len(labels), count))
    for one in range(FOLDS):
        inside = fold == one
        weights, bias = fitted(vectors[~inside], labels[~inside], count)
        found[inside] = _softmax(vectors[inside] @ weights + bias)
    return found


def folds(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """The fold of each row (n,), 0 to 4: rows of a label are dealt out in turn, in an order drawn by a seed."""
    order = np.random.default_rng(seed).permutation(len(labels))
    ranked = order[np.argsort(labels[order], kind="stable")]
    found = np.empty(len(labels), dtype=np.int64)
    found[ranked] = np.arange(len(labels)) % FOLDS
    return found


def fitted(vectors: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (hidden, count) and intercepts (count,) that minimise the mean loss and a penalty on coefficients.

    Multinomial logistic regression by L-BFGS (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning,
    2nd ed., sections 4.4 and 18.3.2).
    """
    held, hidden = vectors.astype(np.float64), vectors.shape[1]
    wanted = np.zeros((len(labels), count))
    wanted[np.arange(len(labels)), labels] = 1.0

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[: hidden * count].reshape(hidden, count), flat[hidden * count :]
        likely = _softmax(held @ weights + bias)
        right = likely[np.arange(len(labels)), labels]
        value = -np.log(np.maximum(right, 1e-300)).mean() + RIDGE * float((weights**2).sum()) / 2
        gap = (likely - wanted) / len(labels)
        slope = held.T @ gap + RIDGE * weights
        return float(value), np.concatenate([slope.ravel(), gap.sum(axis=0)])

    # scipy.optimize takes a fifth of a second to load, in each process; few audits look at labels.
    from scipy.optimize import minimize

    start = np.zeros((hidden + 1) * count)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return best[: hidden * count].reshape(hidden, count), best[hidden * count :]


def _softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return found


def confident(likely: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The label (n,) that each row surely has; -1 where none is sure.

    A row counts for the most probable of those labels whose probability reaches its threshold, the mean probability of
    a label over the rows that have it (eq. 1 and 2).

    Args:
        likely: (n, k), out of fold; labels: (n,) from 0 to k - 1.
    """
    count = likely.shape[1]
    thresholds = np.array(
        [likely[labels == one, one].mean() if np.any(labels == one) else np.inf for one in range(count)]
    )
    sure = np.where(likely >= thresholds, likely, -1.0)
    best = np.argmax(sure, axis=1)
    return np.where(sure.max(axis=1) >= 0, best, -1)


def noisy(
    rows: np.ndarray, vectors: np.ndarray, labels: np.ndarray, names: tuple[str, ...], seed: int = 0
) -> Iterator[Hit]:
    """`label_noise`: rows that are off the diagonal of the confident joint.

    Args:
        rows: (n,), numbers; vectors: (n, hidden); labels: (n,), places in names, -1 for none. Labels of fewer than five
            rows are left out.
    """
    counts = np.bincount(labels[labels >= 0], minlength=len(names))
    kept = np.flatnonzero(counts >= FEWEST)
    if len(kept) < 2:
        return
    renamed = np.full(len(names), -1)
    renamed[kept] = np.arange(len(kept))
    used = np.flatnonzero((labels >= 0) & (renamed[labels] >= 0))
    own = renamed[labels[used]]
    likely = out_of_fold(vectors[used], own, len(kept), seed)
    better = confident(likely, own)
    for place in np.flatnonzero((better >= 0) & (better != own)):
        said, meant = (_short(names[kept[one[place]]]) for one in (own, better))
        note = f"label {said}, though {meant} is likelier ({likely[place, better[place]]:.0%})"
        yield Hit("label_noise", int(rows[used[place]]), note=note)


def _short(name: str) -> str:
    return mask(name[:_SHOWN])
