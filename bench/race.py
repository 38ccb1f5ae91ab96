"""Simulated races: how often the best candidate is lost, and what is saved, as a table and JSON.

    python bench/race.py --replicates 2000 --out race.json

Scores are drawn with known means. The first candidate is the best; one "nearly as good" is worse by a millionth, which
is where the chance of losing the best is largest. `lost` is the share of races that drop the best, at most 0.05 by
design; `saved` is the share of measurements of an item left undone, against scoring everyone on everything.
"""

import argparse
import json
import pathlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.decide import race

Array = NDArray[np.float64]
NEARLY = 1e-6
CLEARLY = 0.5
Draw = Callable[[np.random.Generator, tuple[float, ...], int], list[Array]]


@dataclass(frozen=True)
class Scenario:
    """`draw(rng, gaps, n)` gives each candidate's scores (n,); `gaps` are true losses against the best, which is first.

    `per_cluster`: items in one cluster.
    """

    name: str
    n: int
    gaps: tuple[float, ...]
    draw: Draw
    bounds: tuple[float, float] | None = None
    per_cluster: int = 1


@dataclass(frozen=True)
class Result:
    """What was seen. `any`: share of races that dropped somebody; `early`: of the clearly worse, dropped."""

    name: str
    n: int
    candidates: int
    looks: tuple[int, ...]
    replicates: int
    lost: float
    any: float
    early: float
    saved: float


def normal(rng: np.random.Generator, gaps: tuple[float, ...], n: int) -> list[Array]:
    """Half of the variance of a score belongs to the item, as it does where all candidates answer one prompt."""
    item = rng.normal(size=n)
    return [item + rng.normal(size=n) - gap for gap in gaps]


def heavy(rng: np.random.Generator, gaps: tuple[float, ...], n: int) -> list[Array]:
    """Differences are Laplace."""
    return [rng.exponential(size=n) - gap for gap in gaps]


def skewed(sign: float) -> Draw:
    """The best differs from the others by an exponential: with sign 1 it owes its mean to few large scores."""

    def draw(rng: np.random.Generator, gaps: tuple[float, ...], n: int) -> list[Array]:
        item = rng.normal(size=n)
        return [item + sign * (rng.exponential(size=n) - 1)] + [
            item + 0.3 * rng.normal(size=n) - gap for gap in gaps[1:]
        ]

    return draw


def right_or_wrong(best: float) -> Draw:
    """0/1 scores, the best right with probability `best`, correlated within an item."""

    def draw(rng: np.random.Generator, gaps: tuple[float, ...], n: int) -> list[Array]:
        item = rng.random(n)
        own = [np.where(rng.random(n) < 0.4, item, rng.random(n)) for _ in gaps]
        return [(u < best - gap).astype(np.float64) for u, gap in zip(own, gaps, strict=True)]

    return draw


def grouped(rng: np.random.Generator, gaps: tuple[float, ...], n: int) -> list[Array]:
    """Items in threes that share much of each candidate's luck."""
    return [np.repeat(rng.normal(size=n // 3), 3) + 0.5 * rng.normal(size=n // 3 * 3) - gap for gap in gaps]


def rare(rng: np.random.Generator, gaps: tuple[float, ...], n: int) -> list[Array]:
    """The best wins 4 on one item in twenty and loses a little on all others: known to fail."""
    best = 0.1 * rng.normal(size=n) + 4 * (rng.random(n) < 0.05) - 0.1
    return [best, *(0.1 * rng.normal(size=n) + 0.1 - gap for gap in gaps[1:])]


def scenarios() -> list[Scenario]:
    """All kinds of data, by name and n."""
    table = []
    for n in (40, 80, 160):
        for count in (2, 4, 8):
            gaps = (0.0,) + (NEARLY,) * (count - 1)
            table += [
                Scenario(f"normal, {count} nearly as good", n, gaps, normal),
                Scenario(f"heavy tails, {count} nearly as good", n, gaps, heavy),
                Scenario(f"best skewed right, {count} nearly as good", n, gaps, skewed(1)),
                Scenario(f"best skewed left, {count} nearly as good", n, gaps, skewed(-1)),
                Scenario(f"0/1, {count} nearly as good", n, gaps, right_or_wrong(0.5), (0.0, 1.0)),
                Scenario(f"rare wins, {count} candidates", n, (0.0,) + (0.1,) * (count - 1), rare),
            ]
        far = (0.0, 0.1) + (1.2,) * 6
        table += [
            Scenario("normal, 2 good and 6 clearly worse", n, far, normal),
            Scenario("normal, 2 good and 6 worse", n, (0.0, 0.1) + (0.7,) * 6, normal),
            Scenario(
                "0/1, 2 good and 6 clearly worse",
                n,
                (0.0, 0.05) + (0.5,) * 6,
                right_or_wrong(0.8),
                (0.0, 1.0),
            ),
            Scenario("normal, 4 good and 20 clearly worse", n, (0.0,) * 4 + (1.2,) * 20, normal),
        ]
    gaps = (0.0,) + (NEARLY,) * 3
    table.append(Scenario("groups of 3, 4 nearly as good", 180, gaps, grouped, per_cluster=3))
    return table


def measure(scenario: Scenario, replicates: int, seed: int) -> Result:
    """Run `replicates` races of a scenario."""
    n, count = scenario.n, len(scenario.gaps)
    clusters = [item // scenario.per_cluster for item in range(n)]
    best = [number for number, gap in enumerate(scenario.gaps) if gap == 0]
    worse = [number for number, gap in enumerate(scenario.gaps) if gap >= CLEARLY]
    scale = race.Scale(clusters, scenario.bounds)
    rng = np.random.default_rng(seed)
    lost = some = early = undone = 0
    for replicate in range(replicates):
        scores = scenario.draw(rng, scenario.gaps, n)
        plan = race.plan(clusters, count, seed=replicate)

        def seen(racing: object, items: object, scores: list[Array] = scores) -> dict[int, Array]:
            return {number: scores[number][items] for number in racing}  # type: ignore[attr-defined, index]

        found = race.race(plan, range(count), seen, scale)
        lost += all(number in found.dropped for number in best)
        some += bool(found.dropped)
        early += sum(number in found.dropped for number in worse)
        undone += sum(n - drop.items for drop in found.dropped.values())
    return Result(
        scenario.name,
        n,
        count,
        plan.ends,
        replicates,
        lost / replicates,
        some / replicates,
        early / (replicates * len(worse)) if worse else 0.0,
        undone / (replicates * n * count),
    )


def markdown(results: list[Result]) -> str:
    """The table of results."""
    lines = ["| data | candidates | looks | lost | any dropped | worse dropped | saved |", "|" + "---|" * 7]
    for r in results:
        looks = ", ".join(map(str, r.looks))
        lines.append(
            f"| {r.name} | {r.candidates} | {looks} | {r.lost:.3f} | {r.any:.3f} | {r.early:.3f} | {r.saved:.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the whole table, print it, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="names that contain this text")
    parser.add_argument("--items", type=int, default=0, help="only scenarios with so many items")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file to write")
    args = parser.parse_args()
    started = time.perf_counter()
    wanted = [s for s in scenarios() if args.only in s.name and args.items in (0, s.n)]
    results = [measure(scenario, args.replicates, args.seed + i) for i, scenario in enumerate(wanted)]
    print(markdown(results))
    print(f"\n{args.replicates} replicates, {time.perf_counter() - started:.0f} s")
    if args.out:
        text = json.dumps({"replicates": args.replicates, "results": [asdict(r) for r in results]}, indent=1)
        args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
