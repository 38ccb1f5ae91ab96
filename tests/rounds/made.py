"""What a review leaves in a run folder, written as the contract of a review says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests import projects
from trimtab import lineage
from trimtab.run import RunFolder


def ids(folder: RunFolder, part: str) -> list[str]:
    """Ids of a part of a run, in order."""
    return [row.id for row in lineage.rows(folder) if row.part == part]


def turns(folder: RunFolder, name: str) -> list[dict[str, str]]:
    """The turns of an item of select."""
    (row,) = [row for row in folder.rows("examples.jsonl") if row["id"] == name]
    return list(row["messages"])


def review(
    folder: RunFolder,
    *,
    confirm: Sequence[str] = (),
    corrections: Mapping[str, Sequence[str]] | None = None,
    flags: Sequence[Mapping[str, Any]] = (),
    preferences: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write a review: all of select was shown, and these items of confirm; corrections by item of select."""
    stack = folder.verdict().stack
    folder.write("review/seen.json", {"select": ids(folder, "select"), "confirm": list(confirm)})
    rows = [
        {
            "example": name,
            "messages": turns(folder, name),
            "completion": text,
            "answer": "what the model said",
            "stack": stack,
            "rater": number,
        }
        for name, texts in (corrections or {}).items()
        for number, text in enumerate(texts, 1)
    ]
    folder.write_rows("review/corrections.jsonl", rows)
    folder.write_rows("review/flags.jsonl", flags)
    folder.write_rows("review/preferences.jsonl", preferences)


def flag(name: str, text: str, kind: str = "harmful") -> dict[str, Any]:
    """A flag of an answer to an item."""
    return {"example": name, "stack": "base", "text": text, "flag": kind, "reason": "it is", "rater": 1}


def grow(folder: RunFolder, more: int) -> None:
    """Add rows to the data file of a run."""
    path = Path(folder.recipe()["data"]["examples"])
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    projects.lines(path, [*rows, *({"prompt": f"more {n}", "completion": "ok"} for n in range(more))])
