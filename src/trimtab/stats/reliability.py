"""How far confidences can be trusted: Brier score, calibration error, and what abstaining would save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.errors import StatisticsError
from trimtab.records import NAN, Estimate
from trimtab.stats.clustered import cluster_codes
from trimtab.stats.intervals import CHUNK_CELLS, Array, replicates_for, resample_counts
from trimtab.stats.levels import alpha_from_level
from trimtab.stats.paired import interval

BINS = 10


@dataclass(frozen=True, slots=True)
class Reliability:
    """Confidences (n,) held against what came out.

    Attributes:
        brier: mean squared difference of confidence and outcome, 0 to 1, lower is better; 0.25 says always one half.
        error: expected calibration error, 0 to 1, lower is better.
        aurc: mean risk over all coverages, lower is better; `risk` is what it would be without any order.
        risk: share of all answers that are not good.
        curve: (coverage, risk) at most 50 points.
    """

    brier: Estimate
    error: Estimate
    aurc: float
    risk: float
    curve: tuple[tuple[float, float], ...]


def reliability(
    confidences: Array,
    good: Array,
    *,
    groups: Sequence[object] | None = None,
    bins: int = BINS,
    level: float = 0.95,
    seed: int = 0,
) -> Reliability:
    """All measures of confidences (n,) in [0, 1] and outcomes (n,) that are 0 or 1.

    Raises:
        StatisticsError: as for `calibration_error`.
    """
    p, y = _checked(confidences, good)
    coverage, risk = risk_coverage(p, y)
    places = np.unique(np.linspace(0, len(p) - 1, min(50, len(p))).round().astype(int))
    return Reliability(
        interval((p - y) ** 2, clusters=groups, level=level, bounds=(0.0, 1.0)),
        calibration_error(p, y, groups=groups, bins=bins, level=level, seed=seed),
        aurc(p, y),
        float(1 - y.mean()),
        tuple((float(coverage[i]), float(risk[i])) for i in places),
    )


def brier(confidences: Array, good: Array) -> float:
    """Mean of (confidence - outcome)^2, 0 to 1, lower is better. Source: Brier 1950, for one class."""
    p, y = _checked(confidences, good)
    return float(((p - y) ** 2).mean())


def calibration_error(
    confidences: Array,
    good: Array,
    *,
    groups: Sequence[object] | None = None,
    bins: int = BINS,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Expected calibration error: sum over bins of |sum of (outcome - confidence)| / n, 0 to 1, lower is better.

    Bins hold equally many answers, equal confidences together. Source: Naeini et al. 2015 (there bins of equal
    width). The estimate is biased upwards, more with more bins. Its interval is honest about that: with s the
    bins' mean residuals, the error is |s|_1, so it is off by at most |s - E s|_1 (triangle inequality), and the
    interval reaches as far as that quantity does at `level`, over bootstrap resamples of groups. It covers at least
    at its level, for the error in these bins; it is wide where answers are few.

    Args:
        groups: (n,), answers that are not independent; each its own when not given.
        bins: at least 1.

    Raises:
        StatisticsError: shapes that differ, values outside [0, 1], no bins.
    """
    p, y = _checked(confidences, good)
    if bins < 1:
        raise StatisticsError(f"{bins} bins", "use at least 1, usually 10")
    method = f"{bins} bins of equal size, bootstrap of their residuals"
    codes = cluster_codes(groups, len(p)) if groups is not None else np.arange(len(p))
    count = int(codes.max()) + 1
    if count < 2:
        return Estimate(NAN, NAN, NAN, level, len(p), method, "fewer than 2 groups of answers")
    sums = np.zeros((count, bins))
    np.add.at(sums, (codes, bin_of(p, bins)), (y - p) / len(p))
    value = float(np.abs(sums.sum(axis=0)).sum())
    reach = _reach(sums, level, np.random.default_rng(seed))
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach), level, len(p), method)


def bin_of(confidences: Array, bins: int) -> NDArray[np.int64]:
    """Bin 0..bins-1 of each confidence (n,): by rank, equal confidences together."""
    first = np.searchsorted(np.sort(confidences), confidences, side="left")
    found: NDArray[np.int64] = first * bins // len(confidences)
    return found


def _reach(sums: Array, level: float, rng: np.random.Generator) -> float:
    """The `level` quantile of |resampled - observed|_1 over bins, from groups' sums (groups, bins)."""
    groups = len(sums)
    count = replicates_for(2 * alpha_from_level(level))
    step = max(1, CHUNK_CELLS // groups)
    whole = sums.sum(axis=0)
    found = np.concatenate(
        [
            np.abs(resample_counts(groups, min(step, count - start), rng) @ sums - whole).sum(axis=1)
            for start in range(0, count, step)
        ]
    )
    # Resamples vary as if the groups were a population of their own: less than the groups do, by this factor.
    return float(np.quantile(found, level) * np.sqrt(groups / (groups - 1)))


def risk_coverage(confidences: Array, good: Array) -> tuple[Array, Array]:
    """Share answered (n,) and share of those that are not good (n,), the surest answers first.

    Equal confidences have no order: each counts as their mean, which is the expectation over all orders.
    Source: El-Yaniv and Wiener 2010.
    """
    p, y = _checked(confidences, good)
    order = np.argsort(-p, kind="stable")
    _, inverse = np.unique(-p[order], return_inverse=True)
    bad = 1 - y[order]
    shared = (np.bincount(inverse, bad) / np.bincount(inverse))[inverse]
    answered = np.arange(1, len(p) + 1)
    return answered / len(p), np.cumsum(shared) / answered


def aurc(confidences: Array, good: Array) -> float:
    """Area under the risk-coverage curve: the mean risk over coverages 1/n .. 1, 0 to 1, lower is better.

    Source: Geifman, Uziel and El-Yaniv 2019.
    """
    return float(risk_coverage(confidences, good)[1].mean())


def _checked(confidences: Array, good: Array) -> tuple[Array, Array]:
    p, y = np.asarray(confidences, dtype=np.float64), np.asarray(good, dtype=np.float64)
    if p.ndim != 1 or p.shape != y.shape or not len(p):
        raise StatisticsError(
            f"confidences of shape {p.shape}, outcomes of shape {y.shape}", "give one of each for an answer"
        )
    if not (((p >= 0) & (p <= 1)).all() and np.isin(y, (0.0, 1.0)).all()):
        raise StatisticsError(
            "confidences must lie in [0, 1] and outcomes be 0 or 1", "leave answers without a score out"
        )
    return p, y
