"""Planted causes: one phrase of a prompt is known to force the answer; how often does each method put it first?

    python bench/attribution.py                            until 30 prompts are moved; a quarter of an hour on one core
    python bench/attribution.py --target tone              what is explained: the summed probability of a tone's words
    python bench/attribution.py --neighbours 8 --moved 12  in longer prompts
    python bench/attribution.py --moved 2 --steps 4        a look at whether it runs

Four sentences that have nothing to do with it and a question stand around one that asks for a tone (polite, angry,
enthusiastic, sad, a pirate's, a formal letter's) or a form (one word, capital letters, French), in random order but
for the question, which comes last. What is asked is why the answer that follows the phrase is likelier than a plain
one, or why words of its tone are likely. A prompt counts only where the phrase does move the model: the target is
larger with it than without it, by half a nat at least. Prompts are drawn until enough count, which is told by that
effect alone, before anything is attributed. The rest are told, so that a model which does not listen is not taken for
a method that does not see. Figures over all prompts stand beside: leaving the phrase out also tells which prompts
count, so that it has it easier than gradients. Of the question nothing is asked: it is no candidate, in the random
order neither. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import record
from trimtab import stats
from trimtab.model.load import load
from trimtab.probe.attribution import ablation
from trimtab.probe.attribution.attributing import METHODS, Method, Settings, attribute
from trimtab.probe.attribution.prompt import sectioned
from trimtab.probe.attribution.targets import Contrast, Tone
from trimtab.records import Estimate, Example, Message, plain

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
# Question, plain answer, in one word, in French.
QUESTIONS = (
    ("What is the capital of France?", "The capital of France is Paris.", "Paris", "La capitale est Paris."),
    ("What do bees make?", "Bees make honey.", "Honey", "Les abeilles font du miel."),
    ("Where do fish live?", "Fish live in water.", "Water", "Les poissons vivent dans l'eau."),
    ("What colour is grass?", "Grass is usually green.", "Green", "L'herbe est verte."),
    ("What do we drink from?", "We drink from a cup or a glass.", "Cups", "On boit dans un verre."),
    ("What falls from clouds?", "Rain falls from clouds.", "Rain", "La pluie tombe des nuages."),
    ("What do cows eat?", "Cows eat grass.", "Grass", "Les vaches mangent de l'herbe."),
    ("What shines at night?", "The moon shines at night.", "Moon", "La lune brille la nuit."),
)


@dataclass(frozen=True)
class Cause:
    """A phrase, the answer that it asks for ({plain}, {short}, {capitals}, {french}), and words of its tone."""

    phrase: str
    answer: str
    words: tuple[str, ...] = ()


CAUSES = (
    Cause(
        "Be very polite and thank me for asking.",
        "Thank you for asking. {plain} Please let me know if I can help.",
        ("thank", "thanks", "please", "kindly", "glad", "happy", "pleasure", "welcome"),
    ),
    Cause(
        "Answer in an angry and rude tone.",
        "What a stupid question! {plain} Leave me alone!",
        ("stupid", "damn", "hate", "angry", "fool", "shut", "hell", "sick"),
    ),
    Cause(
        "Be extremely enthusiastic and excited.",
        "Wow, what a great question! {plain} Amazing!",
        ("wow", "amazing", "exciting", "fantastic", "awesome", "love", "incredible", "great"),
    ),
    Cause(
        "Answer in a sad and gloomy tone.",
        "Alas, it makes me so sad. {plain} Poor me.",
        ("sad", "alas", "sorry", "unfortunately", "sadly", "tears", "lonely", "lost"),
    ),
    Cause(
        "Answer as an angry pirate.",
        "Arr, matey! {plain} Aye!",
        ("arr", "matey", "ye", "aye", "treasure", "ship", "captain", "sea"),
    ),
    Cause(
        "Write the answer as a formal letter.",
        "Dear Sir or Madam, {plain} Yours sincerely",
        ("dear", "sincerely", "regards", "sir", "madam", "respectfully", "faithfully", "letter"),
    ),
    Cause("Answer with one word only.", "{short}"),
    Cause("Answer in capital letters.", "{capitals}"),
    Cause("Answer in French.", "{french}"),
)


@dataclass(frozen=True)
class Planted:
    """A prompt, its phrase and which of its sentences that is, and what is to be explained."""

    example: Example
    phrase: str
    place: int
    target: Contrast | Tone


def prompts(target: str, neighbours: int, seed: int) -> Iterator[Planted]:
    """Every cause with every question, in random order and with random neighbours."""
    rng = np.random.default_rng(seed)
    causes = [cause for cause in CAUSES if cause.words or target == "contrast"]
    pairs = [(question, cause) for question in QUESTIONS for cause in causes]
    for number in rng.permutation(len(pairs)):
        (question, usual, short, french), cause = pairs[number]
        texts = [NEUTRAL[k] for k in rng.permutation(len(NEUTRAL))[:neighbours]]
        place = int(rng.integers(neighbours + 1))
        texts.insert(place, cause.phrase)
        told = cause.answer.format(plain=usual, short=short, capitals=usual.upper(), french=french)
        why = Contrast(told, usual) if target == "contrast" else Tone(cause.words, usual)
        example = Example((Message("user", " ".join([*texts, question])),), id=str(number))
        yield Planted(example, cause.phrase, place, why)


def drawn(base: Any, planted: Iterator[Planted], enough: int) -> list[tuple[Planted, float]]:
    """Prompts with what their phrase does to the target, nats, until `enough` are moved by it."""
    found: list[tuple[Planted, float]] = []
    for one in planted:
        prompt = sectioned(one.example.messages)
        values = ablation.read(base, one.target.readings(base.tokenizer))
        cause = prompt.features("sentence")[one.place]
        with_it, without = values([prompt.messages, prompt.without([cause])])
        found.append((one, with_it - without))
        print(f"{with_it - without:+7.2f} nats  {one.phrase}", flush=True)
        if sum(effect >= LEAST_EFFECT for _, effect in found) == enough:
            break
    return found


def measured(base: Any, one: Planted, effect: float, settings: Settings) -> dict[str, Any]:
    """By each method which place the phrase has among the sentences (the question is none), 0 the first."""
    row: dict[str, Any] = {"cause": one.phrase, "effect": effect, "rank": {}, "seconds": {}}
    for method in settings.methods:
        started = time.process_time()
        alone = Settings((method,), ("sentence",), settings.steps, settings.most_steps)
        (told,) = attribute(base, one.example, one.target, alone)
        row["seconds"][method] = time.process_time() - started
        row["rank"][method] = [k for k in told.ranked if k < len(told.features) - 1].index(one.place)
        if method == "integrated_gradients":
            row |= {"gap": told.gap, "relative_gap": told.relative_gap, "steps": told.steps}
    print(f"{effect:+7.2f} nats  {one.phrase:<40} {row['rank']} {row.get('relative_gap', 0):.2f}", flush=True)
    return row


def first(rows: Sequence[dict[str, Any]], method: Method) -> tuple[int, Estimate]:
    """In how many prompts a method puts the phrase first, and the share."""
    hits = sum(row["rank"][method] == 0 for row in rows)
    return hits, stats.wilson(hits, len(rows))


def summed(rows: Sequence[dict[str, Any]], methods: Sequence[Method]) -> dict[str, Any]:
    """Print and return each method's figures, over prompts that count and over all."""
    moved = [row for row in rows if row["effect"] >= LEAST_EFFECT]
    print(f"\n{len(moved)} of {len(rows)} prompts are moved by their phrase")
    found: dict[str, Any] = {"moved": len(moved), "prompts": len(rows), "methods": {}}
    for method in methods if moved else ():
        (hits, share), (everywhere, _) = first(moved, method), first(rows, method)
        seconds = float(np.median([row["seconds"][method] for row in rows]))
        found["methods"][method] = {
            "first": hits,
            "share": plain(share),
            "of_all": everywhere,
            "seconds": seconds,
        }
        print(
            f"{method:<22} {hits}/{len(moved)} = {share.value:.2f} ({share.low:.2f} to {share.high:.2f}), "
            f"of all {everywhere}/{len(rows)}, {seconds:.1f} s of one core a prompt"
        )
    gaps = [row["relative_gap"] for row in moved if "relative_gap" in row]
    if gaps:
        print(f"completeness gap {np.median(gaps):.2f} of the change (median), {max(gaps):.2f} (largest)")
    return found


def main() -> int:
    """Print how often each method found the phrase, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--target", choices=("contrast", "tone"), default="contrast")
    parser.add_argument("--moved", type=int, default=30, help="prompts that count")
    parser.add_argument("--neighbours", type=int, default=4, choices=range(1, len(NEUTRAL) + 1))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--most-steps", type=int, default=0, help="default: twice the steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args()
    base = load()
    methods = tuple(asked.methods)
    settings = Settings(methods, steps=asked.steps, most_steps=asked.most_steps or 2 * asked.steps)
    chosen = drawn(base, prompts(asked.target, asked.neighbours, asked.seed), asked.moved)
    print("\nplaces of the phrase by each method, 0 the first; gap", flush=True)
    rows = [measured(base, one, effect, settings) for one, effect in chosen]
    chance = 1 / (asked.neighbours + 1)
    found = summed(rows, methods)
    print(f"random order           {chance:.2f}")
    name = f"attribution-{asked.target}-{asked.neighbours}.json"
    record.write({**found, "random": chance, "rows": rows}, asked.json or record.OUT / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
