"""Rows made of a person's rows go with them: from the record, the cache and the stacks that learned from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests.erasure import made
from trimtab import lineage
from trimtab.adjust.stack import Stack
from trimtab.erasure import Asked, erase
from trimtab.errors import TaintedError
from trimtab.model.kept import item_key

HOW: list[dict[str, Any]] = [
    {"kind": "noise", "most": 2},
    {"kind": "mixing", "most": 3},
    {"kind": "paraphrase"},
]


def people() -> list[dict[str, Any]]:
    """Everybody's rows; every ninth names nobody, so that it may stand beside anybody's."""
    return [row | ({"subject": ""} if number % 9 == 3 else {}) for number, row in enumerate(made.rows())]


def test_made_and_mixed_rows_go_with_their_parents(tmp_path: Path, network: Path, cache: Path) -> None:
    home, rows = tmp_path / "home", people()
    recipe = made.project(
        home,
        network,
        rows,
        data={"examples": "rows.jsonl", "max_tokens": 192},
        augment=HOW,
        training={"epochs": 1, "batch_size": 8, "learning_rate": 0.001},
    )
    run = trimtab.tune(recipe, root=home / "runs", explore=True)
    ids = {r.id for r in lineage.rows(run.folder) if r.subject == made.WHO and r.part == "tune"}
    assert len(ids) == 3
    before = run.folder.rows(lineage.MADE)
    theirs = [row for row in before if ids & {row["fields"]["parent"], row["fields"].get("beside")}]
    kinds = {row["fields"]["augmented"] for row in theirs}
    assert kinds == {"noise", "mixing"}
    beside = [row for row in theirs if row["fields"]["parent"] not in ids]
    assert beside, "no row of nobody's stands beside one of theirs"
    assert {row["subject"] for row in theirs} == {made.WHO}
    noisy = [row["messages"][-1]["content"] for row in theirs if row["fields"]["augmented"] == "noise"]
    assert made.holding(noisy, home, cache) == {lineage.MADE}
    keys = {item_key(name) for name in ids}

    def kept() -> list[str]:
        return [json.loads(path.read_text())["item"] for path in (cache / "augment").rglob("*.json")]

    asked = len(kept())
    assert keys <= set(kept())

    record = erase(Asked(made.WHO, home))

    (entry,) = record["runs"]
    assert entry["rows"]["augmented"] == len(theirs)
    left = run.folder.rows(lineage.MADE)
    assert left == [row for row in before if row not in theirs]
    assert len(left) > 2 * len(theirs)
    assert made.holding([*noisy, *made.texts_of(rows), made.WHO], home, cache) == set()
    assert not keys & set(kept())
    assert len(kept()) == asked - len(ids)
    assert made.WHO not in {row.subject for row in lineage.rows(run.folder)}
    assert not {row["id"] for row in theirs} & {row.id for row in lineage.rows(run.folder)}
    stacks = [path.parent for path in run.folder.path.glob("trials/*/stack.json")]
    assert len(stacks) == 2
    for stack in stacks:
        assert entry["tainted"][stack.name] == (3 + len(theirs) if stack.name == _with(run) else 3)
        with pytest.raises(TaintedError):
            Stack.load(stack)
    # The page is written again from what is left.
    assert (run.folder.path / "report.html").is_file()


def _with(run: Any) -> str:
    (rung,) = run.folder.read("ladder.json")["rungs"]
    (effect,) = rung["augmentation"]
    (stack,) = effect["with"]
    return str(stack)
