"""Simulated traffic: false alarms of quiet streams, and how long planted changes take to be noticed.

    python bench/drift.py quiet --streams 1000      # one figure: false alarms by kind and size of baseline
    python bench/drift.py planted --streams 200     # one figure: delays beside those stated, and beside two rivals
    python bench/drift.py whole --streams 1000      # answers as text, all figures watched together
    python bench/drift.py people --streams 200      # weekly samples that people judge: false alarms, and delays
    python bench/drift.py meaning FILE=COLUMN FILE=COLUMN   # real questions, some replaced by those of the second file

The rivals: `interval` bets against the far end of an interval of the baseline's mean (Clopper and Pearson for shares,
else by betting), half of alpha spent on it; `even` puts in 1 / horizon at every row, so that alpha holds up to the
horizon alone. For meaning the rival bets on pairs of a new text and one of the baseline, each used once (Shekhar and
Ramdas 2023), by the direction in which those so far differ.
"""

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from trimtab.measure.rows import read
from trimtab.model.sentences import default_encoder
from trimtab.stats import win_rate
from trimtab.stats.betting import betting
from trimtab.stats.levels import level_from_alpha, series_alpha
from trimtab.stats.sequential import begun, noticed, rows_to_notice
from trimtab.stats.sequential.capital import STAKED, Capital, grown
from trimtab.stats.sequential.ranks import paid, ranks
from trimtab.watch import Traffic, baseline, begin, look
from trimtab.watch.baseline import LEARNED
from trimtab.watch.features import COSINE
from trimtab.watch.meaning import landmarks

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Draw = Callable[[np.random.Generator, int], Codes]
ALPHA = 0.05
# The part of one of five figures that are watched together.
PART = 0.01
HORIZON = 100_000


def share(p: float) -> Draw:
    """0/1 values, 1 with probability p."""
    return lambda rng, n: (rng.random(n) < p).astype(np.int64)


def normal(mean: float) -> Draw:
    """Normal values around `mean` standard deviations on a grid of 1001."""
    return lambda rng, n: np.clip(np.rint(rng.normal(500 + 100 * mean, 100, n)), 0, 1000).astype(np.int64)


def lengths(middle: float) -> Draw:
    """Lengths in words, skewed, on a grid of 201."""
    return lambda rng, n: np.clip(np.rint(rng.lognormal(math.log(middle), 0.5, n)), 0, 200).astype(np.int64)


QUIET = {
    "share 0.02": (share(0.02), 2),
    "share 0.3": (share(0.3), 2),
    "normal": (normal(0), 1001),
    "length": (lengths(40), 201),
}
PLANTED = {
    "share 0.02 to 0.12": (share(0.02), share(0.12), 2),
    "share 0.1 to 0.3": (share(0.1), share(0.3), 2),
    "share 0.3 to 0.1": (share(0.3), share(0.1), 2),
    "normal, 0.5 sd up": (normal(0), normal(0.5), 1001),
    "normal, 1 sd up": (normal(0), normal(1), 1001),
    "normal, 1 sd down": (normal(0), normal(-1), 1001),
    "length, half as long again": (lengths(40), lengths(60), 201),
}


def first(evidence: Array, alpha: float) -> float:
    """The row, from 1, at which the evidence gives the alarm; infinite where it never does."""
    found = np.flatnonzero(evidence >= math.log(1 / alpha))
    return float(found[0]) + 1 if len(found) else math.inf


def quiet(streams: int, rows: int) -> None:
    """The share of quiet streams that give a false alarm at alpha = 0.05, after so many rows."""
    print(
        f"| figure | baseline | false alarms of {streams} streams of {rows} rows, alpha {ALPHA} |\n|---|---|---|"
    )
    for name, (draw, codes) in QUIET.items():
        for size in (30, 150):
            rng = np.random.default_rng(1)
            alarms = 0
            for seed in range(streams):
                alarms += (
                    first(noticed(begun(draw(rng, size), codes, seed), draw(rng, rows))[1], ALPHA) < math.inf
                )
            print(f"| {name} | {size} | {alarms / streams:.3f} |", flush=True)


def interval_rival(before: Codes, rows: Codes, codes: int, alpha: float) -> float:
    """The first alarm of bets against the ends of an interval of the baseline's mean."""
    x, y, n = before / (codes - 1), rows / (codes - 1), len(before)
    error = alpha / 4
    if codes == 2:
        ones = int(x.sum())
        low = float(betaincinv(ones, n - ones + 1, error)) if ones else 0.0
        high = 1 - (float(betaincinv(n - ones, ones + 1, error)) if ones < n else 0.0)
    else:
        low, high = betting(x, error, planned=n).bounds(error)
    _, evidence = grown(Capital.none(2), np.stack([y / high, (1 - y) / (1 - low)]))
    return first(evidence, alpha / 2)


def even_rival(before: Codes, rows: Codes, codes: int, alpha: float, seed: int) -> float:
    """The first alarm with the same bets, where 1 / horizon is put in at every row."""
    chances = np.random.default_rng(seed).random(len(rows))
    pays = paid(ranks(np.bincount(before, minlength=codes), rows, chances)[0])
    gains = np.log1p(STAKED[None, :, None] * (pays[:, None, :] - 1)).reshape(-1, len(rows))
    won = np.cumsum(gains, axis=1)
    held = np.logaddexp.accumulate(-math.log(HORIZON) - (won - gains), axis=1) + won
    return first(np.logaddexp.reduce(held, axis=0) - math.log(len(held)), alpha)


def planted(streams: int, rows: int) -> None:
    """Delays of changes that come after so many quiet rows, at alpha = 0.01, one figure's part of five."""
    print(
        "| change | baseline | quiet rows | stated | noticed within it | noticed | median | interval | even |"
    )
    print("|" + "---|" * 9)
    for name, (draw, after, codes) in PLANTED.items():
        for size, before in ((150, 0), (150, 1000), (150, 10_000), (600, 0)):
            rng = np.random.default_rng(1)
            shape = np.bincount(after(rng, 100_000), minlength=codes) / 100_000
            found, said = [], []
            for seed in range(streams):
                base, stream = draw(rng, size), np.concatenate([draw(rng, before), after(rng, rows)])
                counts = np.bincount(np.concatenate([base, stream[:before]]), minlength=codes)
                if seed < 20:
                    said.append(rows_to_notice(counts, shape, PART, before))
                found.append(
                    (
                        first(noticed(begun(base, codes, seed), stream)[1], PART) - before,
                        interval_rival(base, stream, codes, PART) - before,
                        even_rival(base, stream, codes, PART, seed) - before,
                    )
                )
            print(_planted_row(name, (size, before), np.array(found), float(np.median(said))), flush=True)


def _planted_row(name: str, setting: tuple[int, int], found: Array, stated: float) -> str:
    true = found[found[:, 0] > 0]
    told = [f"{(one < math.inf).mean():.2f}, {np.median(one):.0f}" for one in true.T]
    noticed_, middle = told[0].split(", ")
    within = f"{(true[:, 0] <= stated).mean():.2f}" if stated < math.inf else "-"
    said = f"{stated:.0f}" if stated < math.inf else "none"
    cells = (name, *map(str, setting), said, within, noticed_, middle, *told[1:])
    return f"| {' | '.join(cells)} |"


ANSWER = (
    "we",
    "can",
    "help",
    "with",
    "your",
    "order",
    "and",
    "the",
    "parcel",
    "is",
    "on",
    "its",
    "way",
    "now",
)


def made(
    rng: np.random.Generator,
    n: int,
    *,
    refusals: float = 0.05,
    words: float = 20,
    confidence: float | None = 0.7,
    fired: float = 0.1,
    praise: float = 0.0,
    first: int = 0,
    stack: str = "",
) -> list[Traffic]:
    """Rows of made traffic from number `first` on, a minute apart; `words`: the middle length of an answer."""
    rows = []
    for number in range(first, first + n):
        text = " ".join(rng.choice(ANSWER, max(1, int(rng.lognormal(math.log(words), 0.4)))))
        text = f"I'm sorry, but I can't help with that. {text}" if rng.random() < refusals else text
        rules = ("rule",) if rng.random() < fired else ()
        sure = None if confidence is None else float(np.clip(rng.normal(confidence, 0.1), 0, 1))
        if praise and rng.random() < praise:
            text += ", what a wonderful and lovely day"
        when = f"2026-01-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00"
        rows.append(Traffic(when, "Where is it?", text, sure, rules, stack))
    return rows


def whole(streams: int, rows: int) -> None:
    """False alarms of all figures of an answer together, and of a change in one of them."""
    print(
        f"| baseline of 100 rows, a look every 50 rows | streams | alarms within {rows} rows |\n|---|---|---|"
    )
    for name, count, change in (
        ("quiet", streams, {}),
        ("refusals 0.05 to 0.35", 50, {"refusals": 0.35}),
        ("half as many words again", 50, {"words": 30}),
    ):
        rng, alarms = np.random.default_rng(1), 0
        for _ in range(count):
            before = baseline(made(rng, 100), alpha=ALPHA)
            watch = begin(before)
            for _ in range(0, rows, 50):
                watch = look(before, watch, made(rng, 50, **change))
                if watch.alarms:
                    break
            alarms += bool(watch.alarms)
        print(f"| {name} | {count} | {alarms / count:.3f} |", flush=True)


def people(courses: int, weeks: int = 26, items: int = 50) -> None:
    """Weekly samples of 50 answers, each judged by two of six people, read after every ten: false alarms and delays.

    An answer's chance to be preferred is drawn around the week's mean; people lean by 0.05 (standard deviation).
    """
    print(
        "| preferred before, after week 4 | courses | shown worse within 26 weeks | weeks after it, median |"
    )
    print("|---|---|---|---|")
    for before, after, count in ((0.5, 0.5, courses), (0.6, 0.4, courses // 4), (0.6, 0.3, courses // 4)):
        rng, found = np.random.default_rng(1), []
        for _ in range(count):
            leaning = rng.normal(0, 0.05, 6)
            leaning -= leaning.mean()
            means = [before] * 4 + [after] * (weeks - 4)
            found.append(
                next((k for k, mean in enumerate(means, 1) if worse(rng, mean, leaning, k, items)), 0)
            )
        late = [week - 4 for week in found if week > 4]
        shown = np.mean([week > 0 for week in found])
        middle = f"{np.median(late):.0f}" if before != after and late else "-"
        print(f"| {before:g}, {after:g} | {count} | {shown:.3f} | {middle} |", flush=True)


def worse(rng: np.random.Generator, mean: float, leaning: Array, number: int, items: int) -> bool:
    """Whether sample `number` shows the adjusted model to be preferred less, at any of the looks at it."""
    chance = np.clip(mean + rng.normal(0, 0.2, items), 0, 1)
    raters = np.array([rng.permutation(len(leaning))[:2] for _ in range(items)])
    said = (rng.random((items, 2)) < np.clip(chance[:, None] + leaning[raters], 0, 1)).astype(float)
    ids = np.repeat(np.arange(items), 2)
    level = level_from_alpha(series_alpha(ALPHA, number))
    for seen in range(10, items + 1, 10):
        part = slice(0, 2 * seen)
        told = win_rate(
            said.ravel()[part],
            ids[part].tolist(),
            raters.ravel()[part].tolist(),
            level=level,
            sequential=items,
        )
        if told.outcome == "worse":
            return True
    return False


def vectors_of(place: str, most: int) -> np.ndarray:
    """Vectors of texts of a column of a file, drawn by a seed."""
    path, _, column = place.rpartition("=")
    texts = sorted({str(row[column])[:400] for row in read(path)})
    chosen = np.random.default_rng(0).permutation(len(texts))[:most]
    return np.asarray(
        default_encoder().embed_all(tuple(texts[number] for number in chosen)), dtype=np.float64
    )


def meaning(known: str, other: str, streams: int, rows: int) -> None:
    """Delays where a share of questions is replaced by other ones, at alpha = 0.01."""
    usual, strange = vectors_of(known, 2500), vectors_of(other, 400)
    print("| replaced | baseline | quiet rows | noticed, median | pairs: noticed, median | false alarms |")
    print("|" + "---|" * 6)
    for part in (0.0, 0.1, 0.25, 0.5):
        for size, before in ((120, 0), (120, 600), (300, 0)):
            rng, found = np.random.default_rng(1), []
            for seed in range(streams):
                drawn = usual[rng.permutation(len(usual))[: size + before + rows]]
                new = np.flatnonzero(rng.random(len(drawn)) < part)
                new = new[new >= size + before]
                drawn[new] = strange[rng.integers(0, len(strange), len(new))]
                found.append((ours(drawn, size, seed) - before, paired_rival(drawn, size) - before))
            times = np.array(found)
            true = times[times[:, 0] > 0]
            told = [f"{(one < math.inf).mean():.2f}, {np.median(one):.0f}" for one in true.T]
            early = 1 - len(true) / len(times)
            print(f"| {part:.0%} | {size} | {before} | {told[0]} | {told[1]} | {early:.2f} |", flush=True)


def ours(drawn: Array, size: int, seed: int) -> float:
    """The first alarm of the figures of meaning."""
    taught = int(LEARNED * size)
    known = landmarks(drawn[:taught])
    kept, stream = known.figures(drawn[taught:size]), known.figures(drawn[size:])
    alarms = []
    for name, values in kept.items():
        start = begun(COSINE.place(values), COSINE.codes, seed)
        alarms.append(first(noticed(start, COSINE.place(stream[name]))[1], PART / len(kept)))
    return min(alarms)


def paired_rival(drawn: Array, size: int, batch: int = 20) -> float:
    """The first alarm of bets on pairs, by the direction from the baseline's texts so far to the newest 200."""
    pairs = min(size, len(drawn) - size)
    old, new = drawn[:pairs], drawn[size : size + pairs]
    pays = np.ones(pairs)
    for start in range(batch, pairs, batch):
        direction = new[max(0, start - 200) : start].mean(axis=0) - old[:start].mean(axis=0)
        seen = np.concatenate([old[:start], new[:start]]) @ direction
        low, high = np.quantile(seen, [0.05, 0.95])
        one, two = (
            np.clip((v[start : start + batch] @ direction - low) / (high - low), 0, 1) for v in (new, old)
        )
        pays[start : start + batch] = 1 + one - two
    return first(grown(Capital.none(1), pays[None])[1], PART)


def main() -> None:
    """Run one table and print it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", choices=("quiet", "planted", "whole", "people", "meaning"))
    parser.add_argument("files", nargs="*", help="for meaning: two files, each with =COLUMN")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1000)
    args = parser.parse_args()
    started = time.perf_counter()
    if args.part == "meaning":
        meaning(*args.files, args.streams, args.rows)
    else:
        parts = {"quiet": quiet, "planted": planted, "whole": whole, "people": lambda n, _: people(n)}
        parts[args.part](args.streams, args.rows)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
