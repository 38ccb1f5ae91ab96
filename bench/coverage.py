"""Simulated coverage, one-sided errors and width of every interval method, as a table and JSON.

    python bench/coverage.py --replicates 10000 --out coverage.json

For each kind of data the truth is known. `miss low` is the share of intervals whose lower bound lies above
the truth: a false *better* at min_gain = truth, or a false *held* at margin = -truth. Width is the mean
over that of the oracle, the normal interval with the true standard error of the estimate.
"""

import argparse
import functools
import json
import math
import pathlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.stats import compare
from trimtab.stats.choose import Differences, choose
from trimtab.stats.distributions import normal_quantile
from trimtab.stats.intervals import replicates_for, studentised
from trimtab.stats.levels import alpha_from_level

Array = NDArray[np.float64]
LEVELS = (0.95, 0.99375)
BATCH = 100


@dataclass(frozen=True)
class Scenario:
    """`draw(rng, data sets)` gives differences (data sets, n) with mean `truth`; `error` is their true SE.

    `corpus`: draw gives baseline and candidate rows (data sets, 2, n, k) for `statistic` instead.
    """

    name: str
    n: int
    draw: Callable[[np.random.Generator, int], Array]
    truth: float
    error: float
    codes: NDArray[np.int64] | None = None
    span: float | None = None
    binary: bool = False
    bootstrap: bool = False
    statistic: Callable[[Array], float] | None = None


@dataclass(frozen=True)
class Result:
    """What was seen at one level; shares of the replicates that had an interval."""

    name: str
    n: int
    level: float
    replicates: int
    coverage: float
    miss_low: float
    miss_high: float
    width: float
    undefined: int
    method: str


def measure(
    scenario: Scenario, replicates: int, seed: int, levels: tuple[float, ...] = LEVELS
) -> list[Result]:
    """One result per level, from the same data sets."""
    rng = np.random.default_rng(seed)
    lows: dict[float, list[float]] = {level: [] for level in levels}
    highs: dict[float, list[float]] = {level: [] for level in levels}
    methods: dict[str, int] = {}
    for start in range(0, replicates, BATCH):
        rows = scenario.draw(rng, min(BATCH, replicates - start))
        for level in levels:
            for method, low, high in _intervals(scenario, rows, level, rng):
                lows[level].append(low)
                highs[level].append(high)
                methods[method] = methods.get(method, 0) + 1
    common = max(methods, key=lambda name: methods[name])
    return [
        _summary(scenario, level, np.array(lows[level]), np.array(highs[level]), common) for level in levels
    ]


def _intervals(
    scenario: Scenario, rows: Array, level: float, rng: np.random.Generator
) -> list[tuple[str, float, float]]:
    alpha = alpha_from_level(level)
    if scenario.statistic is not None:
        found = [
            compare(
                before, after, clusters=scenario.codes, level=level, statistic=scenario.statistic
            ).difference
            for before, after in rows
        ]
        return [(e.method, e.low, e.high) for e in found]
    if scenario.binary:
        return [_pairs(int((d > 0).sum()), int((d < 0).sum()), len(d), alpha) for d in rows]
    drawn = studentised(rows, replicates_for(alpha), rng) if scenario.bootstrap else [None] * len(rows)
    answers = []
    for d, replicates in zip(rows, drawn, strict=True):
        choice = choose(Differences(d, scenario.codes, scenario.span), alpha, 0, replicates)
        low, high = choice.family.bounds(alpha) if choice.family else (math.nan, math.nan)
        answers.append((choice.family.method if choice.family else "none", low, high))
    return answers


@functools.cache
def _pairs(gained: int, lost: int, n: int, alpha: float) -> tuple[str, float, float]:
    d = np.repeat([1.0, -1.0, 0.0], [gained, lost, n - gained - lost])
    family = choose(Differences(d, span=1.0, binary=True), alpha, 0).family
    assert family is not None
    return (family.method, *family.bounds(alpha))


def _summary(scenario: Scenario, level: float, low: Array, high: Array, method: str) -> Result:
    defined = ~np.isnan(low)
    low, high = low[defined], high[defined]
    above, below = float((low > scenario.truth).mean()), float((high < scenario.truth).mean())
    oracle = 2 * normal_quantile(1 - alpha_from_level(level)) * scenario.error
    width = float((high - low).mean()) / oracle
    missing = int((~defined).sum())
    return Result(
        scenario.name, scenario.n, level, len(low), 1 - above - below, above, below, width, missing, method
    )


def continuous(name: str, n: int, kind: str, shift: float = 0.0) -> Scenario:
    """Unit-variance differences: normal, right- or left-skewed (exponential, skewness 2)."""

    def draw(rng: np.random.Generator, sets: int) -> Array:
        return _noise(rng, kind, (sets, n)) + shift

    return Scenario(name, n, draw, shift, 1 / math.sqrt(n), bootstrap=True)


def _noise(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> Array:
    if kind == "normal":
        return rng.standard_normal(shape)
    sign = 1.0 if kind == "right" else -1.0
    return sign * (rng.standard_exponential(shape) - 1.0)


def seeded(n: int, seeds: int = 3) -> Scenario:
    """Item effect plus as much noise per seed, averaged over seeds: what `compare` does first."""

    def draw(rng: np.random.Generator, sets: int) -> Array:
        item = rng.standard_normal((sets, n, 1))
        return (item + rng.standard_normal((sets, n, seeds))).mean(axis=2)

    return Scenario("seeds 3", n, draw, 0.0, math.sqrt((1 + 1 / seeds) / n), bootstrap=True)


def discrete(
    name: str,
    n: int,
    values: tuple[float, ...],
    shares: tuple[float, ...],
    *,
    span: float | None = None,
    binary: bool = False,
) -> Scenario:
    """Differences drawn from a few values: tied, sparse or 0/1 pairs."""
    points, weights = np.array(values), np.array(shares)
    truth = float(points @ weights)
    variance = float(points**2 @ weights) - truth**2

    def draw(rng: np.random.Generator, sets: int) -> Array:
        return rng.choice(points, p=weights, size=(sets, n))

    error = math.sqrt(variance / n)
    return Scenario(name, n, draw, truth, error, span=span, binary=binary, bootstrap=not binary and n >= 50)


def clustered(name: str, sizes: list[int], kind: str, correlation: float = 0.3) -> Scenario:
    """Cluster effect with share `correlation` of the variance, item noise for the rest, both of `kind`."""
    codes = np.repeat(np.arange(len(sizes)), sizes)
    m, n = np.array(sizes), sum(sizes)
    variance = float((m * (1 + (m - 1) * correlation)).sum()) / n**2

    def draw(rng: np.random.Generator, sets: int) -> Array:
        effect = _noise(rng, kind, (sets, len(sizes)))[:, codes] * math.sqrt(correlation)
        return effect + _noise(rng, kind, (sets, n)) * math.sqrt(1 - correlation)

    return Scenario(name, n, draw, 0.0, math.sqrt(variance), codes=codes)


def bleu_from_sums(rows: Array) -> float:
    """Corpus BLEU, 0 to 100, from rows of (matches 1..4, totals 1..4, answer length, reference length)."""
    sums = rows.sum(axis=0).tolist()
    logs = [math.log(max(m, 1e-9) / max(t, 1e-9)) for m, t in zip(sums[:4], sums[4:8], strict=True)]
    return 100 * math.exp(min(0.0, 1 - sums[9] / sums[8]) + sum(logs) / 4)


def bleu_counts(rng: np.random.Generator, quality: Array, lengths: Array) -> Array:
    """Sufficient counts (..., 10) of answers whose n-gram precision is `quality` to a power of the order."""
    totals = np.stack([np.maximum(lengths - order, 1) for order in range(4)], axis=-1)
    matches = rng.binomial(totals, quality[..., None] ** np.array([0.6, 1.0, 1.4, 1.8]))
    references = np.maximum(1, lengths + rng.integers(-2, 4, lengths.shape))
    return np.concatenate([matches, totals, lengths[..., None], references[..., None]], axis=-1).astype(
        np.float64
    )


def bleu(n: int, gain: float, groups: int = 0, reference_sets: int = 1500) -> Scenario:
    """Paired BLEU of answers of 8 to 40 words; the truth and its error come from `reference_sets`."""
    codes = np.arange(n) % groups if groups else None

    def draw(rng: np.random.Generator, sets: int) -> Array:
        topic = rng.standard_normal((sets, groups or n))
        if codes is not None:
            topic = topic[:, codes]
        lengths = rng.integers(8, 41, (sets, n))
        before = 1 / (1 + np.exp(-(topic + 0.6 * rng.standard_normal((sets, n)))))
        after = 1 / (1 + np.exp(-(topic + gain + 0.6 * rng.standard_normal((sets, n)))))
        return np.stack([bleu_counts(rng, before, lengths), bleu_counts(rng, after, lengths)], axis=1)

    rng = np.random.default_rng(12345)
    seen = [bleu_from_sums(c) - bleu_from_sums(b) for b, c in draw(rng, reference_sets)]
    large = draw(rng, max(1, 200_000 // n))
    whole = bleu_from_sums(large[:, 1].reshape(-1, 10)) - bleu_from_sums(large[:, 0].reshape(-1, 10))
    name = f"BLEU gain {gain:g}" + (f", {groups} groups" if groups else "")
    return Scenario(name, n, draw, whole, float(np.std(seen)), codes=codes, statistic=bleu_from_sums)


def scenarios() -> list[Scenario]:
    """The whole table."""
    table: list[Scenario] = []
    for n in (20, 50, 200):
        table += [continuous(kind, n, kind) for kind in ("normal", "right", "left")]
        table += [continuous("normal, gain 0.5", n, "normal", 0.5), seeded(n)]
        fives = (-1.0, -0.5, 0.0, 0.5, 1.0)
        table.append(discrete("tied", n, fives, (0.1, 0.2, 0.4, 0.2, 0.1)))
        table.append(discrete("tied, gain 0.15", n, fives, (0.05, 0.15, 0.4, 0.25, 0.15)))
        steps = (-1.0, -2 / 3, -1 / 3, 0.0, 1 / 3, 2 / 3, 1.0)
        table.append(
            discrete("0/1 over 3 seeds", n, steps, (0.02, 0.06, 0.15, 0.54, 0.15, 0.06, 0.02), span=1.0)
        )
        table.append(
            discrete("sparse", n, (-1.0, -0.5, 0.0, 0.5, 1.0), (0.02, 0.02, 0.92, 0.02, 0.02), span=1.0)
        )
        table.append(discrete("sparse, margin 0.05", n, (-1.0, 0.0), (0.05, 0.95), span=1.0))
        table.append(discrete("sparse, margin 0.02", n, (-1.0, 0.0, 0.5), (0.025, 0.965, 0.01), span=1.0))
        table.append(discrete("0/1", n, (-1.0, 0.0, 1.0), (0.1, 0.8, 0.1), binary=True))
        table.append(discrete("0/1, margin 0.05", n, (-1.0, 0.0, 1.0), (0.1, 0.85, 0.05), binary=True))
        table.append(discrete("0/1, margin 0.02", n, (-1.0, 0.0, 1.0), (0.03, 0.96, 0.01), binary=True))
        table.append(discrete("0/1, gain 0.1", n, (-1.0, 0.0, 1.0), (0.1, 0.7, 0.2), binary=True))
        table.append(bleu(n, 0.0))
        table.append(bleu(n, 0.4))
    for groups in (10, 15, 30):
        for kind in ("normal", "right", "left"):
            table.append(clustered(f"{groups} equal clusters, {kind}", [6] * groups, kind))
            sizes = [2 + (9 * g * g) // (groups * groups) * 2 for g in range(groups)]
            table.append(clustered(f"{groups} unequal clusters, {kind}", sizes, kind))
    table.append(bleu(200, 0.0, groups=20))
    return table


def markdown(results: list[Result]) -> str:
    """The table of results."""
    lines = [
        "| data | n | level | coverage | miss low | miss high | width | undefined | method |",
        "|" + "---|" * 9,
    ]
    for r in results:
        lines.append(
            f"| {r.name} | {r.n} | {r.level:g} | {r.coverage:.4f} | {r.miss_low:.4f} | {r.miss_high:.4f} "
            f"| {r.width:.3f} | {r.undefined} | {r.method} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the whole table, print it, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--replicates", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="names that contain this text")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file to write")
    args = parser.parse_args()
    started = time.perf_counter()
    results: list[Result] = []
    for index, scenario in enumerate(s for s in scenarios() if args.only in s.name):
        results += measure(scenario, args.replicates, args.seed + index)
    print(markdown(results))
    print(f"\n{args.replicates} replicates, {time.perf_counter() - started:.0f} s")
    if args.out:
        text = json.dumps({"replicates": args.replicates, "results": [asdict(r) for r in results]}, indent=1)
        args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
