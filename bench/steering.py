"""Dose and effect of steering on the embedded model: more of a tone, until the text falls apart.

    python bench/steering.py

The demo's products (CC0) each have a list of facts, a promotional text and a neutral one. Directions are fitted from 40
pairs of these texts after the same question (or, with --pairs instructions, of the model's own answers under two system
turns), and the block is the one of the middle half that tells them apart best, all before anything is sampled. Then the
model answers 20 other questions at each strength, greedy, 40 new tokens, and the answers are measured: promotional
words and exclamation marks per 100 words, words, distinct bigrams, repeated 4-grams, and nats a token of the answers
under the model without steering. Writes bench/out/steering.json and docs/steering.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trimtab.starter
from chart import Panel, Series, draw
from record import OUT, write
from trimtab.adjust.contrast import Contrast, Survey, survey
from trimtab.adjust.stack import Stack
from trimtab.adjust.steering import Shape, of_survey
from trimtab.language.text import words
from trimtab.measure import phrases
from trimtab.measure.registry import find
from trimtab.model import likelihood
from trimtab.model.load import Base, load
from trimtab.records import Example, Message, Output, Sampling

PRODUCTS = Path(trimtab.starter.__file__).resolve().parents[1] / "demo" / "products.jsonl"
PICTURE = Path(__file__).resolve().parents[1] / "docs" / "steering.svg"
PAIRS, ASKED, TOKENS = 40, 20, 40
STRENGTHS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
POSITIVE = "You write enthusiastic advertisements, full of superlatives and exclamation marks."
NEGATIVE = "You write dry, factual, neutral descriptions without any praise."


def question(product: dict[str, Any], instruction: str = "") -> tuple[Message, ...]:
    """What is asked about a product."""
    facts = ", ".join(f"{name}: {value}" for name, value in product["spec"].items())
    asked = Message("user", f"Describe this product in a few sentences. {product['name']}, {facts}.")
    return (Message("system", instruction), asked) if instruction else (asked,)


def contrasts(base: Base, products: Sequence[dict[str, Any]], source: str) -> list[Contrast]:
    """Pairs of texts about the same products: those of the demo, or the model's own under two instructions."""
    if source == "texts":
        sides = [[(question(p), p[side]) for p in products] for side in ("promotional", "neutral")]
    else:
        sides = []
        for instruction in (POSITIVE, NEGATIVE):
            asked = [Example(question(p, instruction), id=p["id"]) for p in products]
            with Stack().attach(base) as generate:
                outputs = generate(asked, Sampling(max_new_tokens=TOKENS))
            sides.append([(e.messages, o.text) for e, o in zip(asked, outputs, strict=True)])
    rows = [[likelihood.row(base, *text) for text in side] for side in sides]
    return [Contrast(good, bad) for good, bad in zip(*rows, strict=True)]


def measured(base: Base, examples: Sequence[Example], outputs: Sequence[Output]) -> dict[str, float]:
    """What the answers are like, on average over answers; the rate over all words."""
    texts = [output.text for output in outputs]
    hype = phrases.pattern(phrases.built_in("hype"))
    count = sum(phrases.count(hype, text) + text.count("!") for text in texts)
    with Stack().attach(base) as plain:
        told = plain.likelihood([(e.messages, text) for e, text in zip(examples, texts, strict=True) if text])
    distinct, repetition = find("distinct", {}), find("repetition", {})
    varied = [distinct.score(e, text) for e, text in zip(examples, texts, strict=True)]
    return {
        "promotional": 100 * count / max(1, sum(len(words(text)) for text in texts)),
        "words": statistics.mean(len(words(text)) for text in texts),
        "distinct": statistics.mean(value for value in varied if value == value) if any(texts) else 0.0,
        "repetition": statistics.mean(repetition.score(e, t) for e, t in zip(examples, texts, strict=True)),
        "nll": -sum(total for total, _ in told) / max(1, sum(tokens for _, tokens in told)),
    }


def doses(
    base: Base, found: Survey, block: int, products: Sequence[dict[str, Any]], strengths: Sequence[float]
) -> list[dict[str, Any]]:
    """The answers of each strength, measured."""
    one = of_survey(base, found, Shape(blocks=(block,)))
    examples = [Example(question(p), id=p["id"]) for p in products]
    points = []
    print(f"{'strength':>8}{'promotional':>13}{'words':>8}{'distinct-2':>12}{'repeated-4':>12}{'nats':>7}")
    for strength in strengths:
        with Stack((one.scaled(strength),)).attach(base) as generate:
            outputs = generate(examples, Sampling(max_new_tokens=TOKENS))
        point = {"strength": strength, **measured(base, examples, outputs), "answer": outputs[0].text}
        points.append(point)
        print(f"{strength:8.2f}{point['promotional']:13.1f}{point['words']:8.1f}{point['distinct']:12.2f}"
              f"{point['repetition']:12.2f}{point['nll']:7.2f}")  # fmt: skip
    return points


def picture(points: Sequence[dict[str, Any]], block: int) -> str:
    """Tone, and what is left of the language, against strength."""
    xs = [point["strength"] for point in points]

    def series(name: str, key: str, colour: str) -> Series:
        return Series(name, xs, [point[key] for point in points], colour)

    unit = "strength, typical activation norms"
    return draw(
        (
            Panel(
                f"Tone, steering block {block}",
                unit,
                "promotional words and ! per 100 words",
                (series("promotional", "promotional", "#0b5fa5"),),
                log=False,
            ),
            Panel(
                "Language",
                unit,
                "nats a token; share of bigrams",
                (
                    series("nats under the base", "nll", "#c2410c"),
                    series("distinct bigrams", "distinct", "#0b5fa5"),
                ),
                log=False,
            ),
        )
    )


def main() -> int:
    """Survey, dose, write JSON and picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pairs", choices=["texts", "instructions"], default="texts", help="what to fit from"
    )
    parser.add_argument("--block", type=int, help="block to steer, instead of the best separated one")
    parser.add_argument("--strengths", type=float, nargs="+", default=STRENGTHS, help="doses")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    parser.add_argument("--json", type=Path, default=OUT / "steering.json", help="where the result goes")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where the picture goes")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    started = time.monotonic()
    base = load(threads=options.threads)
    products = [json.loads(line) for line in PRODUCTS.read_text(encoding="utf-8").splitlines()]
    # Every fourth product, so that all kinds of goods are on both sides.
    chosen = products[::4]
    found = survey(base, contrasts(base, chosen[:PAIRS], options.pairs))
    surveyed = time.monotonic() - started
    print(f"{'block':>8}{'norm':>9}{'agreement':>11}{'separation':>12}{'':>18}{'AUC':>6}")
    for layer in found.layers:
        known = layer.separation
        print(f"{layer.block:8}{layer.norm:9.1f}{layer.agreement:11.2f}{known.value:12.2f}"
              f"{f'{known.low:.2f} to {known.high:.2f}':>18}{layer.auc:6.2f}")  # fmt: skip
    block = found.best()[0] if options.block is None else options.block
    print(f"block {block}; surveyed in {surveyed:.0f} s")
    points = doses(base, found, block, chosen[PAIRS : PAIRS + ASKED], options.strengths)
    result = {
        "case": "steering",
        "pairs": {"source": options.pairs, "count": found.pairs},
        "block": block,
        "layers": [
            {
                "block": layer.block,
                "norm": layer.norm,
                "agreement": layer.agreement,
                "separation": [layer.separation.value, layer.separation.low, layer.separation.high],
                "auc": layer.auc,
            }
            for layer in found.layers
        ],
        "doses": points,
        "seconds": round(time.monotonic() - started, 1),
        "dtype": base.dtype.value,
        "threads": base.threads.value,
    }
    write(result, options.json)
    options.picture.write_text(picture(points, block), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
