"""Both rungs in a whole run on a tiny network: fitted, raced, recorded, replayed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import trimtab
from tests.rungs import shops
from tests.tiny import tiny_model, tiny_tokenizer


def test_a_run_climbs_both_rungs_and_records_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    tiny_model(initializer_range=0.4).save_pretrained(tmp_path / "network")
    tiny_tokenizer().save_pretrained(tmp_path / "network")
    recipe = shops.write(
        tmp_path / "project",
        model=str(tmp_path / "network"),
        goal={"metric": "chrf", "min_gain": 5.0, "expected_gain": 20.0},
        candidates={"prompt": [{"exemplars": 2}, {"prefix": "Style: dry.", "revise": "Again."}]},
    )
    run = trimtab.tune(recipe, root=tmp_path / "runs")
    assert run.verdict.outcome in ("hold", "inconclusive", "ship")
    rungs = {entry["rung"]: entry for entry in run.folder.read("ladder.json")["rungs"]}
    assert [c["name"] for c in rungs["prompt"]["candidates"]] == [
        "exemplars 2",
        "prefix Style: dry., revise Again.",
    ]
    assert [c["name"] for c in rungs["context"]["candidates"]] == [
        "passages 1",
        "the default settings",
        "passages 5",
    ]
    for candidate in rungs["context"]["candidates"]:
        recall = candidate["cost"]["retrieval"]["recall"]
        assert 0 <= recall["low"] <= recall["value"] <= recall["high"] <= 1
        assert recall["n"] == candidate["cost"]["retrieval"]["questions"] > 10
    assert (run.folder.path / "report.html").is_file()
    described = json.dumps([run.folder.read(f"trials/{run.stack.hash}/stack.json")])
    assert '"kind"' in described
    again = trimtab.tune(recipe, root=tmp_path / "runs")
    assert again.folder.path == run.folder.path
