"""Whether later rows are like earlier ones: two-sample tests between the halves of time, corrected for their number."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab import stats

FEWEST = 20
ALPHA = 0.05
PERMUTATIONS = 999
_EACH = 500
_BATCH = 100

Day = datetime.date | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which later rows may differ: the chance of as large a difference if they do not, and it in words."""

    name: str
    chance: float
    said: str


def cut(days: Sequence[datetime.date]) -> Day:
    """The first day of the later half: that which parts the dates most evenly; None where all are of one day."""
    counts = Counter(days)
    known = sorted(counts)
    before = np.cumsum([counts[day] for day in known])[:-1]
    if not len(before):
        return None
    return known[int(np.argmin(np.abs(2 * before - len(days)))) + 1]


def level(name: str, values: np.ndarray, later: np.ndarray) -> Difference | None:
    """Whether figures (n,) tend to be larger or smaller in later rows (n,) bool: Mann and Whitney 1947, with ties.

    None where either half has fewer than twenty figures that are not nan.
    """
    one, other = (values[half & np.isfinite(values)] for half in (~later, later))
    if min(len(one), len(other)) < FEWEST:
        return None
    said = f"{name} {one.mean():.3g} before, {other.mean():.3g} since"
    if np.ptp(np.concatenate([one, other])) == 0:
        return Difference(name, 1.0, said)
    # scipy.stats takes half a second to load, which only sets with dates shall pay.
    from scipy.stats import mannwhitneyu

    return Difference(name, float(mannwhitneyu(one, other, method="asymptotic").pvalue), said)


def share(name: str, held: np.ndarray, later: np.ndarray) -> Difference | None:
    """Whether more or fewer of later rows (n,) bool have something (n,) bool: Fisher's exact test, two-sided.

    None where either half has fewer than twenty rows.
    """
    one, other = held[~later], held[later]
    if min(len(one), len(other)) < FEWEST:
        return None
    before, since = ((int(half.sum()), int((~half).sum())) for half in (one, other))
    said = f"{name} {one.mean():.0%} before, {other.mean():.0%} since"
    return Difference(name, stats.fisher(before, since), said)


def meaning(days: Sequence[Day], vectors: np.ndarray, first: Day, seed: int = 0) -> Difference | None:
    """Whether rows since a day mean other things: the energy statistic of their vectors, by 999 permutations.

    Source: Szekely and Rizzo 2004, eq. 5 and section 3. At most 500 rows of each half are looked at.

    Args:
        days: n dates; vectors: (n, hidden); first: the first day of the later half.
    """
    if first is None:
        return None
    rng = np.random.default_rng(seed)
    halves = [
        np.array([place for place, day in enumerate(days) if day and (day >= first) == later], dtype=np.int64)
        for later in (False, True)
    ]
    if min(map(len, halves)) < FEWEST:
        return None
    halves = [rng.permutation(half)[:_EACH] for half in halves]
    held = vectors[np.concatenate(halves)].astype(np.float64)
    squares = (held**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * held @ held.T, 0))
    np.fill_diagonal(apart, 0)
    later = np.repeat([False, True], [len(half) for half in halves])
    found = float(energy(apart, later[None, :])[0])
    as_large, done = 0, 0
    while done < PERMUTATIONS:
        count = min(_BATCH, PERMUTATIONS - done)
        mixed = rng.permuted(np.tile(later, (count, 1)), axis=1)
        as_large += int((energy(apart, mixed) >= found - 1e-12).sum())
        done += count
    chance = (1 + as_large) / (1 + PERMUTATIONS)
    return Difference("meaning", chance, f"meaning differs by an energy distance of {found:.3g}")


def energy(apart: np.ndarray, later: np.ndarray) -> np.ndarray:
    """The energy distance between two groups, for b ways to part n rows: 2 E|X - Y| - E|X - X'| - E|Y - Y'|.

    Args:
        apart: (n, n) distances; later: (b, n) bool, which rows are in the second group.

    Returns:
        (b,), 0 where both groups are of one distribution.
    """
    inside = later.astype(np.float64)
    sums = inside @ apart
    many = inside.sum(axis=1)
    few = later.shape[1] - many
    second = (sums * inside).sum(axis=1)
    between = sums.sum(axis=1) - second
    first = apart.sum() - 2 * between - second
    found: np.ndarray = 2 * between / (many * few) - first / few**2 - second / many**2
    return found
