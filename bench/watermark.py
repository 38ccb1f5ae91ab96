"""What a watermark costs and what its detector finds, on the embedded model and on texts that people wrote.

    python bench/watermark.py null     false alarms on E2E references, over many keys; a few minutes on one core
    python bench/watermark.py power    p-values by length, and what the mark costs; a few minutes on two cores

Every text that people wrote is unmarked, so that each p-value below alpha is a false alarm. Texts of one trade share
their phrases: a key that happens to like "in the city centre" likes it in every text. So shares are given over keys,
each with its own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from record import OUT, write
from rows import E2E, distinct_inputs
from trimtab import stats
from trimtab.adjust.stack import Stack
from trimtab.adjust.watermark import SCHEMES, Watermark, drawn, vocabulary
from trimtab.model.load import load
from trimtab.records import Example, Mark, Message, Output, Sampling
from trimtab.verifying import ALPHA, detect, of_tokens

# Tokens at which texts are cut, and topics that answers of any length may be about.
LENGTHS = (25, 50, 100, 200)
TOPICS = (
    "a lighthouse", "learning to cook", "a long train journey", "the first day of school", "an old bicycle",
    "a garden in winter", "how bread is made", "a lost dog", "a market by the sea", "a letter from a friend",
    "why people collect stamps", "a storm in the mountains", "moving to a new city", "a village festival",
    "how a clock works", "a walk in the forest", "a museum at night", "the smell of rain", "a football match",
    "planting a tree", "a quiet library", "the history of tea", "a broken window", "an evening on the river",
)  # fmt: skip


def share(p_values: Sequence[float]) -> Any:
    """The share of p-values below alpha, with Wilson's interval."""
    return stats.wilson(sum(p < ALPHA for p in p_values), len(p_values))


def null(keys: int, texts: int) -> dict[str, Any]:
    """False alarms: references one by one, and joined to longer texts, under each key."""
    base = load()
    size = vocabulary(base)
    people = [references[0] for references in distinct_inputs(E2E / "lora_train.txt.gz").values()]
    order = np.random.default_rng(0).permutation(len(people))[: 8 * texts]
    tokens = [base.tokenizer(people[n], add_special_tokens=False)["input_ids"] for n in order]
    sets = {
        "one reference": tokens[:texts],
        "eight references": [list(chain(*tokens[n : n + 8])) for n in range(0, len(tokens), 8)],
    }
    found: dict[str, Any] = {}
    for scheme in SCHEMES:
        values: dict[str, list[list[float]]] = {name: [] for name in sets}
        for number in range(keys):
            mark = Watermark(Mark(scheme, f"{number:032x}", size))
            for name, some in sets.items():
                tested = [one.p_value for ids in some if not (one := of_tokens(mark, ids)).undefined]
                values[name].append(tested)
        found[scheme] = {name: _alarms(sets[name], of) for name, of in values.items()}
        for name, told in found[scheme].items():
            print(f"{scheme:10} {name:16} {told['said']}", flush=True)
    return found


def _alarms(texts: Sequence[Sequence[int]], by_key: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Rates over keys: every text and key together, the interval by keys, and the spread from key to key."""
    rates = [sum(p < ALPHA for p in values) / len(values) for values in by_key]
    mean = stats.interval(rates)
    said = (
        f"{mean.value:.2%} [{mean.low:.2%}, {mean.high:.2%}] of {len(by_key[0])} texts at p < {ALPHA:g}, over "
        f"{len(rates)} keys; single keys {min(rates):.2%} to {max(rates):.2%}"
    )
    middle = statistics.median(map(len, texts))
    return {"mean": mean, "rates": rates, "texts": len(by_key[0]), "tokens": middle, "said": said}


def power(prompts: int, longest: int) -> dict[str, Any]:
    """Detection by length, and what marked answers lose: likelihood under the unmarked base model, nats a token."""
    base = load()
    marks = {scheme: drawn(base, scheme, "the secret of this bench") for scheme in SCHEMES}
    warm, cold = Sampling(longest, 0.8), Sampling(longest)
    arms: dict[str, tuple[Stack, Sampling, Watermark]] = {
        "none, greedy": (Stack(), cold, marks["green-list"]),
        "green list, greedy": (Stack((marks["green-list"],)), cold, marks["green-list"]),
        "green list, half, greedy": (Stack((0.5 * marks["green-list"],)), cold, marks["green-list"]),
        "none, 0.8": (Stack(), warm, marks["synthid"]),
        "green list, 0.8": (Stack((marks["green-list"],)), warm, marks["green-list"]),
        "synthid, 0.8": (Stack((marks["synthid"],)), warm, marks["synthid"]),
    }
    asked = [Example((Message("user", f"Tell me about {t}."),), id=t) for t in TOPICS[:prompts]]
    answers, found = {}, dict[str, Any]()
    for name, (stack, sampling, mark) in arms.items():
        started = time.monotonic()
        with stack.attach(base) as generate:
            answers[name] = generate(asked, sampling)
        seconds = time.monotonic() - started
        found[name] = {
            "lengths": _by_length(base.tokenizer, mark, answers[name]),
            "tokens_per_s": sum(o.spent for o in answers[name]) / seconds,
        }
        plain = f"none, {name.rpartition(', ')[2]}"
        found[name]["nll"] = nll = _difference(answers[plain], answers[name]) if plain != name else None
        print(f"{name}: {found[name]['tokens_per_s']:.0f} tokens/s" + (f"; nll {nll}" if nll else ""))
        for length, told in found[name]["lengths"].items():
            print(
                f"  {length:4} tokens: median p {told['median']:.2g}, p < {ALPHA:g}: {told['share']}",
                flush=True,
            )
    return found


def _by_length(tokenizer: Any, mark: Watermark, outputs: Sequence[Output]) -> dict[int, Any]:
    """P-values of the answers cut at each length, of those that are so long; the text is cut into tokens anew."""
    ids = [tokenizer(o.text, add_special_tokens=False)["input_ids"] for o in outputs]
    told = {}
    for length in LENGTHS:
        cut = [tokenizer.decode(one[:length]) for one in ids if len(one) >= length]
        p_values = [f.p_value for text in cut if not (f := detect(mark, tokenizer, text)).undefined]
        if len(p_values) > 1:
            told[length] = {"median": statistics.median(p_values), "share": share(p_values)}
    return told


def _difference(plain: Sequence[Output], marked: Sequence[Output]) -> Any:
    """Mean negative log-likelihood of the marked answers minus that of the unmarked, paired by prompt."""
    losses = [[-statistics.fmean(output.logprobs) for output in outputs] for outputs in (plain, marked)]
    return stats.interval(np.subtract(losses[1], losses[0]))


def main() -> int:
    """Run one part, print it, keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("null", "power"))
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--prompts", type=int, default=24)
    parser.add_argument("--longest", type=int, default=220)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = null(given.keys, given.texts) if given.part == "null" else power(given.prompts, given.longest)
    from trimtab.records import plain

    write(plain(found), given.json or OUT / f"watermark-{given.part}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
