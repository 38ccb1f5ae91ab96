"""Dose and effect of steering on the embedded model: more of a tone or of brevity, until the text falls apart.

    python bench/steering.py [--direction brevity]

One of two directions (directions.py): fit it from its pairs and print how well each block tells them apart; try the two
best blocks at a few strengths on the items for choosing, and take the block with the largest score, and the strength
where it has it; then answer other items, once, at every strength, greedy. Each is held against strength 0 on the same
items, and what comes after the peak against the peak, in intervals whose level pays for all strengths of a curve.
Writes bench/out/steering.json and draws docs/steering.svg; of brevity, steering-brevity.json and its picture beside it.
A few minutes on two cores that do nothing else.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import directions
from chart import Panel, Series, draw
from directions import Direction
from record import OUT, write
from trimtab import stats
from trimtab.adjust.contrast import Survey, survey
from trimtab.adjust.stack import Stack
from trimtab.adjust.steering import Shape, of_survey
from trimtab.decide import dose
from trimtab.language.text import words
from trimtab.measure.registry import find
from trimtab.model.load import Base, load
from trimtab.records import NAN, Comparison, Example, Sampling, plain

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "steering.svg"
BLOCKS = 2
TRIED = (0.1, 0.2, 0.3, 0.5)
STRENGTHS = (-0.2, 0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
BOUNDS = {"repetition": (0.0, 1.0), "distinct": (0.0, 1.0), "right": (0.0, 1.0)}
HEADS = {
    "target": "score",
    "words": "words",
    "distinct": "distinct-2",
    "repetition": "repeated-4",
    "nats": "nats",
}
DIRECTIONS = {"tone": directions.tone, "brevity": directions.brevity}
BLUE, RED, GREEN = "#0b5fa5", "#c2410c", "#3f7d20"


@dataclass(frozen=True)
class Answers:
    """Answers to the items at one strength, and what was measured of each: name -> a value an item."""

    strength: float
    texts: list[str]
    scores: dict[str, list[float]]


def answered(
    base: Base, direction: Direction, items: Sequence[Example], stack: Stack, strength: float
) -> Answers:
    """Answers of a stack, measured: target, length and language; nan where an answer is too short to measure."""
    with stack.attach(base) as generate:
        texts = [output.text for output in generate(items, Sampling(max_new_tokens=direction.tokens))]
    distinct, repetition = find("distinct", {}), find("repetition", {})
    pairs = list(zip(items, texts, strict=True))
    with Stack().attach(base) as unsteered:
        told = iter(unsteered.likelihood([(item.messages, text) for item, text in pairs if text]))
    nats = [-total / count for total, count in (next(told) if text else (NAN, 1) for text in texts)]
    scores = {
        "target": [direction.score(*pair) for pair in pairs],
        "words": [float(len(words(text))) for text in texts],
        "distinct": [distinct.score(*pair) for pair in pairs],
        "repetition": [repetition.score(*pair) for pair in pairs],
        "nats": nats,
    }
    if items[0].references:
        scores["right"] = [float(directions.right(*pair)) for pair in pairs]
    return Answers(strength, texts, scores)


def compared(direction: Direction, before: Answers, after: Answers, name: str, level: float) -> Comparison:
    """Paired difference of a measure over the items where both answers have it; plus is more."""
    both = [
        pair
        for pair in zip(before.scores[name], after.scores[name], strict=True)
        if not math.isnan(sum(pair))
    ]
    bounds = direction.bounds if name == "target" else BOUNDS.get(name)
    return stats.compare([one for one, _ in both], [two for _, two in both], level=level, bounds=bounds)


def chosen(base: Base, direction: Direction, found: Survey) -> tuple[int, float, list[dict[str, float]]]:
    """Block and strength with the largest mean score on the items for choosing, and all that were tried."""
    tried = []
    for block in found.best(BLOCKS):
        one = of_survey(base, found, Shape(blocks=(block,)))
        for strength in TRIED:
            answers = answered(base, direction, direction.explore, Stack((one.scaled(strength),)), strength)
            tried.append({"block": block, "strength": strength, **_means(answers)})
            print(f"{block:8}{_row(answers)}", flush=True)
    best = max(tried, key=lambda row: row["target"])
    return int(best["block"]), best["strength"], tried


def curve(base: Base, direction: Direction, found: Survey, block: int) -> list[Answers]:
    """The answers to the items for confirming at every strength."""
    one = of_survey(base, found, Shape(blocks=(block,)))
    points = []
    for strength in STRENGTHS:
        points.append(answered(base, direction, direction.confirm, Stack((one.scaled(strength),)), strength))
        print(f"{'':8}{_row(points[-1])}", flush=True)
    return points


def judged(direction: Direction, points: Sequence[Answers], peak: float) -> list[dict[str, Any]]:
    """Each strength against 0, and each one after the peak against the peak."""
    level = dose.level([point.strength for point in points])
    zero, top = (next(p for p in points if p.strength == strength) for strength in (0.0, peak))
    rows = []
    for point in points:
        row = {"strength": point.strength, **_means(point), "answers": point.texts[:2]}
        if point is not zero:
            row["against_0"] = {
                name: plain(compared(direction, zero, point, name, level).difference) for name in point.scores
            }
        if point.strength > peak:
            row["against_peak"] = plain(compared(direction, top, point, "target", level).difference)
        rows.append(row)
    return rows


def told(direction: Direction, rows: Sequence[dict[str, Any]], peak: float) -> None:
    """Print the differences with their intervals."""
    print(f"differences from strength 0, {len(direction.confirm)} items: {direction.measured}")
    for row in rows:
        if "against_0" in row:
            said = "; ".join(f"{name} {_interval(one)}" for name, one in row["against_0"].items())
            after = (
                f"; target from the peak {_interval(row['against_peak'])}" if row["strength"] > peak else ""
            )
            print(f"{row['strength']:8.2f}  {said}{after}")


def panels(direction: Direction, block: int, rows: Sequence[dict[str, Any]]) -> tuple[Panel, Panel]:
    """The score, and what is left of the language, against strength; bars are those of the paired differences."""
    zero = next(row for row in rows if row["strength"] == 0)

    def series(name: str, key: str, colour: str) -> Series:
        # All but the score lie above 0.
        least = -math.inf if key == "target" else 0.0
        xs, ys = ([row[name] for row in rows] for name in ("strength", key))
        bars = [_bar(row[key], row.get("against_0", {}).get(key), least) for row in rows]
        return Series(name, xs, ys, colour, bars=bars, level=zero[key])

    unit = "strength, typical activation norms"
    target = Panel(
        f"{direction.name.capitalize()}, block {block}", unit, direction.measured,
        (series(f"{direction.name}, {len(direction.confirm)} items", "target", BLUE),), log=False,
    )  # fmt: skip
    language = Panel(
        "Language of these answers", unit, "nats a token; shares",
        (
            series("nats a token, unsteered", "nats", RED),
            series("distinct bigrams", "distinct", BLUE),
            series("repeated 4-grams", "repetition", GREEN),
        ), log=False,
    )  # fmt: skip
    return target, language


def studied(base: Base, direction: Direction) -> dict[str, Any]:
    """Survey, choose, confirm; what the JSON holds."""
    started = time.monotonic()
    found = survey(base, direction.contrasts(base))
    print(f"\n{direction.name}\n{'block':>8}{'norm':>9}{'agreement':>11}{'separation':>12}{'':>18}{'AUC':>6}")
    for layer in found.layers:
        known = layer.separation
        print(f"{layer.block:8}{layer.norm:9.1f}{layer.agreement:11.2f}{known.value:12.2f}"
              f"{f'{known.low:.2f} to {known.high:.2f}':>18}{layer.auc:6.2f}")  # fmt: skip
    print(f"{'block':>8}{'strength':>9}" + "".join(f"{head:>12}" for head in HEADS.values()))
    plain_answers = answered(base, direction, direction.explore, Stack(), 0.0)
    print(f"{'none':>8}{_row(plain_answers)}")
    block, peak, tried = chosen(base, direction, found)
    print(f"block {block}, largest at {peak:g}; confirming on other items")
    rows = judged(direction, curve(base, direction, found, block), peak)
    told(direction, rows, peak)
    return {
        "name": direction.name,
        "measured": direction.measured,
        "pairs": found.pairs,
        "layers": plain(found.layers),
        "explore": {"items": len(direction.explore), "unsteered": _means(plain_answers), "tried": tried},
        "block": block,
        "peak": peak,
        "confirm": {"items": len(direction.confirm), "level": dose.level(STRENGTHS), "doses": rows},
        "seconds": round(time.monotonic() - started, 1),
    }


def main() -> int:
    """One direction, its JSON and its picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--direction", choices=DIRECTIONS, default="tone", help="what is steered towards")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    direction = DIRECTIONS[options.direction]()
    base = load(threads=options.threads)
    result = studied(base, direction)
    file, picture = OUT / f"steering-{direction.name}.json", OUT / f"steering-{direction.name}.svg"
    if direction.name == "tone":
        file, picture = OUT / "steering.json", PICTURE
    write({"case": "steering", "dtype": base.dtype.value, "threads": base.threads.value, **result}, file)
    drawn = panels(direction, result["block"], result["confirm"]["doses"])
    picture.write_text(draw(drawn), encoding="utf-8")
    return 0


def _bar(value: float, difference: dict[str, Any] | None, least: float) -> tuple[float, float]:
    """The interval of a point, from that of its difference; of no length where there is none."""
    if difference is None or difference["undefined"]:
        return value, value
    start = value - difference["value"]
    return max(least, start + difference["low"]), start + difference["high"]


def _means(answers: Answers) -> dict[str, float]:
    """Mean of each measure over the answers that have it; 0 where none has."""
    return {
        name: statistics.mean([value for value in values if value == value] or [0.0])
        for name, values in answers.scores.items()
    }


def _row(answers: Answers) -> str:
    means = _means(answers)
    return f"{answers.strength:9.2f}" + "".join(f"{means[name]:12.2f}" for name in HEADS)


def _interval(found: dict[str, Any]) -> str:
    if found["undefined"]:
        return f"undefined ({found['undefined']})"
    return f"{found['value']:+.2f} ({found['low']:+.2f} to {found['high']:+.2f}, n={found['n']})"


if __name__ == "__main__":
    sys.exit(main())
