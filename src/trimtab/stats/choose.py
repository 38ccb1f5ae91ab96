"""Which interval a set of paired differences gets: by the kind of data, never by what it would say.

no variation, bounded          score bound +-R z^2/(n+z^2); unbounded: undefined
clusters, fewer than 10        undefined
10 clusters or more            hull of CR2 and cluster bootstrap-t; few clusters differ from 0: of CR2
                               and plus-two; many ties between cluster totals: CR2
0/1 pairs                      hull of Tango's score interval and Bonett-Price
n < 10                         t
n < 50                         bootstrap-t; with many ties t
n >= 50                        hull of bootstrap-t and t; t if fewer than 10 leave the commonest value
few items differ from 0, or    hull of the above and plus-two with +-R
  many ties, bounded, coarse
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.binary import bonett_price, tango
from trimtab.stats.clustered import LEAST_CLUSTERS, cluster_bootstrap_t, cr2, cr2_family, padded_cr2
from trimtab.stats.intervals import (
    UNSEEN,
    Array,
    Family,
    bootstrap_t,
    hull,
    no_change,
    plus_two,
    replicates_for,
    student,
    studentised,
)

SPARSE = 20
BOOTSTRAP_FROM = 10
LARGE = 50
TIED_SHARE = 0.2
FEW_VALUES = 12
FEW_DF = 4.0


@dataclass(frozen=True, slots=True)
class Differences:
    """Paired differences d (items,) and what is known about them.

    `codes` (items,) numbers the clusters, None where every item stands alone; `span` is the range R of the
    metric, so that |d| <= R, None where unbounded; `binary`: both scores of every pair are 0 or 1.
    """

    d: Array
    codes: NDArray[np.int64] | None = None
    span: float | None = None
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The family chosen, or the reason why there is none, and what a reader should know about it."""

    family: Family | None
    undefined: str = ""
    notes: tuple[str, ...] = ()


def choose(data: Differences, alpha: float, seed: int, replicates: Array | None = None) -> Choice:
    """The family for `data`, resolved finely enough for one-sided error `alpha`.

    `replicates`: sorted `studentised` values for these differences where a caller has drawn them for many
    data sets at once; else they are drawn from `seed`.
    """
    d = data.d
    if len(d) < 2:
        return Choice(None, f"{len(d)} items; an interval needs at least 2")
    if not np.isfinite(d).all():
        return Choice(None, f"{int((~np.isfinite(d)).sum())} of {len(d)} items have no finite score")
    if data.codes is not None:
        return _clustered(data, data.codes, replicates_for(alpha), np.random.default_rng(seed))
    if data.binary:
        gained, lost = int((d > 0).sum()), int((d < 0).sum())
        return Choice(hull(tango(gained, lost, len(d)), bonett_price(gained, lost, len(d))))
    if np.ptp(d) <= _tolerance(d):
        return _constant(float(d.mean()), data.span, len(d))
    return _independent(data, alpha, seed, replicates)


def _tolerance(d: Array) -> float:
    return 1e-9 * float(np.abs(d).max())


def _constant(value: float, span: float | None, items: float) -> Choice:
    if span is None:
        return Choice(None, "all differences are equal and the metric has no bounds; give bounds=(low, high)")
    return Choice(no_change(value, span, items), notes=(UNSEEN,))


def _independent(data: Differences, alpha: float, seed: int, replicates: Array | None) -> Choice:
    d, n = data.d, len(data.d)
    tolerance = _tolerance(d)
    differing = int((np.abs(d) > tolerance).sum())
    sparse = differing < SPARSE and differing <= n / 2
    common = _most_common(d, tolerance)
    tied = _tied(common, n)
    families = [student(d)]
    if _can_resample(n, common, plain=not (tied or sparse)):
        if replicates is None:
            replicates = studentised(d[None], replicates_for(alpha), np.random.default_rng(seed))[0]
        bootstrap = bootstrap_t(d, replicates)
        families = [bootstrap] if n < LARGE else [bootstrap, *families]
    notes = []
    if sparse:
        notes.append(f"only {differing} of {n} items differ")
        if data.span is None:
            notes.append("bounds are not given: the largest difference seen stands in for them")
    if sparse or (tied and _coarse(data)):
        families.append(plus_two(d, _reach(data)))
    return Choice(families[0] if len(families) == 1 else hull(*families), notes=tuple(notes))


def _can_resample(n: int, common: int, *, plain: bool) -> bool:
    """Whether resamples of n items, `common` of them equal, all keep enough variance for a bootstrap-t."""
    if n < LARGE:
        return plain and n >= BOOTSTRAP_FROM
    return n - common >= BOOTSTRAP_FROM


def _coarse(data: Differences) -> bool:
    """Bounded, and the values are few or a change of half the range was seen: rare large ones are likely."""
    if data.span is None:
        return False
    few = len(np.unique(np.round(data.d / data.span, 9))) <= FEW_VALUES
    return few or float(np.abs(data.d).max()) >= data.span / 2


def _reach(data: Differences) -> float:
    return data.span if data.span is not None else float(np.abs(data.d).max())


def _most_common(values: Array, tolerance: float) -> int:
    """How many of the values (items,) share the most common one."""
    breaks = np.flatnonzero(np.diff(np.sort(values)) > tolerance)
    return int(np.diff(np.concatenate([[-1], breaks, [len(values) - 1]])).max())


def _tied(common: int, n: int) -> bool:
    """Many ties: small resamples have next to no variance too often for the bootstrap-t."""
    return common >= max(3.0, TIED_SHARE * n)


def _clustered(
    data: Differences, codes: NDArray[np.int64], replicates: int, rng: np.random.Generator
) -> Choice:
    d, n = data.d, len(data.d)
    sizes = np.bincount(codes)
    groups = len(sizes)
    if groups < LEAST_CLUSTERS:
        reason = f"{n} items in only {groups} groups; an interval over groups needs at least {LEAST_CLUSTERS}"
        return Choice(None, reason)
    share = f"the largest of {groups} groups holds {sizes.max() / n:.0%} of the items"
    if np.ptp(d) <= _tolerance(d):
        constant = _constant(float(d.mean()), data.span, n**2 / float((sizes**2).sum()))
        return Choice(constant.family, constant.undefined, (*constant.notes, share))
    fit = cr2(d, codes)
    if fit.standard_error <= _tolerance(d):
        return Choice(None, "the groups do not differ from each other", (share,))
    notes = [f"{fit.df:.1f} effective degrees of freedom; {share}"]
    if fit.df < FEW_DF:
        notes.append("fewer than 4 effective degrees of freedom: more or more equal groups are needed")
    family = cr2_family(fit)
    differing = len(np.unique(codes[np.abs(d) > _tolerance(d)]))
    if differing < SPARSE and differing <= groups / 2:
        notes.append(f"only {differing} of {groups} groups differ")
        family = hull(family, padded_cr2(d, codes, _reach(data)))
    elif not _tied(_most_common(np.bincount(codes, d - fit.mean).astype(np.float64), _tolerance(d)), groups):
        family = hull(family, cluster_bootstrap_t(d, codes, replicates, rng))
    return Choice(family, notes=tuple(notes))
