"""plan and tune on a tiny saved model: what is printed, as text and as JSON, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from trimtab.cli.show import OUTCOMES


@pytest.fixture
def tiny_recipe(tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe that trains the tiny network for two updates; without guards."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    lines = [{"prompt": f"Say {n}.", "completion": f"{n}!"} for n in range(30)]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"model: {network}\n"
        f"data: {{examples: {data.name}, max_tokens: 64}}\n"
        "goal: {metric: chrf, min_gain: 2.0, expected_gain: 6.0}\n"
        "sampling: {max_new_tokens: 4}\n"
        "candidates: {adapter: [{method: lora, rank: 2}]}\n"
        "training: {epochs: 1, batch_size: 8}\n",
        encoding="utf-8",
    )
    return recipe


def test_plan_says_power_time_and_the_next_command(call: Call, tiny_recipe: Path) -> None:
    done = call("plan", tiny_recipe.name)
    assert done.code == 0
    assert "chrf" in done.out
    assert "power" in done.out
    assert "minutes" in done.out
    assert done.out.rstrip().endswith(f"trimtab tune {tiny_recipe.name}")
    assert max(map(len, done.out.splitlines())) <= 80
    document = call("plan", tiny_recipe.name, "--json").document
    assert sum(document["parts"].values()) == 30
    assert document["power"][0]["name"] == "chrf"


def test_plan_with_problems_is_the_users_mistake(call: Call, tiny_recipe: Path) -> None:
    text = tiny_recipe.read_text(encoding="utf-8")
    guard = "guards: [{suite: target, metric: exact_match, margin: 0.001}]\n"
    tiny_recipe.write_text(text + guard, encoding="utf-8")
    done = call("plan", tiny_recipe.name)
    assert done.code == 2
    assert "Problem: " in done.out
    assert "0.001" in done.out


def test_tune_prints_the_verdict_and_ends_with_its_code(
    call: Call, tiny_recipe: Path, tmp_path: Path
) -> None:
    done = call("tune", tiny_recipe.name)
    runs = call("runs", "--json").document["runs"]
    assert len(runs) == 1
    assert done.code == OUTCOMES[runs[0]["outcome"]]
    assert (tmp_path / runs[0]["folder"] / "report.html").is_file()
    assert "report.html" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    again = call("tune", tiny_recipe.name, "--json")
    assert again.code == done.code
    assert again.err == ""
    assert again.document["verdict"]["outcome"] == runs[0]["outcome"]
    assert again.document["run"] == runs[0]["folder"]
    assert len(call("runs", "--json").document["runs"]) == 1


def test_explore_takes_no_look_and_progress_goes_to_standard_error(call: Call, tiny_recipe: Path) -> None:
    done = call("tune", tiny_recipe.name, "--explore", "--runs", "elsewhere", "--json", "--progress")
    document = done.document
    assert "fitting adapter-0" in done.err
    assert document["verdict"]["explored"] is True
    assert document["verdict"]["look"] == 0
    assert document["run"].startswith("elsewhere")


def test_a_bad_recipe_names_every_problem(call: Call, tiny_recipe: Path) -> None:
    text = tiny_recipe.read_text(encoding="utf-8").replace("metric:", "metrik:")
    tiny_recipe.write_text(text + "trainning: {}\n", encoding="utf-8")
    for verb in ("tune", "plan"):
        error = call(verb, tiny_recipe.name, "--json")
        assert error.code == 2
        assert error.document["error"]["kind"] == "RecipeError"
        message = error.document["error"]["message"]
        assert "did you mean metric?" in message
        assert "did you mean training?" in message


def test_a_missing_recipe_points_to_init(call: Call) -> None:
    done = call("tune", "nowhere.yaml")
    assert done.code == 2
    assert "trimtab init" in done.err
