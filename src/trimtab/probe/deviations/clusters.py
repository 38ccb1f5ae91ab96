"""Kinds of failure: failing items that are alike in meaning and in what they fail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.audit.meaning import topics
from trimtab.audit.meaning.embedded import scaled
from trimtab.probe.deviations.items import Item

# Below so much of the mean silhouette borders are chance, and failures are of one kind.
APART = 0.1
# Items that a cluster should have on average, and the most clusters.
EACH, MOST = 8, 12
# What the profile of scores weighs beside a vector of length 1.
PROFILE = 0.5


def profiles(items: Sequence[Item]) -> NDArray[np.float64]:
    """Scores (n, metrics) of items, each metric with mean 0 and deviation 1 over them; undefined ones are 0."""
    names = sorted({name for item in items for name in item.scores})
    table = np.array([[item.scores.get(name, math.nan) for name in names] for item in items]).reshape(
        len(items), len(names)
    )
    known = ~np.isnan(table)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, table, 0).sum(axis=0) / counts
    centred = np.where(known, table - mean, 0)
    deviation = np.sqrt((centred**2).sum(axis=0) / counts)
    return np.asarray(centred / np.where(deviation > 0, deviation, 1), dtype=np.float64)


def clusters(vectors: np.ndarray, items: Sequence[Item], seed: int = 0) -> tuple[NDArray[np.int64], float]:
    """The cluster (n,) of each of n failing items, the largest 0, and how well they are apart, -1 to 1 (nan for one).

    Spherical k-means by a seed of what an item is about (vectors (n, hidden) of length 1) beside its profile of
    scores, for the number of clusters with the largest simplified silhouette; one where that is below 0.1.
    """
    n = len(items)
    one = np.zeros(n, dtype=np.int64)
    profile = profiles(items)
    points = scaled(
        np.concatenate([vectors, PROFILE * profile / math.sqrt(max(1, profile.shape[1]))], axis=1)
    )
    counts = range(2, min(MOST, n // EACH) + 1)
    tried = [topics.centres(points, count, seed) for count in counts]
    scores = [float(topics.silhouettes(points, found).mean()) for found in tried]
    if not scores or max(scores) < APART:
        return one, math.nan
    best = int(np.argmax(scores))
    _, codes = np.unique(np.argmax(points @ tried[best].T, axis=1), return_inverse=True)
    order = np.argsort(-np.bincount(codes), kind="stable")
    return np.asarray(np.argsort(order)[codes], dtype=np.int64), scores[best]


def nearest(vectors: np.ndarray, members: np.ndarray, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cluster (n,) whose members' mean vector is nearest to each of n vectors of length 1, members (m, hidden)."""
    middles = scaled(np.stack([members[codes == one].mean(axis=0) for one in range(int(codes.max()) + 1)]))
    return np.asarray(np.argmax(vectors @ middles.T, axis=1), dtype=np.int64)


def names(items: Sequence[Item], codes: Mapping[str, int]) -> tuple[str, ...]:
    """The terms of each cluster, of prompts and answers, against the other clusters and the items that pass.

    Args:
        items: all items; codes: the cluster of those that fail, by id.
    """
    count = max(codes.values()) + 1
    every = np.array([codes.get(item.id, count) for item in items])
    return topics.names([f"{item.prompt} {item.answer}" for item in items], every)[:count]
