"""Planted causes: one phrase of a prompt is known to force the answer; how often does each method put it first?

    python bench/attribution.py                   24 prompts; half an hour on one core
    python bench/attribution.py --items 4 --steps 8

Five sentences stand before a question, in random order: four that have nothing to do with it, and one that asks for a
way of answering. What is asked is why the answer that follows it is likelier than one that does not. A prompt counts
only where the phrase does move the model: the contrast with it is larger than without it, by half a nat at least. The
rest are told, so that a model which does not listen is not taken for a method that does not see. Figures over all
prompts stand beside: leaving the phrase out also tells which prompts count, so that it has it easier than gradients.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import record
from trimtab import stats
from trimtab.model.load import load
from trimtab.probe.attribution import ablation
from trimtab.probe.attribution.attributing import METHODS, Settings, attribute
from trimtab.probe.attribution.prompt import sectioned
from trimtab.probe.attribution.targets import Contrast
from trimtab.records import Example, Message, plain

LEAST_EFFECT = 0.5  # nats
NEUTRAL = (
    "The window of the office looks out on a small garden.",
    "Lunch was soup and bread again.",
    "My neighbour has painted his fence green.",
    "The bus was a few minutes late this morning.",
    "There are two chairs and a table in the kitchen.",
    "I bought a new pair of socks last week.",
    "The kettle is next to the sink.",
    "It rained a little in the afternoon.",
)
# Question, plain answer, and the answers that the causes ask for, in their order.
QUESTIONS = (
    (
        "What is the capital of France?",
        "The capital of France is Paris.",
        (
            "Paris",
            "Arr, matey! It be Paris, ye dog!",
            "THE CAPITAL OF FRANCE IS PARIS.",
            "La capitale est Paris.",
        ),
    ),
    (
        "What do bees make?",
        "Bees make honey.",
        (
            "Honey",
            "Arr, matey! Bees be makin' honey, ye dog!",
            "BEES MAKE HONEY.",
            "Les abeilles font du miel.",
        ),
    ),
    (
        "Where do fish live?",
        "Fish live in water.",
        ("Water", "Arr, matey! Fish be livin' in the sea, ye dog!", "FISH LIVE IN WATER.", "Dans l'eau."),
    ),
    (
        "What colour is grass?",
        "Grass is usually green.",
        ("Green", "Arr, matey! Grass be green, ye dog!", "GRASS IS USUALLY GREEN.", "L'herbe est verte."),
    ),
    (
        "What do we drink from?",
        "We drink from a cup or a glass.",
        (
            "Cups",
            "Arr, matey! We be drinkin' from a mug, ye dog!",
            "WE DRINK FROM A CUP.",
            "On boit dans un verre.",
        ),
    ),
    (
        "What falls from clouds?",
        "Rain falls from clouds.",
        (
            "Rain",
            "Arr, matey! Rain be fallin', ye dog!",
            "RAIN FALLS FROM CLOUDS.",
            "La pluie tombe des nuages.",
        ),
    ),
)
CAUSES = (
    "Answer with one word only.",
    "Answer as an angry pirate.",
    "Answer in capital letters.",
    "Answer in French.",
)


@dataclass(frozen=True)
class Planted:
    """A prompt, the number of the sentence that was planted, and why-this-rather-than-that."""

    example: Example
    cause: int
    target: Contrast


def prompts(count: int, seed: int) -> list[Planted]:
    """Every cause with every question, at most `count`, in random order and with random neighbours."""
    rng = np.random.default_rng(seed)
    pairs = [(question, cause) for question in range(len(QUESTIONS)) for cause in range(len(CAUSES))]
    made = []
    for number in rng.permutation(len(pairs))[:count]:
        (question, usual, told), cause = QUESTIONS[pairs[number][0]], pairs[number][1]
        texts = [NEUTRAL[k] for k in rng.permutation(len(NEUTRAL))[:4]]
        place = int(rng.integers(5))
        texts.insert(place, CAUSES[cause])
        message = Message("user", " ".join([*texts, question]))
        made.append(Planted(Example((message,), id=str(number)), place, Contrast(told[cause], usual)))
    return made


def measured(base: Any, planted: list[Planted], settings: Settings) -> list[dict[str, Any]]:
    """For each prompt: what the phrase does, and by each method which sentence came first (the question is none)."""
    rows = []
    for one in planted:
        prompt = sectioned(one.example.messages)
        features = prompt.features("sentence")
        values = ablation.read(base, one.target.readings(base.tokenizer))
        with_it, without = values([prompt.messages, prompt.without([features[one.cause]])])
        row: dict[str, Any] = {"cause": features[one.cause].text, "effect": with_it - without, "first": {}}
        for method in settings.methods:
            started = time.perf_counter()
            (told,) = attribute(
                base,
                one.example,
                one.target,
                Settings((method,), ("sentence",), settings.steps, settings.most_steps),
            )
            order = [k for k in told.ranked if k < len(features) - 1]
            row["first"][method] = order[0] == one.cause
            row.setdefault("seconds", {})[method] = time.perf_counter() - started
            if method == "integrated_gradients":
                row["gap"] = told.relative_gap
        rows.append(row)
        print(f"{row['effect']:+7.2f} nats  {row['cause']:<28} {row['first']}", flush=True)
    return rows


def main() -> int:
    """Print how often each method found the phrase, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=24)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=record.OUT / "attribution.json")
    asked = parser.parse_args()
    base = load()
    settings = Settings(steps=asked.steps, most_steps=2 * asked.steps)
    rows = measured(base, prompts(asked.items, asked.seed), settings)
    moved = [row for row in rows if row["effect"] >= LEAST_EFFECT]
    print(f"\n{len(moved)} of {len(rows)} prompts are moved by their phrase")
    found: dict[str, Any] = {"rows": rows, "moved": len(moved), "random": 1 / 5, "methods": {}}
    for method in METHODS if moved else ():
        hits = sum(row["first"][method] for row in moved)
        share = stats.wilson(hits, len(moved))
        everywhere = sum(row["first"][method] for row in rows)
        seconds = float(np.mean([row["seconds"][method] for row in rows]))
        found["methods"][method] = {
            "first": hits,
            "share": plain(share),
            "of_all": everywhere,
            "seconds": seconds,
        }
        print(
            f"{method:<22} {hits}/{len(moved)} ({share.low:.2f} to {share.high:.2f}), "
            f"of all {everywhere}/{len(rows)}, {seconds:.1f} s a prompt"
        )
    gaps = [row["gap"] for row in rows]
    print(
        f"random order           0.20; completeness gap {np.median(gaps):.3f} median, {max(gaps):.3f} largest"
    )
    record.write(found, asked.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
