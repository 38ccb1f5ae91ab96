"""The share of people's judgements that prefer the candidate, held against one half. See decision 0020."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trimtab.errors import StatisticsError
from trimtab.records import Comparison, Estimate
from trimtab.stats.betting import MOST_PLANNED, betting, items_to_win
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
NOT_BY_ITEMS = (
    "no number of items below a million decides this with these raters; where they differ, more raters may"
)


def win_rate(
    values: ArrayLike,
    items: Sequence[object],
    raters: Sequence[object],
    *,
    weights: ArrayLike | None = None,
    level: float = 0.95,
    threshold: float = 0.0,
    margin: float | None = None,
    sequential: bool | int = True,
) -> Comparison:
    """Whether people prefer the candidate by more than `threshold`, or not less than the baseline by `margin`.

    values (judgements,) in [0, 1]: 1 where the candidate was preferred, 0 where the baseline was, 0.5 where neither.
    items, raters (judgements,): ids; the items come in the order in which they were drawn, which must not depend on
    what was said of them. weights (judgements,) above 0, all 1 where not given, count within an item.

    An item's judgements are averaged first. difference: the mean over items - 0.5, plus is better; baseline 0.5,
    candidate the win rate; n, need_n: items; no limit lies beyond a rate of 0 or 1. The interval is the hull of t
    and plus-two over items and, where at least 5 raters share the work, of t with a variance by items and raters
    (`trimtab.stats.crossed`): it is then about such raters, else about these raters, which a note says. Items that
    all got the same: the score bound. sequential: the hull holds a confidence sequence over items too
    (`trimtab.stats.betting`), widened by what raters add, so that who looks after every item and stops when it is
    decided errs no more often, and need_n is charged for no next look. As a number it is that of the items planned,
    which makes it narrower around there, and leaves it as safe elsewhere.

    Outcomes as in `compare` at min_gain = `threshold`; with a margin those of `non_inferior`. need_n is None where the
    estimate is not above what it is held against, or where a million items would not decide (a note says so).

    Raises:
        StatisticsError: arguments of unlike length or out of range, or both a threshold and a margin.
    """
    if margin is not None and threshold:
        raise StatisticsError(
            f"a threshold of {threshold} and a margin of {margin}", "a goal has a threshold, a guard a margin"
        )
    aim = gain_above(threshold) if margin is None else loss_within(margin)
    alpha = alpha_from_level(level)
    data = judgements(values, items, raters, weights)
    n = len(data.of_items) if len(data.values) else 0
    if n < 2:
        nothing = Choice(None, f"{n} items judged; an interval needs at least 2")
        return judged(Measured(n, HALF, math.nan, nothing), aim, level, lambda *_: None)
    found = intervals(data, alpha, sequential)
    measured = Measured(n, HALF, float(data.of_items.mean()), Choice(found.family, notes=found.notes))
    answer = judged(measured, aim, level, found.need_items)
    if answer.outcome == "inconclusive" and answer.need_n is None and answer.difference.value > aim.threshold:
        answer = dataclasses.replace(answer, notes=(*answer.notes, NOT_BY_ITEMS))
    within = answer.difference
    low, high = max(within.low, -HALF), min(within.high, HALF)
    return dataclasses.replace(answer, difference=dataclasses.replace(within, low=low, high=high))


def judgements(
    values: ArrayLike, items: Sequence[object], raters: Sequence[object], weights: ArrayLike | None = None
) -> Judged:
    """Checked and numbered, with weights that give every item the same sum; arguments and errors of `win_rate`."""
    scores = np.asarray(values, dtype=np.float64)
    n = len(scores) if scores.ndim == 1 else -1
    given = np.ones(max(n, 0)) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.ndim != 1 or not n == len(items) == len(raters) == len(given):
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


def _over_items(d: Array) -> Family:
    """The hull of t and plus-two of distances d (items,) from one half, under a name to stand in another hull's."""
    both = hull(student(d), plus_two(d, HALF))
    return Family(both.value, "t with plus-two", both.bounds)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of a win rate's distance from one half, from the means of items x (items,).

    once: over items, for one look, which counts these raters; anytime: the same for any number of looks; crossed: the
    variance for such raters. None where not asked for, or not known. notes: what a reader should know. planned: items.
    """

    x: Array
    once: Family
    anytime: Family | None
    crossed: Crossed | None
    notes: tuple[str, ...]
    planned: int

    @property
    def family(self) -> Family:
        """The hull of all; that for any number of looks is widened by what raters add."""
        families = [self.once]
        if self.anytime is not None:
            families.append(self.anytime if self.crossed is None else _widened(self.anytime, self.crossed))
        if self.crossed is not None:
            families.append(_from_half(self.crossed.family()))
        return families[0] if len(families) == 1 else hull(*families)

    def need_items(self, measured: Measured, difference: Estimate, threshold: float) -> int | None:
        """Items in all for 80% power at the difference seen; None where no number of them below a million would do.

        The interval for one look shrinks with 1 / sqrt(items), bets are planned, and what raters add stays.
        """
        distance, alpha = difference.value - threshold, alpha_from_level(difference.level)
        if distance <= 0:
            return None
        # What the half-width must not exceed, so that the distance is passed four times in five.
        slack = 1 + normal_quantile(PLANNED_POWER) / normal_quantile(1 - alpha)
        need = measured.n * ((difference.value - self.once.bounds(alpha)[0]) * slack / distance) ** 2
        left = distance
        if self.crossed is not None:
            room = (distance / slack / t_quantile(1 - alpha, self.crossed.df)) ** 2 - self.crossed.of_raters
            need = max(need, measured.n * self.crossed.of_items / room) if room > 0 else math.inf
            left = math.sqrt(max(0.0, distance**2 - (slack * self.crossed.reach(alpha)) ** 2))
        if self.anytime is not None and need < MOST_PLANNED:
            mean = float(self.x.mean()) - left
            bets = items_to_win(self.x, mean, alpha, PLANNED_POWER, self.planned)
            need = max(need, bets if left > 0 else math.inf)
        return max(measured.n + 1, math.ceil(need)) if need < MOST_PLANNED else None


def intervals(data: Judged, alpha: float, sequential: bool | int) -> Intervals:
    """The intervals for at least two items, resolved for one-sided error `alpha`; see `win_rate`."""
    x = data.of_items
    d = x - HALF
    same = bool(np.ptp(d) <= SAME)
    once = no_change(float(d.mean()), HALF, len(d)) if same else _over_items(d)
    anytime = _from_half(betting(x, alpha, int(sequential))) if sequential else None
    spread, about = _over_raters(data)
    return Intervals(x, once, anytime, spread, (UNSEEN, about) if same else (about,), int(sequential))


def _from_half(family: Family) -> Family:
    """A family of a win rate as one of its distance from one half."""

    def bounds(alpha: float) -> Bounds:
        low, high = family.bounds(alpha)
        return low - HALF, high - HALF

    return Family(family.value - HALF, family.method, bounds)


def _widened(over_items: Family, spread: Crossed) -> Family:
    """Bounds about these raters, widened so that they are about such raters: the two distances as sides of a triangle.

    What items and what raters leave open is independent, and each side must keep its error at any look.
    """

    def bounds(alpha: float) -> Bounds:
        low, high = over_items.bounds(alpha)
        reach = spread.reach(alpha)
        value = over_items.value
        return value - _together(value - low, reach), value + _together(high - value, reach)

    return Family(over_items.value, over_items.method, bounds)


def _together(one: float, other: float) -> float:
    """The root of the sum of squares; distances below 0, which errors above one half have, count against it."""
    squares = one * abs(one) + other * abs(other)
    return math.copysign(math.sqrt(abs(squares)), squares)


def _over_raters(data: Judged) -> tuple[Crossed | None, str]:
    """The variance for such raters, None where the interval is about these raters; and what it is about, in words."""
    raters, effective = len(data.of_raters), 1 / float((data.of_raters**2).sum())
    if raters == 1:
        return None, "about this rater alone: how others would judge is not in the interval"
    if raters < LEAST_RATERS or effective < LEAST_EFFECTIVE:
        few = f"fewer than {LEAST_RATERS}" if raters < LEAST_RATERS else "of whom few judged most"
        return None, f"about these {raters} raters, {few}: how others would judge is not in the interval"
    parts = crossed(data)
    if parts.variance <= SAME**2:
        return None, f"about these {raters} raters, who do not differ"
    share = parts.of_raters / parts.variance
    words = f"about raters such as these {raters}: {share:.0%} of the variance is theirs"
    return parts, f"{words}, {parts.df:.1f} effective degrees of freedom"
