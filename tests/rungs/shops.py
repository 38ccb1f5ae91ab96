"""A workshop around a tiny network: rows, documents and a recipe on disk, read as a run reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.adjust import asked
from trimtab.prepare import prepare
from trimtab.recipe import load
from trimtab.rungs.workshop import Workshop

ROWS = [
    {"prompt": f"what colour has {fruit} {n}?", "completion": f"{colour} {n}", "document": f"{fruit}.md"}
    for n in range(20)
    for fruit, colour in (("apple", "red"), ("pear", "green"), ("plum", "blue"))
]
DOCUMENTS = {
    "apple.md": "# Apples\n\nEvery apple is red.",
    "pear.md": "# Pears\n\nEvery pear is green.",
    "plum.md": "# Plums\n\nEvery plum is blue.",
}


def write(folder: Path, rows: Sequence[Mapping[str, Any]] = ROWS, **changes: Any) -> Path:
    """A project in a folder; returns its recipe."""
    (folder / "docs").mkdir(parents=True, exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for name, text in DOCUMENTS.items():
        (folder / "docs" / name).write_text(text, encoding="utf-8")
    recipe: dict[str, Any] = {
        "data": {"examples": "rows.jsonl", "documents": "docs"},
        "goal": {"metric": "chrf"},
        "sampling": {"max_new_tokens": 6},
        "ladder": ["prompt", "context"],
    }
    recipe |= changes
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return path


def workshop(folder: Path, rows: Sequence[Mapping[str, Any]] = ROWS, **changes: Any) -> Workshop:
    """A project as the rungs see it."""
    return Workshop(prepare(load(write(folder, rows, **changes))), asked.base(), folder / "work")
