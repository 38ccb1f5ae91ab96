"""The controls on the real model: a change that is none (A/A), and one that harms.

    python bench/controls.py aa       the base model against itself, 20 times: how often is one called better?
    python bench/controls.py harm     tuning on shuffled answers: the verdict must be hold

A/A draws the base model's answers to 97 of the demo's prompts under 40 seeds at temperature 0.7 and compares 20
separate pairs of them at the level of a first look, with no least gain: what would be a *ship* if no guard stood in its
way. Chance calls 1.75% of them better; it fails where so many would come by chance less than once in a hundred.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import yaml
from scipy.stats import binom

import trimtab
from trimtab import starter, stats
from trimtab.adjust.stack import Stack
from trimtab.cli.progress import live
from trimtab.data.read import read
from trimtab.measure.registry import find
from trimtab.measure.trial import measure, table
from trimtab.model.load import load
from trimtab.records import Sampling

OUT = Path(__file__).resolve().parent / "out"
ITEMS, PAIRS = 97, 20


def same_model_twice() -> dict[str, Any]:
    """Compare the base model with itself under other seeds, by the rule that a verdict's target goes by."""
    recipe = yaml.safe_load(starter.demo_recipe(OUT / "aa").read_text(encoding="utf-8"))
    examples = read(str(OUT / "aa" / recipe["data"]["examples"]), {}, recipe["data"]["instruction"])[:ITEMS]
    metric = find("chrf", {})
    with live(as_json=False, wanted=True) as report, Stack().attach(load(), report=report) as model:
        sampling = Sampling(max_new_tokens=64, temperature=0.7)
        _, scores = measure(
            examples,
            [metric],
            generate=model,
            sampling=sampling,
            seeds=tuple(range(2 * PAIRS)),
            report=report,
        )
    values = table(scores, metric)[1]
    level = stats.level_from_alpha(stats.run_alpha(1))
    pairs = [
        stats.compare(values[:, pair], values[:, pair + 1], level=level) for pair in range(0, 2 * PAIRS, 2)
    ]
    better = sum(pair.outcome == "better" for pair in pairs)
    return {
        "items": len(values),
        "pairs": PAIRS,
        "level": level,
        "differences": [str(pair.difference) for pair in pairs],
        "better": better,
        "worse": sum(pair.outcome == "worse" for pair in pairs),
        "probability_of_so_many": float(binom.sf(better - 1, PAIRS, (1 - level) / 2)),
    }


def shuffled_answers() -> dict[str, Any]:
    """Tune the demo on answers that belong to other prompts; select and confirm keep their own."""
    folder = OUT / "harm"
    recipe_path = starter.demo_recipe(folder)
    recipe = yaml.safe_load(recipe_path.read_text(encoding="utf-8"))
    source = folder / recipe["data"]["examples"]
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    tune = rows[: len(rows) // 2]
    answers = [row["completion"] for row in tune]
    random.Random(0).shuffle(answers)
    for row, answer in zip(tune, answers, strict=True):
        row |= {"completion": answer, "part": "tune"}
    for number, row in enumerate(rows[len(tune) :]):
        row["part"] = "confirm" if number % 5 < 3 else "select"
    source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    with live(as_json=False, wanted=True) as report:
        run = trimtab.tune(recipe_path, root=folder / "runs", report=report)
    verdict = run.verdict
    return {"outcome": verdict.outcome, "difference": str(verdict.difference), "reasons": verdict.reasons}


def main() -> int:
    """Run the named control, print and write its result; 1 when it failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("control", choices=["aa", "harm"])
    control = parser.parse_args().control
    result = same_model_twice() if control == "aa" else shuffled_answers()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{control}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return int(result["probability_of_so_many"] < 0.01 if control == "aa" else result["outcome"] != "hold")


if __name__ == "__main__":
    sys.exit(main())
