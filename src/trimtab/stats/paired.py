"""Paired comparison of two stacks on the same items: superiority and non-inferiority."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trimtab.errors import StatisticsError
from trimtab.records import NAN, Comparison, Estimate
from trimtab.stats.choose import SPARSE, Choice, Differences, choose
from trimtab.stats.clustered import LEAST_CLUSTERS, cluster_codes
from trimtab.stats.corpus import Statistic, pseudo_values
from trimtab.stats.distributions import normal_quantile
from trimtab.stats.intervals import NO_CHANGE, UNSEEN, Array, hull, no_change, plus_two, t_family
from trimtab.stats.levels import alpha_from_level, next_look_alpha
from trimtab.stats.outcome import PLANNED_POWER, Measured, estimated, gain_above, judged, loss_within

Labels = Sequence[object]
Range = tuple[float, float]


def compare(
    baseline: ArrayLike,
    candidate: ArrayLike,
    clusters: Labels | None = None,
    min_gain: float = 0.0,
    level: float = 0.95,
    bounds: Range | None = None,
    statistic: Statistic | None = None,
    seed: int = 0,
) -> Comparison:
    """Whether the candidate gains more than `min_gain` over the baseline on the same items.

    baseline, candidate: scores (items,) or (items, seeds), larger is better; seeds are averaged within an
    item first. clusters: a label per item, missing ("", None, nan) is a cluster of its own. bounds: the
    metric's (low, high); scores that are all exactly 0 or 1, with both present, are taken as 0/1 pairs.
    statistic: a corpus metric, from rows of sufficient statistics (items, k) to a number; then baseline and
    candidate are (items, k) or (items, seeds, k), seeds are averaged first, the interval is jackknife-t
    over items or clusters, and bounds are the statistic's. seed: of the bootstrap.

    Outcome: better if low > min_gain; worse if high < 0; too small if high <= min_gain; else inconclusive.
    need_n: items in all (on a new look, at its smaller alpha) for 80% power at the difference seen; None
    unless inconclusive with an estimate above min_gain. detectable: how far beyond min_gain the true
    difference must lie to be found with 80% power at this n.

    Raises StatisticsError for arguments of the wrong shape or out of range.
    """
    aim = gain_above(min_gain)
    paired = _pair(baseline, candidate, clusters, bounds, statistic, _Draw(alpha_from_level(level), seed))
    return judged(paired, aim, level, _next_look)


def non_inferior(
    baseline: ArrayLike,
    candidate: ArrayLike,
    margin: float,
    clusters: Labels | None = None,
    level: float = 0.95,
    bounds: Range | None = None,
    statistic: Statistic | None = None,
    seed: int = 0,
) -> Comparison:
    """Whether the candidate is worse than the baseline by less than `margin`; arguments as in `compare`.

    Outcome: held if low > -margin; breached if high < -margin; else inconclusive. The p value is that of
    "worse by margin or more". need_n is None where the estimate itself is at or below -margin.
    """
    aim = loss_within(margin)
    paired = _pair(baseline, candidate, clusters, bounds, statistic, _Draw(alpha_from_level(level), seed))
    return judged(paired, aim, level, _next_look)


def interval(
    differences: ArrayLike,
    *,
    clusters: Labels | None = None,
    level: float = 0.95,
    bounds: Range | None = None,
    binary: bool = False,
    seed: int = 0,
) -> Estimate:
    """Interval of the mean of paired differences (items,) or (items, seeds), by the kind of data.

    bounds: the metric's (low, high), so that a difference lies within +-(high - low). binary: each pair
    consists of two 0/1 scores, so differences are -1, 0 or 1. See `trimtab.stats.choose` for the methods.
    """
    alpha = alpha_from_level(level)
    scores = _scores(differences, "differences", (1, 2))
    d = scores.mean(axis=1) if scores.ndim == 2 else scores
    if binary and (scores.ndim == 2 or not np.isin(d, (-1.0, 0.0, 1.0)).all()):
        raise StatisticsError(
            "differences of 0/1 pairs are -1, 0 or 1", "leave binary out for averaged scores"
        )
    span = _span(bounds)
    if span is not None and (np.abs(d) > span * (1 + 1e-9)).any():
        raise StatisticsError(
            f"difference {np.abs(d).max():g} is beyond the range {span:g} of bounds {bounds}",
            "bounds are the metric's lowest and highest score",
        )
    choice = choose(Differences(d, _codes(clusters, len(d)), span, binary), alpha, seed)
    return estimated(choice, level, len(d))


@dataclass(frozen=True, slots=True)
class _Draw:
    alpha: float
    seed: int


def _pair(
    baseline: ArrayLike,
    candidate: ArrayLike,
    clusters: Labels | None,
    bounds: Range | None,
    statistic: Statistic | None,
    draw: _Draw,
) -> Measured:
    axes = (1, 2) if statistic is None else (2, 3)
    before = _scores(baseline, "baseline", axes)
    after = _scores(candidate, "candidate", axes)
    if before.shape != after.shape:
        raise StatisticsError(
            f"baseline has shape {before.shape} and candidate {after.shape}",
            "give the same items, in the same order, with the same seeds",
        )
    n = len(before)
    codes = _codes(clusters, n)
    span = _span(bounds)
    if statistic is not None:
        return _corpus(before, after, statistic, codes, span)
    binary = _is_binary(before, after, bounds)
    if binary and span is None:
        span = 1.0
    if bounds is not None:
        _check_range(np.concatenate([before, after]), bounds)
    if before.ndim == 2:
        before, after = before.mean(axis=1), after.mean(axis=1)
    choice = choose(Differences(after - before, codes, span, binary), draw.alpha, draw.seed)
    means = (float(before.mean()), float(after.mean())) if n else (NAN, NAN)
    return Measured(n, *means, choice, span)


def _scores(values: ArrayLike, name: str, axes: tuple[int, int]) -> Array:
    scores = np.asarray(values, dtype=np.float64)
    wanted = "(items,) or (items, seeds)" if axes == (1, 2) else "(items, k) or (items, seeds, k)"
    if scores.ndim not in axes or 0 in scores.shape[1:]:
        raise StatisticsError(f"{name} has shape {scores.shape}, not {wanted}", "one row per item")
    return scores


def _span(bounds: Range | None) -> float | None:
    if bounds is None:
        return None
    low, high = bounds
    if not -math.inf < low < high < math.inf:
        raise StatisticsError(
            f"bounds {bounds} are not two finite numbers, low < high", "leave out bounds if none"
        )
    return float(high - low)


def _codes(clusters: Labels | None, n: int) -> np.ndarray | None:
    if clusters is None:
        return None
    if len(clusters) != n:
        raise StatisticsError(f"{len(clusters)} cluster labels for {n} items", "give one label per item")
    codes = cluster_codes(clusters, n)
    return None if n == 0 or codes.max() + 1 == n else codes


def _is_binary(before: Array, after: Array, bounds: Range | None) -> bool:
    if before.ndim == 2 and before.shape[1] > 1:
        return False
    seen = set(np.unique(np.concatenate([before.ravel(), after.ravel()])))
    if bounds is None:
        return seen == {0.0, 1.0}
    return tuple(bounds) == (0.0, 1.0) and bool(seen) and seen <= {0.0, 1.0}


def _check_range(scores: Array, bounds: Range) -> None:
    slack = 1e-9 * (bounds[1] - bounds[0])
    outside = scores[(scores < bounds[0] - slack) | (scores > bounds[1] + slack)]
    if len(outside):
        raise StatisticsError(
            f"{len(outside)} scores lie outside bounds {bounds}, the first is {outside[0]:g}",
            "bounds are the metric's lowest and highest score",
        )


def _corpus(
    before: Array, after: Array, statistic: Statistic, codes: np.ndarray | None, span: float | None
) -> Measured:
    if before.ndim == 3:
        before, after = before.mean(axis=1), after.mean(axis=1)
    n = len(before)
    units = np.arange(n) if codes is None else codes
    groups = int(units.max()) + 1 if n else 0
    reason = ""
    if n < 2:
        reason = f"{n} items; an interval needs at least 2"
    elif not (np.isfinite(before).all() and np.isfinite(after).all()):
        reason = "some items have no finite statistics"
    elif codes is not None and groups < LEAST_CLUSTERS:
        reason = f"{n} items in only {groups} groups; an interval over groups needs at least {LEAST_CLUSTERS}"
    if reason:
        return Measured(n, NAN, NAN, Choice(None, reason), span)
    low, high, pseudo = pseudo_values(before, after, statistic, units)
    changed = len(np.unique(units[(before != after).any(axis=1)]))
    choice = _jackknife(high - low, pseudo, changed, span)
    if codes is not None:
        note = f"{groups - 1} degrees of freedom; the largest of {groups} groups holds "
        note += f"{np.bincount(codes).max() / n:.0%} of the items"
        choice = Choice(choice.family, choice.undefined, (*choice.notes, note))
    return Measured(n, low, high, choice, span)


def _jackknife(value: float, pseudo: Array, changed: int, span: float | None) -> Choice:
    units = len(pseudo)
    if not math.isfinite(value) or not np.isfinite(pseudo).all():
        return Choice(None, "the statistic is not finite on all items, or without one of them")
    error = float(pseudo.std(ddof=1)) / math.sqrt(units)
    if changed == 0 or error <= 1e-9 * abs(value):
        if span is None or changed:
            return Choice(None, "no variation between items; if none differ, give bounds=(low, high)")
        return Choice(no_change(value, span, units), notes=(UNSEEN,))
    family = t_family(value, error, units - 1, "jackknife-t")
    if changed < SPARSE and changed <= units / 2:
        reach = span if span is not None else float(np.abs(pseudo).max())
        padded = plus_two(pseudo - pseudo.mean() + value, reach)
        return Choice(hull(family, padded), notes=(f"only {changed} of {units} items or groups differ",))
    return Choice(family)


def undefined(reason: str, *, threshold: float, level: float) -> Comparison:
    """A comparison that nothing could be measured for, held against `threshold`."""
    nothing = Estimate(NAN, NAN, NAN, level, 0, "none", reason)
    return Comparison(nothing, NAN, "undefined", None, NAN, threshold)


def _next_look(measured: Measured, difference: Estimate, threshold: float) -> int | None:
    """Items in all for the next look; the half-width seen is scaled by 1 / sqrt(n).

    With z' of the next look's alpha: n ((z' + z_0.8) / z * half-width / distance)^2, and for differences
    without variation the n at which z'^2 / (n + z'^2) of the range first fits into the distance.
    """
    family, span = measured.choice.family, measured.span
    distance = difference.value - threshold
    half = difference.value - difference.low
    if family is None or distance <= 0 or not math.isfinite(half):
        return None
    alpha = alpha_from_level(difference.level)
    z_next = normal_quantile(1 - next_look_alpha(alpha))
    if family.method == NO_CHANGE and span is not None:
        reach = span + difference.value
        return max(difference.n + 1, math.floor(z_next**2 * (reach - distance) / distance) + 1)
    ratio = (z_next + normal_quantile(PLANNED_POWER)) / normal_quantile(1 - alpha) * half / distance
    return max(difference.n + 1, math.ceil(difference.n * ratio**2))
