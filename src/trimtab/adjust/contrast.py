"""Directions in the residual stream from pairs of texts, and how well each block tells the two sides apart.

For block b and pair i let d_i be the difference of the mean states of the positive and the negative text's answer.

    mean   direction ~ sum_i d_i                                      Rimsky et al. 2024, section 3
    pca    direction ~ first principal component of {d_i, -d_i},      Zou et al. 2023, section 3.1
           that is the first right singular vector of (d_1, ..., d_n); its sign is that of the mean

Both have length 1. All that is said of a direction's quality is from pairs that it was not fitted on: pair i is held
against the direction of all others. So the table of blocks costs one pass over the texts, and no generation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trimtab.errors import DataError
from trimtab.model import activations
from trimtab.model.load import Base
from trimtab.records import NAN, Estimate, Progress, Report, TokenRow
from trimtab.stats.corpus import pseudo_values
from trimtab.stats.intervals import t_family

Method = Literal["mean", "pca"]
Array = NDArray[np.float64]
LEAST_PAIRS = 4
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two texts that differ in what a direction shall stand for; `supervised` marks the tokens of their answers."""

    positive: TokenRow
    negative: TokenRow


@dataclass(frozen=True, slots=True)
class Layer:
    """How a block tells positive texts from negative ones, by directions of the other pairs.

    Attributes:
        norm: median length of a token's state after the block.
        agreement: mean cosine of a pair's difference with the direction, -1 to 1.
        separation: d', the difference of the mean components along the direction in standard deviations
            (the root of the mean of both variances); jackknife-t interval over pairs.
        auc: probability that a positive text's component is larger than a negative text's, 0 to 1.
    """

    block: int
    norm: float
    agreement: float
    separation: Estimate
    auc: float


@dataclass(frozen=True, slots=True)
class Survey:
    """The direction of every block, and what is known of it.

    Attributes:
        directions: (blocks, hidden) float32, each of length 1.
        components: (blocks,) mean component of positive texts along the direction, in the block's norms.
        pairs: number of pairs that they come from.
    """

    method: Method
    directions: NDArray[np.float32]
    components: Array
    layers: tuple[Layer, ...]
    pairs: int

    def best(self, count: int = 1) -> tuple[int, ...]:
        """The blocks of the middle half that tell the sides apart best, best first.

        Early blocks hold words rather than what is said, late ones the next word; in between directions move answers
        most (Rimsky et al. 2024, figure 3; Zou et al. 2023, section 3).
        """
        quarter = len(self.layers) // 4
        middle = self.layers[quarter : len(self.layers) - quarter]
        ordered = sorted(middle, key=lambda layer: -layer.separation.value)
        return tuple(layer.block for layer in ordered[:count])


def survey(
    base: Base, contrasts: Sequence[Contrast], method: Method = "mean", *, report: Report | None = None
) -> Survey:
    """Read all texts once and fit a direction for every block.

    Raises:
        DataError: fewer than 4 pairs, or pairs whose two texts are the same everywhere.
    """
    if len(contrasts) < LEAST_PAIRS:
        raise DataError(
            f"steering: {len(contrasts)} pairs of texts that differ, expected at least {LEAST_PAIRS}",
            "give more pairs; some dozen are usual",
        )

    def tell(done: int, total: int) -> None:
        if report:
            report(Progress("reading pairs", done, total))

    rows = [row for pair in contrasts for row in (pair.positive, pair.negative)]
    read = activations.read(base, rows, report=tell)
    positive, negative = (read.means[side::2].astype(np.float64) for side in (0, 1))
    if not np.any(positive != negative):
        raise DataError("steering: the two texts of every pair are the same", "give pairs that differ")
    found = [
        _layer(block, positive[:, block], negative[:, block], float(norm), method)
        for block, norm in enumerate(read.norms)
    ]
    directions = np.stack([way for _, way in found])
    components = np.einsum("pbh,bh->b", positive, directions) / len(contrasts) / read.norms
    return Survey(
        method, directions.astype(np.float32), components, tuple(layer for layer, _ in found), len(contrasts)
    )


def direction(differences: Array, method: Method) -> Array:
    """Direction of length 1 (hidden,) of differences (pairs, hidden); zero where they are all zero."""
    mean = differences.mean(axis=0)
    if method == "mean":
        return _unit(mean)
    first = np.linalg.svd(differences, full_matrices=False)[2][0]
    return _unit(first * (1 if first @ mean >= 0 else -1)) if differences.any() else mean


def without_each(differences: Array, method: Method) -> Array:
    """Directions (pairs, hidden) of all pairs but one, for each pair in turn."""
    rest = differences.sum(axis=0) - differences
    if method == "mean":
        return _unit(rest)
    # The first right singular vector from the small matrix of products: D' w, w the first eigenvector of D D'.
    products = differences @ differences.T
    found = np.zeros_like(differences)
    for left_out in range(len(differences)):
        kept = np.arange(len(differences)) != left_out
        first = np.linalg.eigh(products[np.ix_(kept, kept)])[1][:, -1] @ differences[kept]
        found[left_out] = first * (1 if first @ rest[left_out] >= 0 else -1)
    return _unit(found)


def _layer(block: int, positive: Array, negative: Array, norm: float, method: Method) -> tuple[Layer, Array]:
    differences = positive - negative
    others = without_each(differences, method)
    along = np.stack([(side * others).sum(axis=1) for side in (positive, negative)])
    agreement = float((_unit(differences) * others).sum(axis=1).mean())
    above = along[0][:, None] - along[1][None]
    auc = float((above > 0).mean() + (above == 0).mean() / 2)
    return Layer(block, norm, agreement, separation(*along), auc), direction(differences, method)


def separation(positive: Array, negative: Array) -> Estimate:
    """d' of the components of texts (pairs,), with a jackknife-t interval over pairs.

    d' = (mean of positive - mean of negative) / sqrt((variance of positive + variance of negative) / 2)
    """
    scores = np.stack([positive, negative])
    # d' does not change with place and scale; sums of squares of large numbers would lose their differences.
    scores = (scores - scores.mean()) / (scores.std() or 1.0)
    rows = np.stack([np.ones(len(positive)), *scores, *scores**2], axis=1)
    value = _d_prime(rows)
    if not math.isfinite(value):
        return Estimate(NAN, NAN, NAN, LEVEL, len(rows), "jackknife-t", "the components do not vary")
    base = np.zeros_like(rows)
    *_, pseudo = pseudo_values(
        base, rows, lambda some: _d_prime(some) if some.any() else 0.0, np.arange(len(rows))
    )
    error = float(pseudo.std(ddof=1) / math.sqrt(len(pseudo)))
    return t_family(value, error, len(pseudo) - 1, "jackknife-t").estimate(LEVEL, len(pseudo))


def _d_prime(rows: Array) -> float:
    """From sums over pairs of 1, both components, and both components squared (pairs, 5)."""
    count, *sums = rows.sum(axis=0)
    one, two, one_squared, two_squared = (part / count for part in sums)
    variance = (one_squared - one**2 + two_squared - two**2) / 2
    return float((one - two) / math.sqrt(variance)) if variance > 1e-12 else NAN


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    found: Array = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return found
