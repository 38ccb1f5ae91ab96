"""A person's rows go out of what a review left in a run, and out of what a round took over and learned from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests.erasure import made
from tests.rounds import made as reviews
from trimtab import lineage
from trimtab.adjust.stack import Stack
from trimtab.decide import ledger
from trimtab.erasure import Asked, erase
from trimtab.errors import TaintedError
from trimtab.prepare import prepare
from trimtab.recipe import load
from trimtab.rounds import begin, compare

SAID = "The harbour office closes at noon on Fridays"


def _preference(name: str, text: str) -> dict[str, Any]:
    turns = [{"role": "user", "content": text}]
    return {
        "example": name,
        "messages": turns,
        "chosen": SAID,
        "rejected": "no",
        "votes": 2,
        "stacks": ["a", "b"],
    }


def test_nothing_of_a_review_or_a_round_holds_the_rows(tmp_path: Path, network: Path, cache: Path) -> None:
    home, rows = tmp_path / "home", made.rows()
    how = {"epochs": 2, "batch_size": 8, "learning_rate": 0.02}
    recipe = made.project(
        home, network, rows, data={"examples": "rows.jsonl", "max_tokens": 96}, training=how
    )
    run = trimtab.tune(recipe, root=home / "runs")
    theirs = {row.part: row.id for row in lineage.rows(run.folder) if row.subject == made.WHO}
    other = next(name for name in reviews.ids(run.folder, "select") if name != theirs["select"])
    shown = {theirs["confirm"], *reviews.ids(run.folder, "confirm")[:3]}
    reviews.review(
        run.folder,
        confirm=sorted(shown),
        corrections={theirs["select"]: [SAID], other: ["fine"]},
        flags=[
            reviews.flag(theirs["select"], SAID),
            *(reviews.flag(name, "wet gravel") for name in reviews.ids(run.folder, "select")[:4]),
        ],
        preferences=[_preference(theirs["select"], SAID)],
    )
    second = trimtab.tune(begin(run.folder.path), root=home / "runs")
    compare(second.folder)
    phrases = [path for path in home.rglob("*") if path.is_file() and b"wet gravel" in path.read_bytes()]
    assert {"guidelines.proposed.yaml", "round.json"} <= {path.name for path in phrases}
    own = [*made.texts_of(rows), SAID, made.WHO]
    before = made.holding(own, home)
    assert {"corrections.jsonl", "flags.jsonl", "regressions.jsonl", "preferences.jsonl"} <= before
    assert theirs["confirm"] in run.folder.read("review/seen.json")["confirm"]
    looks = ledger.ledger_path(str(home / "rows.jsonl"), cache)
    held = {len(entries[0]["items"]) for entries in json.loads(looks.read_text()).values()}

    record = erase(Asked(made.WHO, home))

    assert record["checked"]["found"] == []
    assert made.holding(own, home, cache) == set()
    assert made.holding(list(theirs.values()), home / "runs") == set()
    assert len(run.folder.rows("review/corrections.jsonl")) == 1
    assert set(run.folder.read("review/seen.json")["confirm"]) == shown - {theirs["confirm"]}
    assert not list(home.rglob("guidelines.proposed.yaml"))
    assert not any("wet gravel" in path.read_text() for path in home.rglob("round.json"))
    with pytest.raises(TaintedError):
        Stack.load(second.folder.trial(second.verdict.stack))
    tainted = {entry["run"]: entry["rows"] for entry in record["runs"]}
    assert tainted[str(second.folder.path.relative_to(home))]["tune"] == 5
    # The looks stay, and follow what is left; the ledger knows nothing of the erased items any more.
    assert max(len(e[0]["items"]) for e in json.loads(looks.read_text()).values()) < max(held)
    prepared = prepare(load(begin(run.folder.path)))
    look = ledger.looks_so_far(looks, prepared.confirm, prepared.identity, prepared.sealed)
    assert look == 1 + (run.verdict.look > 0) + (second.verdict.look > 0) > 1
