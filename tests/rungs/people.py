"""A workshop on the tiny network, for the tests of rungs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.adjust import made
from trimtab.prepare import prepare
from trimtab.recipe import load
from trimtab.records import Report
from trimtab.rungs.workshop import Workshop

PEOPLE = ("his", "her")


def shop(folder: Path, *, rows: int = 40, report: Report | None = None, **changes: Any) -> Workshop:
    """Short rows about people, one guard, and a tiny base model."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [
        {"prompt": f"item {n}", "completion": f"It is {PEOPLE[n % 2]} bag." if n % 4 else "It is here."}
        for n in range(rows)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in written), encoding="utf-8")
    passages = [{"text": f"A short passage, number {n}, of plain words."} for n in range(20)]
    (folder / "plain.jsonl").write_text("".join(json.dumps(row) + "\n" for row in passages), encoding="utf-8")
    recipe: dict[str, Any] = {
        "data": {"examples": "rows.jsonl", "max_tokens": 96},
        "goal": {"metric": "exact_match", "min_gain": 0.2, "expected_gain": 0.8},
        "guards": [{"suite": "plain.jsonl", "metric": "nll", "margin": 5.0}],
        "training": {"epochs": 2, "batch_size": 4, "learning_rate": 0.01},
    }
    (folder / "recipe.yaml").write_text(json.dumps(recipe | changes), encoding="utf-8")
    return Workshop(prepare(load(folder / "recipe.yaml")), made.base(), folder / "fit", report)
