"""The share of people's judgements that prefer the candidate, held against one half. See decision 0020."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trimtab.errors import StatisticsError
from trimtab.records import Comparison, Estimate
from trimtab.stats.betting import betting
from trimtab.stats.choose import Choice
from trimtab.stats.clustered import cluster_codes
from trimtab.stats.crossed import Crossed, Judged, crossed
from trimtab.stats.distributions import normal_quantile, t_quantile
from trimtab.stats.intervals import UNSEEN, Array, Bounds, Family, hull, no_change, plus_two, student
from trimtab.stats.levels import alpha_from_level
from trimtab.stats.outcome import PLANNED_POWER, Measured, gain_above, judged, loss_within

HALF = 0.5
SAME = 1e-9
LEAST_RATERS = 5
LEAST_EFFECTIVE = 3.0
MORE_RATERS = "more items of the same raters would not decide this: more raters would"


def win_rate(
    values: ArrayLike,
    items: Sequence[object],
    raters: Sequence[object],
    *,
    weights: ArrayLike | None = None,
    level: float = 0.95,
    threshold: float = 0.0,
    margin: float | None = None,
    sequential: bool = True,
) -> Comparison:
    """Whether people prefer the candidate by more than `threshold`, or not less than the baseline by `margin`.

    values (judgements,) in [0, 1]: 1 where the candidate was preferred, 0 where the baseline was, 0.5 where neither.
    items, raters (judgements,): ids; the items come in the order in which they were drawn, which must not depend on
    what was said of them. weights (judgements,) above 0, all 1 where not given, count within an item.

    An item's judgements are averaged first. difference: the mean over items - 0.5, plus is better; baseline 0.5,
    candidate the win rate; n, need_n: items. The interval is the hull of t and plus-two over items and, where at least
    5 raters share the work, of t with a variance by items and raters (`trimtab.stats.crossed`): it is then about such
    raters, else about these raters, which a note says. Items that all got the same: the score bound. sequential: the
    hull holds a confidence sequence over items too (`trimtab.stats.betting`), so that who looks after every item and
    stops when it is decided errs no more often; need_n then is charged for no next look, as looking costs nothing.

    Outcomes as in `compare` at min_gain = `threshold`; with a margin those of `non_inferior`. need_n is None where the
    estimate is not above what it is held against, or where only more raters would decide (a note says so).

    Raises:
        StatisticsError: arguments of unlike length or out of range, or both a threshold and a margin.
    """
    if margin is not None and threshold:
        raise StatisticsError(
            f"a threshold of {threshold} and a margin of {margin}", "a goal has a threshold, a guard a margin"
        )
    aim = gain_above(threshold) if margin is None else loss_within(margin)
    alpha = alpha_from_level(level)
    data = _judged(values, items, raters, weights)
    n = len(data.of_items) if len(data.values) else 0
    if n < 2:
        nothing = Choice(None, f"{n} items judged; an interval needs at least 2")
        return judged(Measured(n, HALF, math.nan, nothing), aim, level, lambda *_: None)
    x = data.of_items
    families, notes = _over_items(x, alpha, sequential)
    spread, about = _over_raters(data)
    plan = _Plan(_hull(families), spread)
    if spread is not None:
        families.append(_from_half(spread.family()))
    measured = Measured(n, HALF, float(x.mean()), Choice(_hull(families), notes=(*notes, about)))
    found = judged(measured, aim, level, plan.need_items)
    if found.outcome == "inconclusive" and found.need_n is None and found.difference.value > aim.threshold:
        return dataclasses.replace(found, notes=(*found.notes, MORE_RATERS))
    return found


def _judged(
    values: ArrayLike, items: Sequence[object], raters: Sequence[object], weights: ArrayLike | None
) -> Judged:
    scores = np.asarray(values, dtype=np.float64)
    n = len(scores) if scores.ndim == 1 else -1
    given = np.ones(max(n, 0)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not n == len(items) == len(raters) == len(given) or given.ndim != 1:
        raise StatisticsError(
            f"values of shape {scores.shape}, {len(items)} items, {len(raters)} raters, weights of shape {given.shape}",
            "give one of each for every judgement",
        )
    if not (((scores >= 0) & (scores <= 1)).all() and ((given > 0) & np.isfinite(given)).all()):
        raise StatisticsError(
            "some values are not within 0 to 1, or some weights not above 0",
            "1 is a preference for the candidate, 0 for the baseline, 0.5 for neither; leave out what does not count",
        )
    of_items, of_raters = cluster_codes(items, n), cluster_codes(raters, n)
    if n:
        sums = np.bincount(of_items, given)
        given = given / sums[of_items] / len(sums)
    return Judged(scores, of_items, of_raters, given)


def _over_items(x: Array, alpha: float, sequential: bool) -> tuple[list[Family], tuple[str, ...]]:
    """Intervals of the mean - 0.5 of x (items,), about these raters, and what a reader should know of them."""
    d, notes = x - HALF, tuple[str, ...]()
    families = [student(d), plus_two(d, HALF)]
    if np.ptp(d) <= SAME:
        families, notes = [no_change(float(d.mean()), HALF, len(d))], (UNSEEN,)
    if sequential:
        families.append(_from_half(betting(x, alpha)))
    return families, notes


def _hull(families: Sequence[Family]) -> Family:
    return families[0] if len(families) == 1 else hull(*families)


def _from_half(family: Family) -> Family:
    """A family of a win rate as one of its distance from one half."""

    def bounds(alpha: float) -> Bounds:
        low, high = family.bounds(alpha)
        return low - HALF, high - HALF

    return Family(family.value - HALF, family.method, bounds)


def _over_raters(data: Judged) -> tuple[Crossed | None, str]:
    """The variance for such raters, None where it is about these raters only; and what it is about, in words."""
    raters, effective = len(data.of_raters), 1 / float((data.of_raters**2).sum())
    if raters < LEAST_RATERS or effective < LEAST_EFFECTIVE:
        if raters == 1:
            return None, "about this rater alone: how others would judge is not in the interval"
        few = f"fewer than {LEAST_RATERS}" if raters < LEAST_RATERS else "of whom few judged most"
        return None, f"about these {raters} raters, {few}: how others would judge is not in the interval"
    parts = crossed(data)
    if parts.variance <= SAME**2:
        return None, f"about these {raters} raters, who do not differ"
    share = parts.of_raters / parts.variance
    words = f"about raters such as these {raters}: {share:.0%} of the variance is theirs"
    return parts, f"{words}, {parts.df:.1f} effective degrees of freedom"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What more items would do: the interval over items shrinks with 1 / sqrt(items), what raters add stays."""

    over_items: Family
    spread: Crossed | None

    def need_items(self, measured: Measured, difference: Estimate, threshold: float) -> int | None:
        """Items in all for 80% power at the difference seen; None where no number of them would do."""
        distance, alpha = difference.value - threshold, alpha_from_level(difference.level)
        if distance <= 0:
            return None
        z = normal_quantile(1 - alpha)
        allowed = distance * z / (z + normal_quantile(PLANNED_POWER))
        need = measured.n * ((difference.value - self.over_items.bounds(alpha)[0]) / allowed) ** 2
        if self.spread is not None:
            room = (allowed / t_quantile(1 - alpha, self.spread.df)) ** 2 - self.spread.of_raters
            if room <= 0:
                return None
            need = max(need, measured.n * self.spread.of_items / room)
        return max(measured.n + 1, math.ceil(need))
