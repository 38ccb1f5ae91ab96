"""Augmentation in a real, tiny run: tune alone, each candidate with it and without, compared on the same items."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

import trimtab
from tests import projects
from trimtab import lineage
from trimtab.data.read import read
from trimtab.data.split import content_key, prompt_key
from trimtab.document.text import summary
from trimtab.records import Example, Message

pytestmark = pytest.mark.usefixtures("cache")

HOW = [{"kind": "noise", "most": 2}, {"kind": "mixing"}]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, network: Path) -> Any:
    """A run that explores, of one candidate of the rung layers."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        recipe = projects.written(
            folder,
            network,
            augment=HOW,
            data={"examples": "rows.jsonl", "max_tokens": 96},
            training={"epochs": 2, "batch_size": 4, "learning_rate": 0.003},
        )
        return trimtab.tune(recipe, root=folder / "runs", explore=True)


def rung(run: Any) -> dict[str, Any]:
    (only,) = run.folder.read("ladder.json")["rungs"]
    return dict(only)


def made(run: Any) -> list[Example]:
    """The augmented rows as the run recorded them."""
    return [
        Example(
            tuple(Message(**m) for m in row["messages"]),
            tuple(row["references"]),
            row["id"],
            fields=row["fields"],
        )
        for row in run.folder.rows(lineage.MADE)
    ]


def test_the_two_are_compared_on_all_of_select(run: Any) -> None:
    one, other = rung(run)["candidates"]
    assert (one["name"], other["name"]) == (
        "blocks 0 1, with augmentation",
        "blocks 0 1, without augmentation",
    )
    (effect,) = rung(run)["augmentation"]
    assert (effect["with"], effect["without"]) == ([one["stack"]], [other["stack"]])
    assert effect["each"] == [effect["comparison"]]
    scores: dict[str, dict[str, float]] = {}
    for entry in (one, other):
        found = run.folder.rows(f"trials/{entry['stack']}/scores.jsonl")
        scores[entry["stack"]] = {s["example"]: s["value"] for s in found if s["metric"] == "exact_match"}
    select = {row["id"] for row in run.folder.rows("examples.jsonl")}
    assert set(scores[one["stack"]]) == set(scores[other["stack"]]) == select
    pairs = [scores[one["stack"]][item] - scores[other["stack"]][item] for item in select]
    difference = effect["comparison"]["difference"]
    assert difference["value"] == pytest.approx(fmean(pairs))
    assert difference["n"] == len(select)
    assert difference["low"] < difference["value"] < difference["high"]
    assert 0 < effect["comparison"]["p_value"] <= 1
    assert effect["comparison"]["threshold"] == 0


def test_the_record_says_what_was_learned(run: Any) -> None:
    one, other = rung(run)["candidates"]
    rows, parts = made(run), {row.id: row.part for row in lineage.rows(run.folder)}
    tune = [name for name, part in parts.items() if part == "tune"]
    told = one["cost"]["augmented"]
    assert told["by_kind"]["mixing"] == len(tune)
    assert len(tune) < told["by_kind"]["noise"] <= 2 * len(tune)
    assert (told["rows"], told["parents"]) == (len(rows), len(tune))
    assert "augmented" not in other["cost"]
    assert {parts[row.id] for row in rows} == {"augmented"}
    updates = [len(run.folder.rows(f"trials/{entry['stack']}/training.jsonl")) for entry in (one, other)]
    assert updates[0] == updates[1] > 10
    learned = [lineage.stacks(run.folder)[entry["stack"]].parts for entry in (one, other)]
    assert learned == [("tune", "augmented"), ("tune",)]
    planned = run.folder.read("plan.json")["candidates"]["layers"]
    assert [candidate["augment"] for candidate in planned] == [True, False]


def test_nothing_of_select_or_confirm_is_made_or_learned(run: Any) -> None:
    """By what rows say, not by their ids."""
    rows = made(run)
    examples = {example.id: example for example in read(str(run.folder.recipe()["data"]["examples"]), {}, "")}
    parts = {row.id: row.part for row in lineage.rows(run.folder)}
    sealed = [example for name, example in examples.items() if parts[name] in ("select", "confirm")]
    assert len(sealed) > 30
    assert {content_key(e) for e in sealed}.isdisjoint(content_key(row) for row in rows)
    assert {prompt_key(e) for e in sealed}.isdisjoint(prompt_key(row) for row in rows)
    turns = {m.content for row in rows for m in row.messages if m.role == "user"}
    assert turns.isdisjoint(example.prompt for example in sealed)
    assert {
        parts[str(row.fields[name])] for row in rows for name in ("parent", "beside") if name in row.fields
    } == {"tune"}
    # What was measured is what the data file holds, and nothing else.
    shown = {row["id"]: row["messages"][-1]["content"] for row in run.folder.rows("examples.jsonl")}
    assert shown == {e.id: e.prompt for e in sealed if parts[e.id] == "select"}
    for path in run.folder.path.glob("trials/*/outputs.jsonl"):
        assert {json.loads(line)["example"] for line in path.read_text().splitlines()} <= set(shown)


def test_page_and_summary_say_what_it_did(run: Any) -> None:
    page = (run.folder.path / "report.html").read_text(encoding="utf-8")
    said = "with augmentation beside the same without: exact"
    for text in (page, " ".join(summary(run.folder).split())):
        assert said in text
    assert "nothing of other seeds of training" in page
    assert "made from this many rows of tune" in page


def test_several_seeds_of_training_are_averaged_within_an_item(tmp_path: Path, network: Path) -> None:
    seeds = [{"method": "blocks", "blocks": [0, 1], "seed": seed} for seed in (0, 5)]
    recipe = projects.written(
        tmp_path,
        network,
        augment=HOW,
        candidates={"layers": seeds},
        goal={"metric": "chrf", "min_gain": 1.0},
        data={"examples": "rows.jsonl", "max_tokens": 96},
        training={"epochs": 1, "batch_size": 4, "learning_rate": 0.003},
    )
    run = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    (effect,) = rung(run)["augmentation"]
    assert effect["name"] == "blocks 0 1, with augmentation"
    assert len(set(effect["with"]) | set(effect["without"])) == 4
    means = []
    for one, other in zip(effect["with"], effect["without"], strict=True):
        values = [
            {s["example"]: s["value"] for s in run.folder.rows(f"trials/{stack}/scores.jsonl")}
            for stack in (one, other)
        ]
        means.append(fmean(values[0][item] - values[1][item] for item in values[0]))
    assert [each["difference"]["value"] for each in effect["each"]] == pytest.approx(means)
    assert effect["comparison"]["difference"]["value"] == pytest.approx(fmean(means))
    assert effect["comparison"]["difference"]["n"] == len(run.folder.rows("examples.jsonl"))
