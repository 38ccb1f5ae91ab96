"""Bradley-Terry scores of three stacks or more, from judgements of pairs; evalica finds them."""

from collections.abc import Sequence
from dataclasses import dataclass

import evalica
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components

from trimtab.errors import StatisticsError
from trimtab.records import NAN, Estimate
from trimtab.stats.agreement import MOST_UNDEFINED
from trimtab.stats.clustered import cluster_codes
from trimtab.stats.intervals import Array, replicates_for, resample_counts
from trimtab.stats.levels import alpha_from_level

METHOD = "Bradley-Terry, ties half a win, bootstrap over items"
TOLERANCE = 1e-10
ITERATIONS = 100_000
WINNERS = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}


def bradley_terry(
    pairs: Sequence[tuple[str, str]],
    values: ArrayLike,
    items: Sequence[object],
    *,
    base: str,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Estimate]:
    """How strongly each stack is preferred: the log-odds that it is to `base`, one estimate for each other stack.

    pairs (judgements,): the two stacks. values (judgements,): 1 where the first was preferred, 0 where the second was,
    0.5 where neither, which counts as half a win of each. items (judgements,): ids; n counts them. Bradley and Terry
    (1952), Biometrika 39, 324-345: the first is preferred with odds p_first / p_second. The interval is the percentile
    bootstrap over items, seeded by `seed`.

    Undefined where no chain of judgements joins some stacks, or some never lost to the others or never won against
    them (Ford 1957, American Mathematical Monthly 64(8), 28-33), in the data or in more than 1% of resamples.

    Raises:
        StatisticsError: arguments of unlike length, another value, a stack judged against itself, or no judgement of
            `base`.
    """
    tail = alpha_from_level(level)
    table = _table(pairs, values, items, base)
    n = len(table.counts)
    others = [stack for stack in table.stacks if stack != base]

    def undefined(reason: str) -> dict[str, Estimate]:
        return {stack: Estimate(NAN, NAN, NAN, level, n, METHOD, reason) for stack in others}

    whole = table.counts.sum(axis=0)
    if reason := table.apart(whole):
        return undefined(reason)
    rng = np.random.default_rng(seed)
    drawn = resample_counts(n, replicates_for(tail), rng) @ table.counts
    joined = table.joined(drawn)
    if 1 - joined.mean() > MOST_UNDEFINED:
        share = f"{1 - joined.mean():.0%} of resamples"
        return undefined(f"too few judgements: in {share} some stacks never won or never lost")
    found = table.scores(whole, base)
    low, high = np.quantile([table.scores(c, base) for c in drawn[joined]], [tail, 1 - tail], axis=0)
    numbers = zip(table.stacks, found.tolist(), low.tolist(), high.tolist(), strict=True)
    return {stack: Estimate(v, a, b, level, n, METHOD) for stack, v, a, b in numbers if stack != base}


@dataclass(frozen=True, slots=True)
class _Table:
    """Judgements by what they say: rows (first, second, value), and how often each item has each (items, rows)."""

    stacks: tuple[str, ...]
    rows: tuple[tuple[int, int, float], ...]
    counts: Array

    def wins(self, counts: Array) -> Array:
        """Wins of each stack over each (..., stacks, stacks), ties half, from how often each row occurs (..., rows)."""
        of_row = np.zeros((len(self.rows), len(self.stacks), len(self.stacks)))
        for place, (first, second, value) in enumerate(self.rows):
            of_row[place, first, second] = value
            of_row[place, second, first] = 1 - value
        wins: Array = np.tensordot(counts, of_row, axes=1)
        return wins

    def joined(self, counts: Array) -> NDArray[np.bool_]:
        """Whether from each stack a chain of wins leads to each other: then scores are finite. (B, rows) to (B,)."""
        reached: Array = (self.wins(counts) + np.eye(len(self.stacks)) > 0).astype(np.float64)
        for _ in range(len(self.stacks).bit_length()):
            reached = np.sign(reached @ reached)
        answer: NDArray[np.bool_] = np.all(reached > 0, axis=(-2, -1))
        return answer

    def apart(self, counts: Array) -> str:
        """Which stacks have no finite score against the others, and why; empty where all have."""
        wins = self.wins(counts)
        pieces, piece = connected_components(wins, directed=False)
        if pieces > 1:
            return (
                f"no chain of judgements joins {' to '.join(self._named(piece == p) for p in range(pieces))}"
            )
        pieces, piece = connected_components(wins, connection="strong")
        reasons = []
        for inside in (piece == p for p in range(pieces) if pieces > 1):
            if not wins[np.ix_(~inside, inside)].any():
                reasons.append(f"{self._named(inside)} lost to none of the others")
            elif not wins[np.ix_(inside, ~inside)].any():
                reasons.append(f"{self._named(inside)} won against none of the others")
        return "; ".join(reasons)

    def scores(self, counts: Array, base: str) -> Array:
        """Log-odds of each stack against the base (stacks,)."""
        found = evalica.bradley_terry(
            [first for first, _, _ in self.rows],
            [second for _, second, _ in self.rows],
            [WINNERS[value] for _, _, value in self.rows],
            weights=counts.tolist(),
            tolerance=TOLERANCE,
            limit=ITERATIONS,
        )
        logs: Array = np.log(found.scores.sort_index().to_numpy())
        against: Array = logs - logs[self.stacks.index(base)]
        return against

    def _named(self, chosen: np.ndarray) -> str:
        return " and ".join(stack for stack, yes in zip(self.stacks, chosen, strict=True) if yes)


def _table(pairs: Sequence[tuple[str, str]], values: ArrayLike, items: Sequence[object], base: str) -> _Table:
    shares = np.asarray(values, dtype=np.float64).tolist()
    stacks = tuple(sorted({stack for pair in pairs for stack in pair}))
    problem = ""
    if not len(pairs) == len(shares) == len(items):
        problem = f"{len(pairs)} pairs, {len(shares)} values and {len(items)} items"
    elif not set(shares) <= set(WINNERS) or any(first == second for first, second in pairs):
        problem = "values other than 1, 0 and 0.5, or stacks judged against themselves"
    elif base not in stacks:
        problem = f"no judgement of the base {base!r} among those of {list(stacks)}"
    if problem:
        raise StatisticsError(problem, "give two stacks, a value and an item for every judgement")
    said = [(stacks.index(a), stacks.index(b), value) for (a, b), value in zip(pairs, shares, strict=True)]
    rows = tuple(sorted(set(said)))
    codes = cluster_codes(items, len(items))
    counts = np.zeros((int(codes.max()) + 1, len(rows)))
    np.add.at(counts, (codes, np.array([rows.index(row) for row in said])), 1.0)
    return _Table(stacks, rows, counts)
