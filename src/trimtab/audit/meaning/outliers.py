"""Rows that are like no others of the set: far from even their nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trimtab.audit.findings import Hit
from trimtab.audit.meaning.embedded import blocks

FEWEST = 100
# A clump of rows from elsewhere are neighbours of each other: so large a share of the set has to be near.
SHARE, LEAST, MOST = 0.05, 10, 200
# Standard deviations of a normal distribution, below the median.
FAR = 3.5
_NORMAL = 1.4826  # the scale of a normal distribution over its median absolute deviation


def neighbours(count: int) -> int:
    """How many nearest rows are looked at: one in twenty, from 10 to 200."""
    return min(MOST, max(LEAST, round(SHARE * count)))


def nearness(vectors: np.ndarray, near: int) -> np.ndarray:
    """Mean cosine (n,) of each row to its nearest others.

    Args:
        vectors: (n, hidden), of length 1; near: how many, below n.
    """
    found = np.empty(len(vectors))
    for begin, end in blocks(len(vectors)):
        cosines = vectors[begin:end] @ vectors.T
        cosines[np.arange(end - begin), np.arange(begin, end)] = -2
        found[begin:end] = np.partition(cosines, -near, axis=1)[:, -near:].mean(axis=1)
    return found


def far(near: np.ndarray) -> np.ndarray:
    """Which figures (n,) are far below the rest, as (n,) bool.

    The cut is 3.5 standard deviations below the median (Iglewicz and Hoaglin 1993, chapter 3), by the median absolute
    deviation of what is below it alone, since the upper side is another one: copies and set phrases.
    """
    middle = float(np.median(near))
    below = middle - near[near <= middle]
    reach = FAR * _NORMAL * float(np.median(below))
    found: np.ndarray = near < middle - max(reach, 1e-3)
    return found


def outliers(rows: np.ndarray, vectors: np.ndarray) -> Iterator[Hit]:
    """`outlier_meaning`, for rows by number (n,) with vectors (n, hidden); none of fewer than a hundred."""
    if len(rows) < FEWEST:
        return
    near = nearness(vectors, neighbours(len(rows)))
    middle = float(np.median(near))
    for place in np.flatnonzero(far(near)):
        note = f"mean cosine {near[place]:.2f} to its nearest rows, where {middle:.2f} is usual"
        yield Hit("outlier_meaning", int(rows[place]), note=note)
