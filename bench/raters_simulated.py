"""Simulated reviews: raters who are accurate, noisy, biased to one side or random, and what the win rate says of them.

    python bench/raters_simulated.py --replicates 2000 --out raters_simulated.json

An item's answers differ by a hidden amount, a rater has a taste of their own for one stack, and says what they see; a
small difference is a tie. The true win rate is known, so that misses, false verdicts under any stopping, biased raters
found and good ones left out by mistake can be counted. Widths are over that of the interval that may be looked at once
and knows only items.
"""

import argparse
import json
import math
import pathlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from trimtab.records import Vote
from trimtab.review.quality import apply
from trimtab.stats.crossed import Judged
from trimtab.stats.distributions import normal_cdf, t_quantile
from trimtab.stats.levels import alpha_from_level
from trimtab.stats.preference import HALF, LEAST_RATERS, intervals, judgements

Array = NDArray[np.float64]
Kind = Literal["accurate", "noisy", "left", "random"]
BASE, CANDIDATE = "base", "candidate"
TIE = 0.3
OF_ITEMS = 0.8
NOISE = {"accurate": 0.6, "noisy": 2.0, "left": 0.6, "random": 0.6}
# How often a rater of a kind does not look: biased ones take the left then, random ones anything.
BLIND = {"accurate": 0.0, "noisy": 0.0, "left": 0.4, "random": 1.0}
RIGHT = {"accurate": 0.95, "noisy": 0.8, "left": 0.7, "random": 0.5}
ATTENTION = 8


@dataclass(frozen=True)
class World:
    """A review: how many items and who judges them. `taste`: standard deviation of raters' tastes, in hidden units."""

    items: int
    kinds: tuple[Kind, ...]
    per_item: int
    taste: float = 0.0
    mu: float = 0.0
    uneven: bool = False

    @property
    def name(self) -> str:
        """In words, for tables."""
        kinds = ", ".join(f"{self.kinds.count(k)} {k}" for k in dict.fromkeys(self.kinds))
        return f"{kinds}; taste {self.taste:g}{', uneven work' if self.uneven else ''}"


@dataclass(frozen=True)
class Drawn:
    """Judgements of one review (judgements,), in the order of items, and the true win rate less one half."""

    values: Array
    items: NDArray[np.int64]
    raters: NDArray[np.int64]
    lefts: NDArray[np.bool_]
    truth: float


def rate(mu: float, variance: float) -> float:
    """Share of judgements that prefer the candidate, ties half, where the hidden difference is normal."""
    sd = math.sqrt(variance)
    return (normal_cdf((mu - TIE) / sd) + normal_cdf((mu + TIE) / sd)) / 2


def seen(kind: Kind, mu: float, tastes: float = 0.0) -> float:
    """The win rate among judgements of a kind of rater; `tastes`: variance of tastes that is averaged over."""
    return BLIND[kind] / 2 + (1 - BLIND[kind]) * rate(mu, OF_ITEMS**2 + NOISE[kind] ** 2 + tastes)


def shares(world: World) -> Array:
    """The share of the work of each rater (raters,)."""
    share = 1 / np.arange(1, len(world.kinds) + 1) if world.uneven else np.ones(len(world.kinds))
    answer: Array = share / share.sum()
    return answer


def shifted(world: World, difference: float) -> World:
    """The same review with the mu at which the true win rate is one half + `difference`, for such raters."""

    def beyond(mu: float) -> float:
        of_kinds = [seen(kind, mu, world.taste**2) for kind in world.kinds]
        return float(shares(world) @ of_kinds) - HALF - difference

    return World(world.items, world.kinds, world.per_item, world.taste, brentq(beyond, -9, 9), world.uneven)


def draw(world: World, rng: np.random.Generator) -> Drawn:
    """One review; the truth is about these raters where they are too few to speak for others."""
    n, number, k = world.items, len(world.kinds), min(world.per_item, len(world.kinds))
    ticket = rng.exponential(1 / shares(world), (n, number))
    raters = np.argsort(ticket, axis=1)[:, :k].ravel()
    items = np.repeat(np.arange(n), k)
    tastes = world.taste * rng.standard_normal(number)
    noise = np.array([NOISE[kind] for kind in world.kinds])[raters]
    hidden = world.mu + OF_ITEMS * rng.standard_normal(n)[items] + tastes[raters]
    hidden += noise * rng.standard_normal(len(items))
    values = np.where(np.abs(hidden) < TIE, 0.5, (hidden > 0) * 1.0)
    on_left = rng.random(len(items)) < 0.5
    blind = rng.random(len(items)) < np.array([BLIND[kind] for kind in world.kinds])[raters]
    left = np.where(
        np.array([kind == "left" for kind in world.kinds])[raters], True, rng.random(len(items)) < 0.5
    )
    values = np.where(blind, (left == on_left) * 1.0, values)
    lefts = (values == 1) == on_left
    if number < LEAST_RATERS:
        of_raters = [seen(kind, world.mu + taste) for kind, taste in zip(world.kinds, tastes, strict=True)]
        work = np.bincount(raters, minlength=number) / len(raters)
        return Drawn(values, items, raters, lefts, float(work @ of_raters) - HALF)
    of_kinds = [seen(kind, world.mu, world.taste**2) for kind in world.kinds]
    return Drawn(values, items, raters, lefts, float(shares(world) @ of_kinds) - HALF)


def numbered(drawn: Drawn, there: NDArray[np.bool_]) -> Judged:
    """Some of the judgements, as `judgements` gives them; ids that are numbers already make it quick."""
    items = np.unique(drawn.items[there], return_inverse=True)[1]
    raters = np.unique(drawn.raters[there], return_inverse=True)[1]
    counts = np.bincount(items)
    return Judged(drawn.values[there], items, raters, 1.0 / counts[items] / len(counts))


@dataclass(frozen=True)
class Covered:
    """Shares of reviews whose interval misses, at one look; width over that of the t interval over items."""

    world: str
    items: int
    per_item: int
    level: float
    sequential: bool
    replicates: int
    coverage: float
    miss_low: float
    miss_high: float
    width: float


def cover(world: World, replicates: int, seed: int, level: float = 0.95, sequential: bool = False) -> Covered:
    """Coverage of the interval that `win_rate` takes, looked at once."""
    rng, alpha = np.random.default_rng(seed), alpha_from_level(level)
    low, high, width = [], [], []
    for _ in range(replicates):
        drawn = draw(world, rng)
        data = numbered(drawn, np.ones(len(drawn.values), dtype=bool))
        ends = intervals(data, alpha, world.items * sequential).family.bounds(alpha)
        x = data.of_items
        plain = 2 * t_quantile(1 - alpha, len(x) - 1) * float(x.std(ddof=1)) / math.sqrt(len(x))
        low.append(ends[0] > drawn.truth)
        high.append(ends[1] < drawn.truth)
        width.append((ends[1] - ends[0]) / plain)
    missed = float(np.mean(low)), float(np.mean(high))
    return Covered(
        world.name, world.items, world.per_item, level, sequential, replicates, 1 - sum(missed), *missed,
        float(np.mean(width)),
    )  # fmt: skip


@dataclass(frozen=True)
class Peeked:
    """Share of reviews that ever passed a threshold at which the truth lies, looking after every ten items."""

    world: str
    items: int
    aim: str
    sequential: bool
    level: float
    replicates: int
    false: float
    at_end: float


def peek(
    world: World, threshold: float, replicates: int, seed: int, level: float = 0.95, sequential: bool = True
) -> Peeked:
    """False verdicts of whoever looks after every ten items and stops at the first that passes.

    `threshold`: min_gain of a goal, or -margin of a guard, which is the true difference. At each look the latest tenth
    of the items has only its first judgement.
    """
    rng, alpha = np.random.default_rng(seed), alpha_from_level(level)
    world = shifted(world, threshold)
    false = at_end = 0
    for _ in range(replicates):
        drawn = draw(world, rng)
        # About these raters the truth differs from review to review.
        held = threshold if len(world.kinds) >= LEAST_RATERS else drawn.truth
        passed = [
            intervals(data, alpha, world.items * sequential).family.bounds(alpha)[0] > held
            for data in _looks(drawn, world.items)
        ]
        false += any(passed)
        at_end += passed[-1]
    aim = f"better by more than {threshold:g}" if threshold >= 0 else f"not worse by {-threshold:g}"
    return Peeked(
        world.name, world.items, aim, sequential, level, replicates, false / replicates, at_end / replicates
    )


def _looks(drawn: Drawn, items: int) -> Iterator[Judged]:
    first = np.concatenate([[True], np.diff(drawn.items) > 0])
    for n in range(20, items + 1, 10):
        there = drawn.items < n
        if n < items:
            there &= first | (drawn.items < 0.9 * n)
        yield numbered(drawn, there)


def votes(world: World, drawn: Drawn, rng: np.random.Generator) -> list[Vote]:
    """The votes of a review, and eight attention items of each rater."""
    found = []
    for value, item, rater, left in zip(drawn.values, drawn.items, drawn.raters, drawn.lefts, strict=True):
        on_left = left == (value == 1) if value != 0.5 else bool(rng.random() < 0.5)
        pair = (CANDIDATE, BASE) if on_left else (BASE, CANDIDATE)
        side = "tie" if value == 0.5 else "left" if left else "right"
        found.append(Vote(f"i{item}", f"r{rater}", *pair, side))
    for rater, kind in enumerate(world.kinds):
        for k in range(ATTENTION):
            choice = "left" if rng.random() < RIGHT[kind] else "right"
            found.append(
                Vote(f"a{k}", f"r{rater}", CANDIDATE, BASE, choice, share="attention", expected="left")
            )
    return found


@dataclass(frozen=True)
class Ruled:
    """What the rule did: share of raters of each kind who were left out; the win rate less its truth, without and with.

    `false`: share of reviews that say better though the truth is one half, without and with the rule.
    """

    world: str
    items: int
    replicates: int
    left_out: dict[str, float]
    bias: tuple[float, float]
    error: float
    false: tuple[float, float]


def rule(world: World, replicates: int, seed: int) -> Ruled:
    """How often raters are left out, and what that does to the win rate."""
    rng, alpha = np.random.default_rng(seed), 0.025
    out = dict.fromkeys(dict.fromkeys(world.kinds), 0)
    errors: list[list[float]] = [[], []]
    false = [0, 0]
    for _ in range(replicates):
        drawn = draw(world, rng)
        all_votes = votes(world, drawn, rng)
        kept, decisions = apply(all_votes)
        for decision in decisions:
            out[world.kinds[int(decision.rater[1:])]] += 1
        for which, cast in enumerate((all_votes, [vote for vote, _ in kept])):
            counted = [vote for vote in cast if vote.share == "estimate"]
            data = judgements(
                [vote.preference(CANDIDATE) for vote in counted],
                [vote.item for vote in counted],
                [vote.rater for vote in counted],
            )
            family = intervals(data, alpha, world.items).family
            errors[which].append(family.value)
            false[which] += family.bounds(alpha)[0] > 0
    truth = float(shares(world) @ [seen(kind, world.mu, world.taste**2) for kind in world.kinds]) - HALF
    return Ruled(
        world.name,
        world.items,
        replicates,
        {kind: count / replicates / world.kinds.count(kind) for kind, count in out.items()},
        (float(np.mean(errors[0])) - truth, float(np.mean(errors[1])) - truth),
        float(np.std(errors[1])) / math.sqrt(replicates),
        (false[0] / replicates, false[1] / replicates),
    )


def covers(replicates: int) -> list[Covered]:
    """Coverage by kind of review, at both levels, for one look and for any number."""
    one, mixed = ("accurate",), ("accurate", "accurate", "accurate", "noisy", "left", "random")
    worlds = [
        World(20, one, 1),
        World(300, one, 1, 0.3, 0.9),
        World(100, one * 2, 2, 0.3),
        World(100, one * 3, 2, 0.3),
        World(100, one * 5, 1),
        World(100, one * 5, 2, 0.15),
        World(300, one * 5, 2, 0.3),
        World(100, one * 5, 2, 0.3, uneven=True),
        World(300, one * 8, 2, 0.3),
        World(300, one * 20, 3),
        World(300, one * 20, 3, 0.3),
        World(100, mixed, 2, 0.15),
    ]
    return [
        cover(world, replicates, seed, level, sequential)
        for seed, world in enumerate(worlds)
        for level in (0.95, 0.99375)
        for sequential in (False, True)
    ]


def peeks(replicates: int) -> list[Peeked]:
    """False verdicts under looks after every ten items."""
    one, mixed = ("accurate",), ("accurate", "accurate", "accurate", "noisy", "left", "random")
    worlds = [
        World(200, one, 1),
        World(200, one * 5, 2),
        World(200, one * 5, 2, 0.15),
        World(200, one * 5, 2, 0.3),
    ]
    worlds += [World(200, one * 8, 2, 0.15), World(200, one * 8, 2, 0.3), World(200, mixed, 2, 0.15)]
    found = [
        peek(worlds[0], 0.0, replicates, 1, sequential=False),
        peek(worlds[0], 0.0, replicates, 1, 0.99375),
    ]
    for seed, world in enumerate(worlds):
        found += [peek(world, threshold, replicates, seed) for threshold in (0.0, -0.05)]
    return found


def rules(replicates: int) -> list[Ruled]:
    """What the rule on raters does, where nothing differs on average."""
    one, mixed = ("accurate",), ("accurate", "accurate", "accurate", "noisy", "left", "random")
    worlds = [World(150, mixed, 2, 0.15), World(150, mixed, 3, 0.15), World(150, mixed, 3, 0.3)]
    worlds += [World(150, one * 5, 2, 0.3), World(150, one * 5, 3, 0.6), World(150, one * 3, 2, 0.6)]
    return [rule(world, replicates, seed) for seed, world in enumerate(worlds)]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows of a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def shown(found: dict[str, list[Covered] | list[Peeked] | list[Ruled]]) -> str:
    """All tables."""
    covered = [
        (c.world, c.items, c.per_item, c.level, "any time" if c.sequential else "once", f"{c.coverage:.4f}",
         f"{c.miss_low:.4f}", f"{c.miss_high:.4f}", f"{c.width:.2f}")
        for c in found["cover"]
    ]  # fmt: skip
    peeked = [
        (
            p.world,
            p.items,
            p.aim,
            p.level,
            "any time" if p.sequential else "once",
            f"{p.false:.3f}",
            f"{p.at_end:.3f}",
        )
        for p in found["peek"]
    ]
    ruled = [
        (r.world, r.items, ", ".join(f"{kind} {share:.2f}" for kind, share in r.left_out.items()),
         f"{r.bias[0]:+.4f}, {r.bias[1]:+.4f}", f"{r.error:.4f}", f"{r.false[0]:.3f}, {r.false[1]:.3f}")
        for r in found["rule"]
    ]  # fmt: skip
    heads = (
        ("raters", "items", "each by", "level", "interval", "coverage", "miss low", "miss high", "width"),
        ("raters", "items", "truth lies at", "level", "interval", "ever falsely passed", "at the end"),
        ("raters", "items", "left out", "bias without, with", "its error", "false better without, with"),
    )
    return "\n\n".join(map(table, heads, (covered, peeked, ruled)))


def main() -> None:
    """Simulate, print the tables, and write them as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    started = time.perf_counter()
    found = {
        "cover": covers(options.replicates),
        "peek": peeks(options.replicates // 2),
        "rule": rules(options.replicates // 4),
    }
    print(shown(found))
    print(f"\n{options.replicates} replicates, {time.perf_counter() - started:.0f} s")
    if options.out:
        plain = {name: [asdict(one) for one in several] for name, several in found.items()}
        options.out.write_text(json.dumps(plain, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
