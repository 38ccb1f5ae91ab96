"""What texts are about, as figures that can be counted: how near they are to known ones, main directions, topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.audit.meaning.embedded import scaled
from trimtab.audit.meaning.topics import topics
from trimtab.stats.intervals import Array

AXES = 3
# Texts from which directions are learned at least, and from which topics are.
LEAST, LEAST_FOR_TOPICS = 10, 40


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What is learned from one part of a baseline, so that the other part and all traffic are new to it alike.

    Attributes:
        held: (m, hidden), vectors of the texts that it was learned from.
        axes: (AXES, hidden), their main directions of variation, each of length 1.
        centres: (k, hidden), of their topics; None where there are too few texts. names: of each, in words.
    """

    held: np.ndarray
    axes: np.ndarray
    centres: np.ndarray | None = None
    names: tuple[str, ...] = ()

    def figures(self, vectors: np.ndarray) -> dict[str, Array]:
        """Of each vector (n, hidden): the cosine with the nearest known text, and with each axis, (n,) each."""
        near = (vectors @ self.held.T).max(axis=1)
        along = {f"direction {number}": vectors @ axis for number, axis in enumerate(self.axes, 1)}
        return {"nearest": near.astype(np.float64)} | {k: v.astype(np.float64) for k, v in along.items()}

    def topic(self, vectors: np.ndarray) -> dict[str, Array]:
        """Of each vector (n, hidden) and topic: 1 where it is of that topic, else 0, (n,) each."""
        if self.centres is None:
            return {}
        nearest = np.argmax(vectors @ self.centres.T, axis=1)
        return {
            # By number: a state that is kept, and an alarm that is sent, hold no word of a text.
            f"topic {number}": (nearest == number - 1).astype(np.float64)
            for number in range(1, len(self.names) + 1)
        }


def landmarks(vectors: np.ndarray, texts: Sequence[str] = ()) -> Landmarks:
    """Learn from vectors (m, hidden) of length 1, m at least `LEAST`; topics too where their texts are given."""
    spread = vectors - vectors.mean(axis=0)
    axes = np.linalg.svd(spread, full_matrices=False)[2][:AXES]
    if len(texts) < LEAST_FOR_TOPICS:
        return Landmarks(vectors, axes)
    found = topics(vectors, texts)
    sums = np.stack([vectors[found.codes == code].sum(axis=0) for code in range(len(found.sizes))])
    return Landmarks(vectors, axes, scaled(sums), found.names)
