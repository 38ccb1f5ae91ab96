"""Prompts that were written beside themselves with groups swapped go with the person whose they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.audit.made import write
from trimtab.audit.groups import pairs
from trimtab.audit.rows import rows
from trimtab.erasure import Asked, erase

pytestmark = pytest.mark.usefixtures("cache")


def test_pairs_of_a_persons_prompts_are_removed(tmp_path: Path) -> None:
    said = [
        {
            "prompt": f"What did my father say of plan {n}?",
            "completion": f"Plan {n}.",
            "subject": f"p-{n % 4}",
        }
        for n in range(20)
    ]
    source = write(tmp_path / "rows.jsonl", said)
    pairs.write(rows(source), tmp_path / "pairs.jsonl", source)

    def left() -> set[str]:
        return {json.loads(line)["prompt"] for line in (tmp_path / "pairs.jsonl").read_text().splitlines()}

    assert left() == {row["prompt"] for row in said}
    erase(Asked("p-3", tmp_path))
    assert left() == {row["prompt"] for row in said if row["subject"] != "p-3"}
