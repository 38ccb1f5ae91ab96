"""What matters: a response surface of second order for each prompt, and its coefficients over prompts.

For prompt i and setting s, with positions x_j in [-1, 1] and P2(x) = (3 x^2 - 1) / 2,

    y_is = a_i + sum_j b_ij x_j + sum_j d_ij P2(x_j) + sum_(j<k) c_ijk x_j x_k + error,

by least squares. Each prompt answers all settings, so that its coefficients are one draw from the population of
prompts, and the interval of their mean is one over prompts (or over their groups), whatever the errors within a prompt
are. The polynomials are orthogonal under the uniform distribution over the ranges, with variances 1/3, 1/5 and 1/9;
the share of a setting in the surface's variance therefore has a closed form: Sudret 2008, Global sensitivity analysis
using polynomial chaos expansions, Reliability Engineering and System Safety 93, 964-979, section 4; the total index
counts a product for both of its settings. From each squared mean its own sampling variance is taken, because noise
alone would make it positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from scipy.stats import t as student

from trimtab import stats
from trimtab.records import NAN, Estimate
from trimtab.stats.clustered import cluster_codes, cr2

Kind = Literal["change", "bend", "interaction"]
VARIANCE = {"change": 1 / 3, "bend": 1 / 5, "interaction": 1 / 9}
# From a coefficient to what is told: the end less the start; the ends less the middle; the difference of two changes.
SCALE = {"change": 2.0, "bend": 1.5, "interaction": 4.0}


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect in units of the metric, plus is better.

    Attributes:
        kind: "change" from the low to the high end of a range, the others averaged over theirs; "bend", the mean of
            both ends less the middle; "interaction", how much the change by the first setting grows as the second goes
            from its low to its high end.
        estimate: mean over prompts.
        p_value: of no effect, two-sided; nan where undefined.
        adjusted: p value after Holm over all effects of the study; nan where undefined.
        found: shown to differ from 0 by the adjusted p value.
    """

    kind: Kind
    parameters: tuple[str, ...]
    estimate: Estimate
    p_value: float
    adjusted: float = NAN
    found: bool = False


@dataclass(frozen=True, slots=True)
class Surface:
    """All effects on one metric.

    Attributes:
        prompts: prompts that have a score under every setting.
        shares: of the surface's variance over the ranges, by parameter, largest first; total indices, so that they
            may add up to more than 1. Estimates without an interval, to rank by; nan where nothing varies.
        fit: share of the variance between the mean scores of the settings that the surface explains, adjusted for
            its number of terms (Ezekiel 1930, Methods of Correlation Analysis); about 0 where it explains nothing.
    """

    effects: tuple[Effect, ...]
    shares: tuple[tuple[str, float], ...]
    prompts: int
    fit: float


def columns(codes: np.ndarray) -> np.ndarray:
    """The regressors (settings, terms) of positions (settings, ranges): constant, linear, squares, products."""
    pairs = [codes[:, j] * codes[:, k] for j, k in combinations(range(codes.shape[1]), 2)]
    return np.column_stack([np.ones(len(codes)), codes, (3 * codes**2 - 1) / 2, *pairs])


def surface(
    scores: np.ndarray, codes: np.ndarray, names: Sequence[str], clusters: Sequence[str] | None, level: float
) -> Surface:
    """Fit scores (prompts, settings), larger is better, over positions (settings, ranges); not yet adjusted.

    Prompts that lack a score under any setting are left out.
    """
    whole = np.isfinite(scores).all(axis=1)
    kept = scores[whole]
    labels = [c for c, keep in zip(clusters, whole, strict=True) if keep] if clusters else None
    x = columns(codes)
    coefficients = kept @ np.linalg.pinv(x).T
    kinds: list[tuple[Kind, tuple[str, ...]]] = [("change", (n,)) for n in names]
    kinds += [("bend", (n,)) for n in names]
    kinds += [("interaction", pair) for pair in combinations(names, 2)]
    effects, parts = [], []
    for (kind, own), values in zip(kinds, coefficients.T[1:], strict=True):
        told = SCALE[kind] * values
        effects.append(Effect(kind, own, *_tested(told, labels, level)))
        parts.append((own, VARIANCE[kind] * _squared(values)))
    return Surface(tuple(effects), _shares(parts, names), len(kept), _fit(kept, x))


def _tested(values: np.ndarray, labels: Sequence[str] | None, level: float) -> tuple[Estimate, float]:
    """Mean with its interval, and the p value of Student's test over groups: a bootstrap cannot tell one that is
    small enough for the many effects of a study."""
    estimate = stats.interval(values, clusters=labels, level=level)
    if estimate.undefined:
        return estimate, NAN
    fit = cr2(values, cluster_codes(labels or [""] * len(values), len(values)))
    return estimate, float(2 * student.sf(abs(fit.mean) / fit.standard_error, fit.df))


def _squared(values: np.ndarray) -> float:
    """The squared mean of values (prompts,), less what noise adds to it, at least 0."""
    if len(values) < 2:
        return NAN
    return max(0.0, float(values.mean() ** 2 - values.var(ddof=1) / len(values)))


def _shares(
    parts: Sequence[tuple[tuple[str, ...], float]], names: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    whole = sum(part for _, part in parts)
    totals = {n: sum(part for own, part in parts if n in own) / whole if whole > 0 else NAN for n in names}
    return tuple(sorted(totals.items(), key=lambda item: -np.nan_to_num(item[1])))


def _fit(kept: np.ndarray, x: np.ndarray) -> float:
    if not len(kept):
        return NAN
    mean = kept.mean(axis=0)
    rest = mean - x @ (np.linalg.pinv(x) @ mean)
    spread = float(((mean - mean.mean()) ** 2).sum())
    free = len(x) - int(np.linalg.matrix_rank(x))
    if spread <= 0 or free <= 0:
        return NAN
    return 1 - (float(rest @ rest) / free) / (spread / (len(x) - 1))


def adjusted(surfaces: Sequence[Surface], level: float) -> tuple[Surface, ...]:
    """The surfaces of all metrics with p values adjusted together, so that all findings err at most 1 - level."""
    every = [effect for one in surfaces for effect in one.effects]
    known = [effect.p_value for effect in every if not np.isnan(effect.p_value)]
    held = iter(stats.holm(known))
    done = []
    for one in surfaces:
        effects = []
        for effect in one.effects:
            p = NAN if np.isnan(effect.p_value) else next(held)
            effects.append(replace(effect, adjusted=p, found=bool(p <= 1 - level)))
        done.append(replace(one, effects=tuple(effects)))
    return tuple(done)
