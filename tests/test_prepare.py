"""What makes two recipes the same job: what they decide and what their files hold, not where they lie."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from trimtab.prepare import Prepared, prepare
from trimtab.recipe import load

RECIPE = {
    "data": {"examples": "rows.jsonl"},
    "goal": {"metric": "chrf"},
    "guards": [
        {"suite": "plain.jsonl", "metric": "nll", "margin": 0.1},
        {"suite": "general-questions", "metric": "choice", "margin": 0.1},
    ],
}


def project(folder: Path) -> Path:
    folder.mkdir()
    for name, rows in (
        ("rows.jsonl", [{"prompt": f"item {n}", "completion": f"ok {n}"} for n in range(40)]),
        ("plain.jsonl", [{"text": f"A passage, number {n}."} for n in range(30)]),
    ):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    return folder


def prepared(folder: Path) -> Prepared:
    return prepare(load(folder / "recipe.yaml"))


pytestmark = pytest.mark.usefixtures("cache")


def test_a_folder_that_was_moved_is_the_same_job(tmp_path: Path) -> None:
    here = project(tmp_path / "here")
    first = prepared(here)
    shutil.move(here, tmp_path / "there")
    assert prepared(tmp_path / "there").identity == first.identity


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rows.jsonl", "item 7", "item seven"),
        ("rows.jsonl", "ok 7", "ok seven"),
        ("plain.jsonl", "number 3.", "number three."),
        ("recipe.yaml", "margin: 0.1", "margin: 0.2"),
        ("recipe.yaml", "chrf", "bleu"),
    ],
)
def test_another_content_is_another_job(tmp_path: Path, file: str, old: str, new: str) -> None:
    folder = project(tmp_path / "here")
    first = prepared(folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert prepared(folder).identity != first.identity


def test_the_budget_is_no_part_of_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "here")
    first = prepared(folder)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE | {"budget": {"minutes": 3}}), encoding="utf-8")
    assert prepared(folder).identity == first.identity


RULES = {"rules": [{"id": "calm", "text": "No shouting.", "forbid": {"phrases": ["wow"]}}]}


def with_rules(folder: Path, **changes: object) -> Path:
    """A project with guidelines, which it also measures, and a list of phrases."""
    project(folder)
    (folder / "guidelines.yaml").write_text(yaml.safe_dump(RULES), encoding="utf-8")
    (folder / "list.txt").write_text("wow\n", encoding="utf-8")
    recipe = {**RECIPE, "guidelines": "guidelines.yaml", "goal": {"metric": "guidelines"}, **changes}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return folder


def test_guidelines_are_read_and_the_metric_finds_the_recipes_own(tmp_path: Path) -> None:
    found = prepared(with_rules(tmp_path / "here"))
    assert found.guidelines is not None
    assert [rule.id for rule in found.guidelines.rules] == ["calm"]
    assert found.goal.score is not None
    example = found.parts["tune"][0]
    assert (found.goal.score(example, "Wow."), found.goal.score(example, "Tea.")) == (0, 1)
    assert prepared(project(tmp_path / "bare")).guidelines is None


@pytest.mark.parametrize(
    ("file", "old", "new"), [("guidelines.yaml", "wow", "hey"), ("list.txt", "wow", "hey")]
)
def test_content_of_rules_and_lists_is_the_job_and_their_place_is_not(
    tmp_path: Path, file: str, old: str, new: str
) -> None:
    goal = {"metric": "phrase_rate", "options": {"file": "list.txt"}}
    here = with_rules(tmp_path / "here", goal=goal)
    first = prepared(here).identity
    shutil.move(here, tmp_path / "there")
    assert prepared(tmp_path / "there").identity == first
    path = tmp_path / "there" / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert prepared(tmp_path / "there").identity != first
