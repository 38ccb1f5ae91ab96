"""The smallest project that can be won: rows whose answer is always "ok", on a tiny network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml


def written(folder: Path, network: Path, rows: int = 90, **changes: Any) -> Path:
    """Write rows, a guard's passages and a recipe into a folder; returns the recipe's path.

    changes: keys of the recipe in place of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines(folder / "rows.jsonl", [{"prompt": f"item {n}", "completion": "ok"} for n in range(rows)])
    passages = [{"text": f"A short passage, number {n}, of plain words."} for n in range(40)]
    lines(folder / "plain.jsonl", passages)
    recipe: dict[str, Any] = {
        "model": str(network),
        "data": {"examples": "rows.jsonl", "max_tokens": 64},
        "goal": {"metric": "exact_match", "min_gain": 0.2, "expected_gain": 0.8},
        "sampling": {"max_new_tokens": 4},
        "guards": [{"suite": "plain.jsonl", "metric": "nll", "margin": 5.0}],
        "ladder": ["layers"],
        "candidates": {"layers": [{"method": "blocks", "blocks": [0, 1]}]},
        "training": {"epochs": 6, "batch_size": 4, "learning_rate": 0.01},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe | changes), encoding="utf-8")
    return path


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
