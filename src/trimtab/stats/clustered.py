"""CR2 variance and Satterthwaite degrees of freedom for the item-weighted mean of clustered items.

Bell and McCaffrey (2002), Survey Methodology 28(2), 169-181; Pustejovsky and Tipton (2018), J. Business &
Economic Statistics 36(4), 672-683, equations 4 to 6 and 9 to 11, for an intercept-only model with the
identity as weights and an exchangeable working model: Var(y_g) = Phi_g = (1-r) I + r J within cluster g of
m_g items, N = sum m_g. There the matrices have closed forms. Write

    v_g = 1 + (m_g - 1) r      eigenvalue of Phi_g on the vector of ones
    s   = sum_g m_g v_g        so that Var(mean) = s / N^2
    c_g = v_g (1 - 2 m_g / N) + s m_g / N^2      the same eigenvalue for the residuals of cluster g

The adjustment matrix A_g solves A_g Var(e_g) A_g = Phi_g with A_g positive definite, so A_g 1 = a_g 1 with
a_g = sqrt(v_g / c_g). With T_g the sum of the residuals of cluster g,

    Var_CR2(mean) = sum_g (a_g T_g)^2 / N^2

The a_g T_g / N have covariance O_gh = a_g a_h (delta_gh m_g v_g + m_g m_h (w_g + w_h)) / N^2 with
w_g = (s / (2N) - v_g) / N, and the degrees of freedom are (sum_g O_gg)^2 / sum_gh O_gh^2. r is the
analysis-of-variance estimate of the intra-cluster correlation, kept in [0, 1].
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.intervals import (
    CHUNK_CELLS,
    Array,
    Bounds,
    Family,
    pseudo_pairs,
    resample_counts,
    studentised_family,
    t_family,
)

LEAST_CLUSTERS = 10


def cluster_codes(labels: Sequence[object], n: int) -> NDArray[np.int64]:
    """Cluster number 0..G-1 of each item; None, "" and nan are clusters of their own."""
    seen: dict[object, int] = {}
    codes = np.empty(n, dtype=np.int64)
    for index, label in enumerate(labels):
        plain = label.item() if isinstance(label, np.generic) else label
        missing = plain is None or plain == "" or plain != plain
        codes[index] = seen.setdefault((index,) if missing else (plain, "label"), len(seen))
    return codes


@dataclass(frozen=True, slots=True)
class Cr2:
    """Item-weighted mean, its CR2 standard error, degrees of freedom and estimated correlation."""

    mean: float
    standard_error: float
    df: float
    correlation: float


def intra_cluster_correlation(d: Array, codes: NDArray[np.int64]) -> float:
    """Analysis-of-variance estimate, 0 to 1; d (items,), codes (items,). 0 where all clusters are single."""
    n = len(d)
    sizes = np.bincount(codes)
    groups = len(sizes)
    if groups in (1, n):
        return 0.0
    means = np.bincount(codes, d) / sizes
    between = float((sizes * (means - d.mean()) ** 2).sum()) / (groups - 1)
    within = float(((d - means[codes]) ** 2).sum()) / (n - groups)
    typical = (n - float((sizes**2).sum()) / n) / (groups - 1)
    denominator = between + (typical - 1) * within
    return min(1.0, max(0.0, (between - within) / denominator)) if denominator > 0 else 0.0


def cr2(d: Array, codes: NDArray[np.int64], correlation: float | None = None) -> Cr2:
    """CR2 for d (items,) in clusters codes (items,), at a given or the estimated correlation."""
    r = intra_cluster_correlation(d, codes) if correlation is None else correlation
    m = np.bincount(codes).astype(np.float64)
    n = float(len(d))
    mean = float(d.mean())
    totals = np.bincount(codes, d - mean)
    v = 1 + (m - 1) * r
    s = float(m @ v)
    a = np.sqrt(v / (v * (1 - 2 * m / n) + s * m / n**2))
    error = math.sqrt(float(((a * totals) ** 2).sum())) / n
    w = (s / (2 * n) - v) / n
    u = (a * m) ** 2
    diagonal = a**2 * m * v + 2 * u * w
    squares = 2 * float(u @ w**2) * float(u.sum()) + 2 * float(u @ w) ** 2
    squares += float((diagonal**2).sum()) - 4 * float((u * w) @ (u * w))
    return Cr2(mean, error, float(diagonal.sum()) ** 2 / squares, r)


def cr2_family(fit: Cr2) -> Family:
    """The t interval of a CR2 fit."""
    return t_family(fit.mean, fit.standard_error, fit.df, "CR2 with Satterthwaite df")


def padded_cr2(d: Array, codes: NDArray[np.int64], span: float) -> Family:
    """The plus-two rule for clusters: `pseudo_pairs` (rounded up) pairs of clusters of average size.

    One cluster of a pair is all at +span, the other all at -span; |d| <= span.
    """
    groups = int(codes.max()) + 1
    size = math.ceil(len(d) / groups)

    def bounds(alpha: float) -> Bounds:
        added = 2 * math.ceil(pseudo_pairs(alpha) - 1e-9)
        ends = np.where(np.arange(added) % 2, -span, span)
        padded = np.concatenate([d, np.repeat(ends, size)])
        fit = cr2(padded, np.concatenate([codes, np.repeat(groups + np.arange(added), size)]))
        return cr2_family(fit).bounds(alpha)

    return Family(float(d.mean()), "plus-two", bounds)


def cluster_bootstrap_t(
    d: Array, codes: NDArray[np.int64], replicates: int, rng: np.random.Generator
) -> Family:
    """Studentised bootstrap for the item-weighted mean, resampling whole clusters.

    Within each resample the mean is a ratio of sums, total over items, with the linearised standard error
    sqrt(sum_g (S_g - m_g mean)^2) / sum_g m_g, as in the data. It takes up skewness between clusters,
    which a symmetric interval cannot.
    """
    m = np.bincount(codes).astype(np.float64)
    groups, value = len(m), float(d.mean())
    totals = np.bincount(codes, d - value)
    moments = np.stack([totals, m, totals**2, totals * m, m**2], axis=1)
    tiny = 1e-12 * float((totals**2).sum())
    drawn = []
    step = max(1, CHUNK_CELLS // groups)
    for start in range(0, replicates, step):
        s, size, ss, sm, mm = (resample_counts(groups, min(step, replicates - start), rng) @ moments).T
        mean = s / size
        squares = ss - 2 * mean * sm + mean**2 * mm
        usable = squares > tiny
        error = np.sqrt(np.where(usable, squares, 1.0)) / size
        drawn.append(np.where(usable, mean / error, np.copysign(np.inf, mean)))
    error = math.sqrt(float((totals**2).sum())) / len(d)
    return studentised_family(value, error, np.sort(np.concatenate(drawn)), "cluster bootstrap-t")
