"""A workshop on the tiny network, for the tests of rungs that answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.adjust import made
from trimtab.prepare import prepare
from trimtab.recipe import parse
from trimtab.rungs.workshop import Workshop

ROWS = 90


def workshop(folder: Path, **changes: Any) -> Workshop:
    """Short prompts whose goal is a short answer, unless the recipe is changed."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"prompt": f"item {n}", "completion": f"ok {n}"} for n in range(ROWS)]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe: dict[str, Any] = {
        "data": {"examples": str(path), "split": {"tune": 0.3, "select": 0.4, "confirm": 0.3}},
        "goal": {"metric": "length"},
        "sampling": {"max_new_tokens": 12, "temperature": 0.9},
        "ladder": ["decoding"],
    }
    return Workshop(prepare(parse(recipe | changes)), made.base(initializer_range=0.3), folder / "work")
