"""Whether a linear classifier tells two kinds of points apart, on points that it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.errors import DataError

Array = NDArray[np.float64]
# Of the ridge, in mean squared lengths of a standardised point.
PENALTY = 0.1


def folds(groups: Sequence[str], count: int, seed: int) -> NDArray[np.int64]:
    """Fold of each item (items,), 0 to count - 1: a group lies in one fold, and folds have about as many items.

    An empty name is a group of its own. With fewer groups than folds, each group is a fold.

    Raises:
        DataError: fewer than 2 groups.
    """
    names = [group or f"\0{place}" for place, group in enumerate(groups)]
    members: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        members.setdefault(name, []).append(place)
    if len(members) < 2:
        raise DataError(f"{len(members)} group of pairs, expected at least 2", "give pairs of more groups")
    shuffled = [list(members.values())[i] for i in np.random.default_rng(seed).permutation(len(members))]
    sizes = np.zeros(min(count, len(members)), dtype=np.int64)
    found = np.zeros(len(groups), dtype=np.int64)
    for places in sorted(shuffled, key=len, reverse=True):
        fold = int(sizes.argmin())
        found[places] = fold
        sizes[fold] += len(places)
    return found


def correct(positive: Array, negative: Array, fold: NDArray[np.int64], penalty: float) -> Array:
    """Share of each pair's two texts that is classified rightly, by a classifier of the other folds: (pairs,).

    0, 0.5 or 1; a text that lies on the border counts as half right, so that features which say nothing give 0.5.

    Args:
        positive, negative: features (pairs, hidden).
        penalty: of the ridge, in mean squared lengths of a standardised text.
    """
    found = np.zeros(len(positive))
    for held in np.unique(fold):
        rest = fold != held
        known = np.concatenate([positive[rest], negative[rest]])
        labels = np.repeat([1.0, -1.0], int(rest.sum()))
        scores = [
            ridge(known, labels, side[~rest], penalty) * sign
            for side, sign in ((positive, 1), (negative, -1))
        ]
        found[~rest] = np.mean([(np.sign(score) + 1) / 2 for score in scores], axis=0)
    return found


def ridge(known: Array, labels: Array, asked: Array, penalty: float) -> Array:
    """What ridge regression on labels +1 and -1, as many of each, says of texts (asked,): above 0 is +1.

    Features are standardised by the known texts (constant ones are left out). With Z the known texts (n, hidden),
    w = Z' (Z Z' + p t I)^-1 y, where t is the mean of the diagonal of Z Z' and p the penalty: the dual form of ridge
    regression (Saunders, Gammerman and Vovk 1998, equation 7), which costs n^3 however wide the network is.
    """
    centre, scale = known.mean(axis=0), known.std(axis=0)
    # What differs by rounding alone is constant.
    kept = scale > 1e-9 * (1 + np.abs(centre))
    if not kept.any():
        return np.zeros(len(asked))
    ours, theirs = ((part[:, kept] - centre[kept]) / scale[kept] for part in (known, asked))
    products = ours @ ours.T
    weight = penalty * float(np.trace(products)) / len(ours)
    found: Array = theirs @ (ours.T @ np.linalg.solve(products + weight * np.eye(len(ours)), labels))
    return np.where(np.abs(found) < 1e-9, 0.0, found)
