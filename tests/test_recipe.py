"""The recipe: strict, all problems at once, paths relative to its own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trimtab.errors import RecipeError
from trimtab.recipe import Recipe, load, parse

SMALL: dict[str, Any] = {"data": {"examples": "data.jsonl"}, "goal": {"metric": "chrf"}}


def refused(content: dict[str, Any]) -> str:
    with pytest.raises(RecipeError) as raised:
        parse(content, name="recipe.yaml")
    assert raised.value.exit_code == 2
    assert "docs/recipe.md" in raised.value.hint
    return raised.value.message


def test_the_smallest_recipe_has_every_default() -> None:
    recipe = parse(SMALL)
    assert recipe.model == "smollm2-135m-instruct"
    assert recipe.ladder == {"adapter": 1.0}
    assert (recipe.data.split.tune, recipe.data.split.select, recipe.data.split.confirm) == (0.5, 0.2, 0.3)
    assert Recipe.model_validate(recipe.model_dump(mode="json")) == recipe


def test_all_problems_are_named_at_once() -> None:
    message = refused(
        {
            "modle": "x",
            "data": {"split": {"tune": 0.9, "select": 0.2, "confirm": 0.3}},
            "goal": {"metric": "chrf", "min_gain": -1},
            "guards": [{"suite": "a", "metric": "nll", "margin": 0}],
            "training": {"schedule": "quadratic"},
            "seed": "soon",
        }
    )
    lines = message.splitlines()
    assert lines[0] == "recipe.yaml:"
    for place in (
        "modle", "data.examples", "data.split", "goal.min_gain", "guards.0.margin", "training.schedule", "seed"
    ):  # fmt: skip
        assert sum(line.startswith(f"- {place}:") for line in lines) == 1, place
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("change", "nearest"),
    [
        ({"modle": "x"}, "modle: unknown key; did you mean model?"),
        ({"goal": {"metric": "chrf", "min_gian": 1}}, "goal.min_gian: unknown key; did you mean min_gain?"),
        (
            {"training": {"learning_rte": 1}},
            "training.learning_rte: unknown key; did you mean learning_rate?",
        ),
        (
            {"data": {"examples": "a", "split": {"tunes": 0.5}}},
            "data.split.tunes: unknown key; did you mean tune?",
        ),
        (
            {"guards": [{"suite": "a", "metric": "b", "margin": 1, "margins": 1}]},
            "guards.0.margins: unknown key; did you mean margin?",
        ),
        (
            {"candidates": {"adapter": [{"rnak": 4}]}},
            "candidates.adapter.0.rnak: unknown key; did you mean rank?",
        ),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(change: dict[str, Any], nearest: str) -> None:
    assert nearest in refused(SMALL | change)


def test_a_key_near_to_none_is_answered_with_all() -> None:
    assert "known: metric, min_gain" in refused(SMALL | {"goal": {"metric": "chrf", "zzzz": 1}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"goal": {"metric": "chrf", "min_gain": 2, "expected_gain": 2}}, "must be above min_gain"),
        (
            {"data": {"examples": "a", "split": {"tune": 0.5, "select": 0.3, "confirm": 0.3}}},
            "they add up to 1.1",
        ),
        ({"ladder": []}, "at least one rung"),
        ({"ladder": {"adapter": 0}}, "every weight above 0"),
        ({"ladder": ["prompting"]}, "ladder"),
        ({"sampling": {"temperature": "hot"}}, "sampling.temperature"),
        ({"candidates": {"adapter": [{"method": "loro"}]}}, "received 'loro'"),
    ],
)
def test_values_out_of_range(change: dict[str, Any], said: str) -> None:
    assert said in refused(SMALL | change)


def test_a_ladder_may_be_a_list_or_weights() -> None:
    assert parse(SMALL | {"ladder": ["adapter", "layers"]}).ladder == {"adapter": 1.0, "layers": 1.0}
    assert parse(SMALL | {"ladder": {"layers": 3}}).ladder == {"layers": 3.0}


def test_a_recipe_never_changes_after_reading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse(SMALL).seed = 3  # type: ignore[misc]


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_files_that_are_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such file") as raised:
        load(tmp_path / "none.yaml")
    assert "trimtab init" in raised.value.hint
    with pytest.raises(RecipeError, match=r"recipe\.yaml: not valid YAML") as raised:
        load(write(tmp_path, "data: {examples: a\ngoal: ["))
    assert "line" in raised.value.message
    with pytest.raises(RecipeError, match="expected a mapping of options, received list"):
        load(write(tmp_path, "- a\n- b\n"))
    with pytest.raises(RecipeError, match="received NoneType"):
        load(write(tmp_path, ""))
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="not valid YAML"):
        load(path)


TEXT = """
model: models/own
data: {examples: rows/data.jsonl}
goal: {metric: "score.py:mine"}
guards:
  - {suite: guard.jsonl, metric: nll, margin: 0.1}
  - {suite: target, metric: "/abs/score.py:mine", margin: 0.1}
  - {suite: general-english, metric: nll, margin: 0.1}
"""


def test_paths_are_relative_to_the_recipes_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    (folder / "models" / "own").mkdir(parents=True)
    (folder / "target").mkdir()
    for name in ("score.py", "guard.jsonl", "nll"):
        (folder / name).write_text("")
    write(folder, TEXT)
    monkeypatch.chdir(tmp_path)
    recipe = load("project/recipe.yaml")
    assert recipe.model == str(folder / "models" / "own")
    assert recipe.data.examples == str(folder / "rows" / "data.jsonl")
    assert recipe.goal.metric == f"{folder / 'score.py'}:mine"
    assert [g.suite for g in recipe.guards] == [str(folder / "guard.jsonl"), "target", "general-english"]
    assert [g.metric for g in recipe.guards] == ["nll", "/abs/score.py:mine", "nll"]


def test_a_data_set_of_the_hub_is_no_path(tmp_path: Path) -> None:
    path = write(tmp_path, "data: {examples: 'hub:someone/data:train'}\ngoal: {metric: chrf}\n")
    assert load(path).data.examples == "hub:someone/data:train"
