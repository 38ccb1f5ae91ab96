"""How far confidences can be trusted on answers that their calibration has not seen, for a base and a tuned stack.

    python bench/confidence.py [--items 160] [--rows 240]

Answers to E2E inputs of the dev file, greedy; good is an answer that has half of its facts (coverage).
Half of the inputs fit the calibration (Platt, by the answer's mean and least log-probability), the other half is held
out. The tuned stack is a LoRA adapter of rank 16 on all linear layers, fitted once on rows of the training file.

    raw           confidence as the model has it: the geometric mean of its tokens' probabilities
    calibrated    the same answers through the calibration
    borrowed      the tuned answers through the calibration of the base: why each stack has its own
    ece           expected calibration error, 10 bins of equal size, with its 95% interval
    brier         mean squared difference, with its 95% interval
    aurc          mean risk over all coverages; without any order it would be `risk`
    half          risk when only the more confident half is answered
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

import rows as data
from machine import choices, describe
from record import OUT, write
from trimtab.adjust import adapter
from trimtab.adjust.confidence import observe
from trimtab.adjust.loop import Settings
from trimtab.adjust.stack import Stack
from trimtab.measure import registry
from trimtab.model.load import Base, load
from trimtab.records import Example, Message, Sampling, plain, questions
from trimtab.rungs.confidence import Marked, mark
from trimtab.stats import calibration
from trimtab.stats.reliability import reliability, risk_coverage

FEATURES = ("mean_logprob", "min_logprob")
GOOD = 0.5
HOW = Sampling(max_new_tokens=80)


def inputs(count: int) -> list[Example]:
    """Inputs of the dev file with their references."""
    found = list(data.distinct_inputs(data.E2E / "lora_valid.txt.gz").items())
    # The file is sorted by its facts.
    chosen = np.random.default_rng(0).permutation(len(found))[:count]
    return [
        Example((Message("user", f"{data.DESCRIBE}\n\n{found[n][0]}"),), tuple(found[n][1]), id=str(n))
        for n in chosen
    ]


def tuned(base: Base, rows: int) -> Stack:
    """An adapter fitted once on the training file's rows, asked as `inputs` asks."""
    pairs = list(data.distinct_inputs(data.E2E / "lora_train.txt.gz").items())
    chosen = np.random.default_rng(1).permutation(len(pairs))[:rows]
    examples = [
        Example((Message("user", f"{data.DESCRIBE}\n\n{pairs[n][0]}"),), tuple(pairs[n][1][:1]), id=str(n))
        for n in chosen
    ]
    how = Settings(epochs=1, batch_size=8, learning_rate=5e-4)
    made, _ = adapter.fit(
        base, data.render(examples, base.tokenizer, max_tokens=256), adapter.Shape(rank=16), how
    )
    return Stack((made,))


def answered(base: Base, stack: Stack, examples: list[Example]) -> Marked:
    """Features and marks of one stack's answers."""
    with stack.attach(base) as model:
        seen = observe(model.model, questions(examples, HOW, (0,)), FEATURES)
    return mark(examples, seen, registry.find("coverage"), GOOD)


def halves(marked: Marked, fits: set[str]) -> np.ndarray:
    """Which answers fit the calibration."""
    return np.array([group in fits for group in marked.groups])


def figures(confidences: np.ndarray, good: np.ndarray) -> dict[str, Any]:
    """All measures of held-out answers."""
    found = reliability(confidences, good)
    coverage, risk = risk_coverage(confidences, good)
    return {
        "n": len(good), "ece": found.error, "brier": found.brier, "aurc": found.aurc, "risk": found.risk,
        "half": float(risk[np.searchsorted(coverage, 0.5)]), "curve": found.curve,
    }  # fmt: skip


def main() -> int:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=160)
    parser.add_argument("--rows", type=int, default=240)
    options = parser.parse_args()
    base = load("smollm2-135m-instruct")
    examples = inputs(options.items)
    stacks = {"base": Stack(), "tuned": tuned(base, options.rows)}
    result: dict[str, Any] = {"machine": describe(choices(int(base.threads.value)))}
    of_base = None
    for name, stack in stacks.items():
        marked = answered(base, stack, examples)
        groups = sorted(set(marked.groups))
        fits = halves(marked, set(groups[::2]))
        rows, good = marked.rows[~fits], marked.good[~fits]
        own = calibration.fit(marked.rows[fits], marked.good[fits], FEATURES)
        ways = {"raw": np.exp(rows[:, 0]), "calibrated": own.probabilities(rows)}
        if of_base:
            ways["borrowed"] = of_base.probabilities(rows)
        of_base = of_base or own
        result[name] = {way: figures(values, good) for way, values in ways.items()}
        for way, one in result[name].items():
            e, b = one["ece"], one["brier"]
            sys.stdout.write(
                f"{name:6} {way:11} n {one['n']}  ece {e.value:.3f} ({e.low:.3f} to {e.high:.3f})  "
                f"brier {b.value:.3f} ({b.low:.3f} to {b.high:.3f})  aurc {one['aurc']:.3f}  "
                f"risk {one['risk']:.3f}  half {one['half']:.3f}\n"
            )
            sys.stdout.flush()
    write(plain(result), OUT / "confidence.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
