"""The race in select: candidates that can no longer be the best are dropped at planned looks.

Rule. The items are put in a seeded order that knows nothing of scores, whole clusters together, and looked at after
1/8, 1/4, 1/2 and all of them, as far as a look has at least 20 clusters. At every look but the last, a candidate is
dropped when the interval of (leader - candidate), paired on the items seen, lies above 0; for a metric that is a mean
over items, Student's t interval must lie there too. The leader has the highest score on these items of those still
racing. An undefined interval drops nobody.

Bound. Let b be the best of K candidates: none has a higher true score, as an expectation over items or as the score
on all of select (a seeded order draws items without replacement, which only makes intervals too wide). With L looks
that may drop, b is lost only if at some look l some other candidate c leads and low(c - b, l) > 0, although the
true c - b is at most 0: one of at most L (K - 1) wrong lower bounds, whichever candidate leads or is left. Each
interval has level 1 - 2 alpha / (L (K - 1)), so that its lower bound is wrong with probability alpha / (L (K - 1)),
and by Bonferroni's inequality

    P(b is dropped) <= sum over l = 1..L and c != b of P(low(c - b, l) > 0) <= alpha.

Asking for two intervals can only lower it. Of several equally good ones the bound holds for each, so all of them are
lost even less often. It holds as far as the intervals do: they cannot see a rare large score that has not turned up
yet. It bounds the loss of the best on the goal's metric in this race; it is no decision to ship and charges no look
at confirm.

After Maron and Moore (1994), Hoeffding races: accelerating model selection search for classification and function
approximation, Advances in Neural Information Processing Systems 6, 59-66, with paired intervals in place of
Hoeffding's and a few planned looks in place of one after each item.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab import stats
from trimtab.records import Comparison
from trimtab.stats.intervals import student

ALPHA = 0.05
SHARES = (1 / 8, 1 / 4, 1 / 2)
LEAST_CLUSTERS = 20

Array = NDArray[np.float64]
Measure = Callable[[Sequence[int], Sequence[int]], Mapping[int, Array]]


@dataclass(frozen=True, slots=True)
class Plan:
    """When a race is looked at, fixed before anything is measured.

    Attributes:
        order: positions of the items (n,) in the order in which they are measured.
        ends: items measured at each look, ascending; the last is n.
        level: of every interval, in (0, 1); nan where no look can drop anybody.
        reason: why there is no race, "" if there is one.
    """

    order: tuple[int, ...]
    ends: tuple[int, ...]
    level: float
    reason: str = ""

    def seen(self, look: int) -> list[int]:
        """Positions, ascending, of the items measured at look 1, 2, ..."""
        return sorted(self.order[: self.ends[look - 1]])


@dataclass(frozen=True, slots=True)
class Scale:
    """How scores are compared, as `stats.compare` takes it.

    Attributes:
        clusters: a label for each of all items (n,), in the items' own order.
        bounds: (low, high) of a score, or None.
        statistic: of a corpus metric, from rows (items, k) to a number that is better when larger, or None.
    """

    clusters: Sequence[Hashable]
    bounds: tuple[float, float] | None = None
    statistic: Callable[[Array], float] | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a candidate was dropped: at which look, after how many items, and leader minus candidate there."""

    look: int
    items: int
    leader: int
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Result:
    """A race that was run: candidates that stayed to the end, those dropped, how many raced at each look."""

    finalists: tuple[int, ...]
    dropped: Mapping[int, Drop]
    racing: tuple[int, ...]


def plan(clusters: Sequence[Hashable], candidates: int, *, seed: int = 0, alpha: float = ALPHA) -> Plan:
    """Plan the looks of a race.

    Order and looks do not depend on the number of candidates, so those of a later race are the same.

    Args:
        clusters: a label for each item (n,): items that stay together.
        candidates: how many race.
        seed: of the order.
        alpha: largest probability, in (0, 1), that the best candidate is dropped.
    """
    rows: dict[Hashable, list[int]] = {}
    for position, cluster in enumerate(clusters):
        rows.setdefault(cluster, []).append(position)
    drawn = np.random.default_rng(seed).permutation(len(rows))
    members = list(rows.values())
    order = tuple(position for number in drawn for position in members[number])
    ends = _ends([len(members[number]) for number in drawn])
    whole = (len(order),)
    if candidates < 2:
        return Plan(order, whole, math.nan, "there is one candidate only")
    if not ends:
        reason = f"{len(members)} items or groups are too few: a look at half of them needs {LEAST_CLUSTERS}"
        return Plan(order, whole, math.nan, reason)
    error = alpha / (len(ends) * (candidates - 1))
    return Plan(order, (*ends, *whole), stats.level_from_alpha(error))


def _ends(sizes: Sequence[int]) -> tuple[int, ...]:
    """Items at each look that may drop: the last end of a cluster within each share of all items."""
    cumulative = np.cumsum(sizes)
    found = []
    for share in SHARES:
        clusters = int((cumulative <= share * cumulative[-1]).sum()) if len(cumulative) else 0
        if clusters >= LEAST_CLUSTERS:
            found.append(int(cumulative[clusters - 1]))
    return tuple(dict.fromkeys(found))


def race(plan: Plan, candidates: Sequence[int], measure: Measure, scale: Scale) -> Result:
    """Run all looks but the last; what is left then has to be measured on everything.

    Args:
        candidates: their numbers, smallest change first; of equal scores the first leads.
        measure: called at each look with the candidates still racing and the positions of the items seen,
            ascending; gives each candidate's scores on them: (items,) or (items, seeds), larger is better, or
            (items, k) sufficient statistics; nan where a score is undefined.

    Raises:
        StatisticsError: scores of the wrong shape, or outside their bounds.
    """
    racing = list(candidates)
    dropped: dict[int, Drop] = {}
    counts = []
    for number in range(1, len(plan.ends)):
        counts.append(len(racing))
        if len(racing) < 2:
            continue
        seen = plan.seen(number)
        scores = measure(racing, seen)
        here = Scale([scale.clusters[position] for position in seen], scale.bounds, scale.statistic)
        for candidate, (leader, comparison) in look(scores, plan.level, here).items():
            dropped[candidate] = Drop(number, len(seen), leader, comparison)
        racing = [candidate for candidate in racing if candidate not in dropped]
    return Result(tuple(racing), dropped, (*counts, len(racing)))


def look(scores: Mapping[int, Array], level: float, scale: Scale) -> dict[int, tuple[int, Comparison]]:
    """One look: each candidate to be dropped, with the leader and the comparison (leader minus candidate).

    Args:
        scores: of each candidate on the items seen, as in `race`.
        level: of the intervals, in (0, 1).
        scale: with the clusters of the items seen.
    """
    leader = _leader(scores, scale)
    if leader is None:
        return {}
    found = {}
    for candidate in scores:
        if candidate != leader:
            comparison = _behind(scores[candidate], scores[leader], level, scale)
            if comparison is not None:
                found[candidate] = leader, comparison
    return found


def _leader(scores: Mapping[int, Array], scale: Scale) -> int | None:
    """The highest score among candidates that have one on every item on which any of them has."""
    applies = np.any([_defined(rows) for rows in scores.values()], axis=0)
    best, found = -math.inf, None
    for candidate, rows in scores.items():
        kept = rows[applies]
        if not len(kept) or not np.isfinite(kept).all():
            continue
        value = float(scale.statistic(kept) if scale.statistic else kept.mean())
        if value > best:
            best, found = value, candidate
    return found


def _defined(rows: Array) -> NDArray[np.bool_]:
    """Which items (n,) have a score in any column."""
    defined: NDArray[np.bool_] = np.any(~np.isnan(rows.reshape(len(rows), -1)), axis=1)
    return defined


def _behind(candidate: Array, leader: Array, level: float, scale: Scale) -> Comparison | None:
    """Leader minus candidate where it is shown to be above 0; items that are undefined for both are left out."""
    keep = _defined(candidate) | _defined(leader)
    candidate, leader = candidate[keep], leader[keep]
    comparison = stats.compare(
        candidate,
        leader,
        [cluster for cluster, kept in zip(scale.clusters, keep, strict=True) if kept],
        level=level,
        bounds=scale.bounds,
        statistic=scale.statistic,
    )
    if comparison.outcome != "better":
        return None
    if scale.statistic is None:
        # Below 50 items `compare` may rest on the bootstrap-t alone, which is too short for heavy tails this far out.
        difference = (leader - candidate).reshape(len(leader), -1).mean(axis=1)
        if student(difference).bounds(stats.alpha_from_level(level))[0] <= 0:
            return None
    return comparison
