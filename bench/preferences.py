"""Learning from preferences: DPO on real pairs, judged on pairs that were not learned, and the loss beside TRL's.

    python bench/preferences.py            the verdict; about 15 minutes on one core
    python bench/preferences.py --check    the same batch by Trimtab and by TRL's DPOTrainer and KTOTrainer, in float32

Pairs of Anthropic's HH-RLHF (harmless, its test set): conversations with a chosen and a rejected last answer. Left out
are pairs with an empty answer, with transcripts that part before the last answer, or with a row of more than 192
tokens. A recipe learns four tenths of them with LoRA on all blocks and `loss: dpo`; the goal is the metric preference
(share of pairs whose chosen answer is likelier, by total log-probability), the guard general English. Beside the
verdict: reward accuracy, the share of pairs whose chosen answer gained more log-probability over the base than the
rejected one. The texts are offensive; none is printed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import trimtab
from preference_peer import agree
from record import OUT, write
from rows import SHARED
from trimtab import stats
from trimtab.cli.progress import live
from trimtab.data.render import render
from trimtab.data.turns import dialogue
from trimtab.measure import find
from trimtab.model import likelihood
from trimtab.model.load import Base, load
from trimtab.prepare import prepare
from trimtab.recipe import load as load_recipe
from trimtab.records import Example, TokenRow

SOURCE = SHARED / "pref_hh_harmless" / "pairs.jsonl.gz"
FOLDER = OUT / "preferences"
MOST_TOKENS = 192

RECIPE = """\
model: smollm2-135m-instruct
data:
  examples: pairs.jsonl
  max_tokens: 192
  split: {tune: 0.4, select: 0.1, confirm: 0.5}
goal: {metric: preference, min_gain: 0.0, expected_gain: 0.1}
guards:
  - {suite: general-english, metric: nll, margin: 0.05}
ladder: [adapter]
candidates:
  adapter:
    - {loss: dpo, beta: 0.1, method: lora, rank: 16}
training: {epochs: 1, batch_size: 8, learning_rate: 0.0005, schedule: linear}
budget: {minutes: 240}
"""
# Pairs of the batch that is compared with TRL's.
CHECKED = 4


def transcripts(base: Base) -> list[dict[str, str]]:
    """The pairs that are used, as the file has them."""
    with gzip.open(SOURCE, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [line for line in lines if (sides := rendered(base, line)) and longest(sides) <= MOST_TOKENS]


def rendered(base: Base, line: dict[str, str]) -> list[TokenRow]:
    """Rows of the chosen and of the rejected answer; none where the two are no pair."""
    chosen, rejected = (dialogue(line[side]) for side in ("chosen", "rejected"))
    if chosen[:-1] != rejected[:-1] or not chosen[-1].content or not rejected[-1].content:
        return []
    example = Example(chosen[:-1], (chosen[-1].content, rejected[-1].content), id="pair")
    return render([example], base.tokenizer, max_tokens=sys.maxsize, turns="last")


def longest(rows: list[TokenRow]) -> int:
    """Tokens of the longest row."""
    return max(len(row.ids) for row in rows)


def project(base: Base) -> Path:
    """Write pairs and recipe; returns the recipe's path."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = transcripts(base)
    (FOLDER / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (FOLDER / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return FOLDER / "recipe.yaml"


def answered(base: Base, examples: list[Example]) -> np.ndarray:
    """Log-probability of the chosen and of the rejected answer of each pair, (pairs, 2), nats."""
    asks = find("preference").asks
    assert asks is not None
    found = likelihood.answers(base, [ask for example in examples for ask in asks(example)])
    return np.array([total for total, _ in found]).reshape(-1, 2)


def rewards(run: Any, base: Base, recipe: Path, level: float) -> dict[str, Any]:
    """Reward accuracy on confirm, what both answers gained over the base (nats), and pairs that turned right, wrong."""
    examples = prepare(load_recipe(recipe)).parts["confirm"]
    before = answered(base, examples)
    with run.stack.adjustments[0].attach(base):
        after = answered(base, examples)
    gained = after - before
    right, first, last = ((np.sign(each[:, 0] - each[:, 1]) + 1) / 2 for each in (gained, before, after))
    found = stats.interval(right, level=level, bounds=(0.0, 1.0))
    return {
        "reward_accuracy": [found.value, found.low, found.high, found.n, found.method],
        "gained_chosen": float(gained[:, 0].mean()),
        "gained_rejected": float(gained[:, 1].mean()),
        "preference_read_again": [float(first.mean()), float(last.mean())],
        "turned": [float((last > first).mean()), float((last < first).mean())],
    }


def judged() -> dict[str, Any]:
    """Run the recipe to its verdict."""
    base = load()
    recipe = project(base)
    with live(as_json=False, wanted=True) as report:
        run = trimtab.tune(recipe, root=FOLDER / "runs", report=report)
    verdict = run.verdict
    compared = {"preference": verdict.target, **{guard.metric: guard.comparison for guard in verdict.guards}}
    return {
        "outcome": verdict.outcome,
        "reasons": list(verdict.reasons),
        "look": verdict.look,
        "level": verdict.level,
        "parts": {name: len(part) for name, part in prepare(load_recipe(recipe)).parts.items()},
        "costs": run.folder.read("provenance.json")["costs"],
        "metrics": {
            name: {
                "before": one.baseline,
                "after": one.candidate,
                "difference": str(one.difference),
                "n": one.difference.n,
                "method": one.difference.method,
                "outcome": one.outcome,
            }
            for name, one in compared.items()
            if one
        },
        **rewards(run, base, recipe, verdict.level),
    }


def check() -> dict[str, Any]:
    """Loss and gradients of one batch by Trimtab and by TRL, for both losses."""
    base = load(dtype="float32")
    pairs = [rendered(base, line) for line in transcripts(base)[:CHECKED]]
    return {loss: agree(base, pairs, loss) for loss in ("dpo", "kto")}


def main() -> int:
    """Print and write the figures; 1 unless the pairs are learned, or TRL agrees."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare with TRL instead")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    started = time.monotonic()
    result = check() if options.check else judged()
    result["minutes"] = round((time.monotonic() - started) / 60, 1)
    print(json.dumps(result, indent=1))
    write(result, OUT / ("preferences_check.json" if options.check else "preferences.json"))
    if options.check:
        return 0 if all(result[loss]["agrees"] for loss in ("dpo", "kto")) else 1
    return 0 if result["metrics"]["preference"]["outcome"] == "better" else 1


if __name__ == "__main__":
    sys.exit(main())
