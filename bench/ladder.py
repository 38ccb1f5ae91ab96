"""Simulated ladders: how often pure noise ships, how often the right rung does, and the naive way beside it.

    python bench/ladder.py --ladders 10000 --out ladder.json

A ladder has 8 rungs of 10 candidates. An item's difference to the base model has standard deviation 1: part of it is
the base model's own luck on the item (shared by all rungs), part the rung's, part the candidate's. Candidates are
chosen on select, and judged on confirm by `trimtab.decide.ladder` and `trimtab.stats`. `shipped wrongly` counts ladders
that ship a rung without an effect; the design allows 1.75% at the first look and 2.5% over all looks at a confirm set.
"""

import argparse
import functools
import json
import math
import pathlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, t

from trimtab import stats
from trimtab.decide import judge, ladder, race
from trimtab.records import GuardResult, plain
from trimtab.stats.choose import Differences, choose
from trimtab.stats.intervals import replicates_for, studentised

Array = NDArray[np.float64]
Noise = Callable[[np.random.Generator, tuple[int, ...]], Array]
BASE, RUNG, OWN = math.sqrt(0.3), math.sqrt(0.4), math.sqrt(0.3)
NAIVE_LEVEL = 0.95


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Noise of mean 0 and variance 1."""
    return rng.normal(size=shape)


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Exponential noise, centred: a few items change much for the better."""
    return rng.exponential(size=shape) - 1


@dataclass(frozen=True)
class Scenario:
    """A ladder's shape and truth.

    Attributes:
        gains: true gain of the candidates of a rung, by the rung's number; 0 where not named.
        guard: whether every rung also has one guard, whose true loss is exactly its margin.
        runs: runs one after another on the same confirm items.
        chasing: whether a later run rebuilds the rung that looked best on confirm, instead of starting afresh.
    """

    name: str
    rungs: int = 8
    candidates: int = 10
    select: int = 80
    confirm: int = 100
    gains: dict[int, float] = field(default_factory=dict)
    min_gain: float = 0.0
    racing: bool = False
    guard: bool = False
    runs: int = 1
    chasing: bool = False
    noise: Noise = normal

    @property
    def weights(self) -> dict[str, float]:
        """Equal weights."""
        return {str(number): 1.0 for number in range(self.rungs)}


@dataclass(frozen=True)
class Data:
    """Differences to the base model: select (rungs, candidates, items), confirm likewise; guard (rungs, items)."""

    select: Array
    confirm: Array
    guard: Array | None


@dataclass(frozen=True)
class Result:
    """What was seen. `stated` is the mean power that `stats.power` states for the rung with an effect."""

    name: str
    ladders: int
    wrong: int
    right: int
    looks: float
    stated: float
    naive: float

    @property
    def rate(self) -> float:
        """Share of ladders that shipped a rung without an effect."""
        return self.wrong / self.ladders

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95% interval of that share (Clopper and Pearson)."""
        found = binomtest(self.wrong, self.ladders).proportion_ci()
        return float(found.low), float(found.high)


def draw(rng: np.random.Generator, scenario: Scenario) -> list[Data]:
    """The data of all runs of one ladder; the base model's luck on an item is the same in all of them."""
    rungs, many = scenario.rungs, scenario.candidates
    gains = np.array([scenario.gains.get(number, 0.0) for number in range(rungs)])[:, None, None]
    luck = {n: scenario.noise(rng, (n,)) for n in {scenario.select, scenario.confirm}}

    def part(n: int) -> Array:
        rung, own = scenario.noise(rng, (rungs, 1, n)), scenario.noise(rng, (rungs, many, n))
        return gains + BASE * luck[n] + RUNG * rung + OWN * own

    return [
        Data(
            part(scenario.select),
            part(scenario.confirm),
            rng.normal(size=(rungs, scenario.confirm)) - 1.0 if scenario.guard else None,
        )
        for _ in range(scenario.runs)
    ]


def chase(rng: np.random.Generator, scenario: Scenario, seen: Data, tried: list[int], fresh: Data) -> Data:
    """A later run whose rungs all resemble the one that had the highest estimate on confirm."""
    best = max(range(scenario.rungs), key=lambda r: seen.confirm[r, tried[r]].mean())

    def like(before: Array, new: Array) -> Array:
        return 0.8 * before[best, tried[best]] + 0.6 * new

    return replace(fresh, select=like(seen.select, fresh.select), confirm=like(seen.confirm, fresh.confirm))


def whole(data: Data, chosen: list[int], scenario: Scenario, look: int = 1) -> ladder.Climb:
    """Climb one ladder with the library's own functions throughout, intervals of every comparison included."""
    climb = ladder.start(scenario.weights, 0.0)
    while (rung := climb.rung) is not None:
        number = int(rung)
        judged = _judged(data.select[number, chosen[number]], None, scenario, 0.95)
        passing = judge.passes_select(judged, scenario.min_gain)
        if passing != "passed":
            verdict = judge.without_look(judged, level=0.95, failure=passing, explored=False)
            climb = climb.then(ladder.Step(rung, ladder.on_select(passing, verdict), verdict=verdict))
            continue
        alpha = climb.alpha(look)
        level = stats.level_from_alpha(alpha)
        guard = data.guard[number] if data.guard is not None else None
        confirmed = _judged(data.confirm[number, chosen[number]], guard, scenario, level)
        verdict = judge.verdict(confirmed, level=level, look=look)
        climb = climb.then(ladder.Step(rung, ladder.on_confirm(verdict), alpha, verdict))
    return climb


def _judged(gains: Array, guard: Array | None, scenario: Scenario, level: float) -> judge.Judged:
    target = stats.compare(np.zeros(len(gains)), gains, min_gain=scenario.min_gain, level=level)
    guards = []
    if guard is not None:
        compared = stats.non_inferior(np.zeros(len(guard)), guard, margin=1.0, level=level)
        guards = [GuardResult("guard", "score", 1.0, compared)]
    return judge.Judged("stack", target, tuple(guards))


def quick(data: Data, chosen: list[int], scenario: Scenario, look: int = 1) -> ladder.Climb:
    """The same climb, ship decisions alone: an interval is worked out only where Student's t leaves a chance.

    From 50 items on `stats.compare` gives the hull of a bootstrap-t and Student's t, which clears a threshold only
    where Student's t does. Select asks for the estimate alone.
    """
    climb = ladder.start(scenario.weights, 0.0)
    while (rung := climb.rung) is not None:
        number = int(rung)
        if not data.select[number, chosen[number]].mean() > scenario.min_gain:
            climb = climb.then(ladder.Step(rung, "not better on select"))
            continue
        alpha = climb.alpha(look)
        guard = data.guard[number] if data.guard is not None else None
        held = guard is None or _clears(guard, -1.0, alpha)
        ships = _clears(data.confirm[number, chosen[number]], scenario.min_gain, alpha) and held
        climb = climb.then(ladder.Step(rung, "passed" if ships else "undecided", alpha))
    return climb


def _clears(d: Array, threshold: float, alpha: float) -> bool:
    error = d.std(ddof=1) / math.sqrt(len(d))
    if d.mean() - stats_t(alpha, len(d)) * error <= threshold:
        return False
    low: float = stats.interval(d, level=stats.level_from_alpha(alpha)).low
    return low > threshold


@functools.cache
def stats_t(alpha: float, n: int) -> float:
    """Quantile of Student's t at 1 - alpha with n - 1 degrees of freedom."""
    return float(t.ppf(1 - alpha, n - 1))


def best_of(select: Array, scenario: Scenario, seed: int) -> int:
    """The candidate of one rung (candidates, items) that select chooses, by the library's own race and choice."""
    count, n = select.shape
    finalists: tuple[int, ...] = tuple(range(count))
    if scenario.racing:
        plan = race.plan(range(n), count, seed=seed)
        scores = {number: select[number] for number in range(count)}
        found = race.race(
            plan,
            range(count),
            lambda racing, seen: {number: scores[number][list(seen)] for number in racing},
            race.Scale(range(n)),
        )
        finalists = found.finalists
    judged = {number: _judged(select[number], None, scenario, 0.95) for number in finalists}
    best = judge.best(list(judged.values()), scenario.min_gain)
    return next(number for number, one in judged.items() if one is best)


def best_of_many(selects: list[Array], scenario: Scenario, seeds: list[int]) -> list[list[int]]:
    """The same for all rungs of many ladders at once: (rungs, candidates, items) each -> candidates by rung."""
    stacked = np.stack(selects)
    racing = np.ones(stacked.shape[:3], dtype=bool)
    if scenario.racing:
        plans = [race.plan(range(scenario.select), scenario.candidates, seed=seed) for seed in seeds]
        for look in range(1, len(plans[0].ends)):
            seen = np.array([plan.seen(look) for plan in plans])
            here = np.take_along_axis(stacked, seen[:, None, None, :], axis=3)
            racing &= ~_behind(here, racing, stats.alpha_from_level(plans[0].level))
    means = np.where(racing, stacked.mean(axis=3), -np.inf)
    found: list[list[int]] = means.argmax(axis=2).tolist()
    return found


def _behind(scores: Array, racing: NDArray[np.bool_], alpha: float) -> NDArray[np.bool_]:
    """Which candidates (ladders, rungs, candidates) a look at scores (ladders, rungs, candidates, items) drops."""
    n = scores.shape[-1]
    leader = np.where(racing, scores.mean(axis=3), -np.inf).argmax(axis=2)
    ahead = np.take_along_axis(scores, leader[:, :, None, None], axis=2) - scores
    with np.errstate(invalid="ignore"):
        low = ahead.mean(axis=3) - stats_t(alpha, n) * ahead.std(axis=3, ddof=1) / math.sqrt(n)
    behind = (low > 0) & racing
    rows = ahead[behind]
    if len(rows):
        behind[behind] = lower_bounds(rows, alpha) > 0
    return behind


def lower_bounds(rows: Array, alpha: float, step: int = 500) -> Array:
    """Lower bounds of `stats.interval` for many data sets (sets, items) at once; one set of resamples serves all."""
    found = []
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        drawn = studentised(part, replicates_for(alpha), np.random.default_rng(0))
        for d, replicates in zip(part, drawn, strict=True):
            family = choose(Differences(d), alpha, 0, replicates).family
            found.append(family.bounds(alpha)[0] if family else -math.inf)
    return np.array(found)


def naive(data: Data, min_gain: float) -> bool:
    """The usual way: every rung's best candidate, judged at 95% on the items that chose it."""
    everything = np.concatenate([data.select, data.confirm], axis=2)
    best = np.take_along_axis(everything, everything.mean(axis=2).argmax(axis=1)[:, None, None], axis=1)[:, 0]
    n = best.shape[1]
    alpha = stats.alpha_from_level(NAIVE_LEVEL)
    low = best.mean(axis=1) - stats_t(alpha, n) * best.std(axis=1, ddof=1) / math.sqrt(n)
    return bool((low > min_gain).any())


def measure(scenario: Scenario, ladders: int, seed: int, batch: int = 250) -> Result:
    """Climb so many ladders of a scenario."""
    rng = np.random.default_rng(seed)
    wrong = right = looks = fooled = 0
    stated: list[float] = []
    worthy = any(gain > scenario.min_gain for gain in scenario.gains.values())
    for start in range(0, ladders, batch):
        drawn = [draw(rng, scenario) for _ in range(min(batch, ladders - start))]
        fooled += sum(naive(runs[0], scenario.min_gain) for runs in drawn)
        climbs = _climb_all(rng, scenario, drawn, start)
        for climb in climbs:
            last = climb[-1].steps[-1]
            shipped = last.rung if last.outcome == "passed" else None
            effective = shipped is not None and scenario.gains.get(int(shipped), 0.0) > scenario.min_gain
            right += effective and not scenario.guard
            wrong += shipped is not None and (scenario.guard or not effective)
            looks += sum(step.looked for one in climb for step in one.steps)
            stated += [_power(scenario, climb[0])] if worthy and not scenario.guard else []
    mean = float(np.mean(stated)) if stated else math.nan
    return Result(scenario.name, ladders, wrong, right, looks / ladders, mean, fooled / ladders)


def _climb_all(
    rng: np.random.Generator, scenario: Scenario, drawn: list[list[Data]], first: int
) -> list[list[ladder.Climb]]:
    """Every ladder's runs, one after the other, until one ships."""
    climbs: list[list[ladder.Climb]] = [[] for _ in drawn]
    waiting = list(range(len(drawn)))
    seen: dict[int, tuple[Data, list[int]]] = {}
    for run in range(scenario.runs):
        current = {}
        for i in waiting:
            fresh = drawn[i][run]
            current[i] = chase(rng, scenario, *seen[i], fresh) if scenario.chasing and run else fresh
        chosen = best_of_many([d.select for d in current.values()], scenario, [first + i for i in waiting])
        for (i, data), choice in zip(current.items(), chosen, strict=True):
            climbs[i].append(quick(data, choice, scenario, run + 1))
            seen[i] = data, choice
        waiting = [i for i in waiting if climbs[i][-1].steps[-1].outcome != "passed"]
        if not waiting:
            break
    return climbs


def _power(scenario: Scenario, climb: ladder.Climb) -> float:
    """Power stated for the rung with an effect at the error that it was given; 0 where it took no look."""
    (rung, gain), *_ = scenario.gains.items()
    step = next((step for step in climb.steps if step.rung == str(rung)), None)
    if step is None or not step.looked:
        return 0.0
    level = stats.level_from_alpha(step.alpha)
    return stats.power(effect=gain, n=scenario.confirm, sd=1.0, min_gain=scenario.min_gain, level=level)


def scenarios() -> list[Scenario]:
    """The whole table."""
    noise = Scenario("pure noise")
    return [
        noise,
        replace(noise, name="pure noise, raced", racing=True),
        replace(noise, name="pure noise, skewed", noise=skewed),
        replace(noise, name="pure noise, 50 items", confirm=50),
        replace(
            noise,
            name="gain of exactly min_gain everywhere",
            gains=dict.fromkeys(range(8), 0.2),
            min_gain=0.2,
        ),
        replace(
            noise,
            name="large gain, guard at its margin everywhere",
            gains=dict.fromkeys(range(8), 1.0),
            guard=True,
        ),
        replace(noise, name="pure noise, 3 runs", runs=3),
        replace(noise, name="pure noise, 3 runs that chase the best estimate", runs=3, chasing=True),
        replace(noise, name="rung 1 of 8 gains 0.4", gains={0: 0.4}),
        replace(noise, name="rung 4 of 8 gains 0.4", gains={3: 0.4}),
        replace(noise, name="rung 4 of 8 gains 0.4, raced", gains={3: 0.4}, racing=True),
        replace(noise, name="rung 8 of 8 gains 0.3", gains={7: 0.3}),
        replace(noise, name="rung 4 of 8 gains 0.5, min_gain 0.1", gains={3: 0.5}, min_gain=0.1),
    ]


def markdown(results: list[Result]) -> str:
    """The table of results."""
    lines = [
        "| ladders | shipped wrongly | 95% interval | right rung | power stated | looks | naive way ships |",
        "|" + "---|" * 7,
    ]
    for r in results:
        low, high = r.interval
        effect = not math.isnan(r.stated)
        right = f"{r.right / r.ladders:.3f} | {r.stated:.3f}" if effect else "- | -"
        lines.append(
            f"| {r.name} | {r.rate:.4f} | {low:.4f} to {high:.4f} | {right} | {r.looks:.1f} | {r.naive:.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the whole table, print it, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ladders", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="names that contain this text")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file to write")
    args = parser.parse_args()
    started = time.perf_counter()
    wanted = [s for s in scenarios() if args.only in s.name]
    results = [measure(scenario, args.ladders, args.seed + i) for i, scenario in enumerate(wanted)]
    print(markdown(results))
    print(f"\n{args.ladders} ladders each, {time.perf_counter() - started:.0f} s")
    if args.out:
        rows = [asdict(r) | {"rate": r.rate, "interval": r.interval} for r in results]
        text = json.dumps(plain({"ladders": args.ladders, "seed": args.seed, "results": rows}), indent=1)
        args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
