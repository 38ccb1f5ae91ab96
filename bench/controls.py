"""The controls on the real model: a change that is none (A/A), and one that harms.

    python bench/controls.py aa       two samplings of the base model: how often would one be called better?
    python bench/controls.py harm     tuning on shuffled answers: the verdict must be hold

A/A draws 0.7-temperature answers of the base model to the demo's prompts under two sets of seeds, scores both, and
compares 1,000 random halves of the items in both directions: the share called better must stay below 3%.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

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


def same_model_twice() -> dict[str, Any]:
    """Compare the base model with itself under other seeds."""
    recipe = yaml.safe_load(starter.demo_recipe(OUT / "aa").read_text(encoding="utf-8"))
    examples = read(str(OUT / "aa" / recipe["data"]["examples"]), {}, recipe["data"]["instruction"])[:160]
    metric = find("chrf", {})
    arrays = []
    with live(as_json=False, wanted=True) as report, Stack().attach(load(), report=report) as model:
        for seed in (1, 2):
            sampling = Sampling(max_new_tokens=64, temperature=0.7)
            _, scores = measure(examples, [metric], generate=model, sampling=sampling, seeds=(seed,))
            arrays.append(table(scores, metric)[1])
    one, two = arrays
    generator = np.random.default_rng(0)
    better = 0
    for _ in range(1000):
        half = generator.permutation(len(one))[: len(one) // 2]
        flip = generator.random() < 0.5
        first, second = (two, one) if flip else (one, two)
        better += stats.compare(first[half], second[half], level=0.95).outcome == "better"
    whole = stats.compare(one, two)
    return {
        "items": len(one),
        "difference": str(whole.difference),
        "outcome": whole.outcome,
        "called_better": better / 1000,
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
    return int(result["called_better"] > 0.03 if control == "aa" else result["outcome"] != "hold")


if __name__ == "__main__":
    sys.exit(main())
