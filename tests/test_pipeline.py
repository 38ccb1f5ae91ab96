"""The main job on a real, tiny network: what a run writes, how it resumes, what it refuses, what it charges."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests import projects
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust.stack import Stack
from trimtab.document import report
from trimtab.errors import MaskError, RecipeError, RunError
from trimtab.model.load import load
from trimtab.records import Sampling
from trimtab.run import RunFolder

pytestmark = pytest.mark.usefixtures("cache")
project = projects.written


def test_a_change_that_works_ships_and_is_recorded(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs")
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert run.verdict.difference.low > 0.2
    assert run.verdict.look == 1
    written = {path.name for path in run.folder.path.rglob("*") if path.is_file()}
    expected = {
        "recipe.yaml",
        "provenance.json",
        "certificate.json",
        "plan.json",
        "ladder.json",
        "verdict.json",
        "report.html",
        "stack.json",
        "outputs.jsonl",
        "scores.jsonl",
        "training.jsonl",
    }
    assert expected <= written
    base = load(str(network))
    with run.stack.attach(base) as generate:
        answers = generate(run_examples(run), Sampling(max_new_tokens=4))
    assert [answer.text for answer in answers] == ["ok"] * len(answers)
    with Stack().attach(base) as generate:
        assert all(answer.text != "ok" for answer in generate(run_examples(run), Sampling(max_new_tokens=4)))


def run_examples(run: Any) -> list[Any]:
    """A few prompts of the run's select part."""
    from trimtab.records import Example, Message

    rows = run.folder.rows("examples.jsonl")[:3]
    return [Example(tuple(Message(**m) for m in row["messages"]), id=row["id"]) for row in rows]


def test_confirm_stays_sealed(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs")
    shown = {row["id"] for row in run.folder.rows("examples.jsonl")}
    for file in run.folder.path.rglob("outputs.jsonl"):
        assert {json.loads(line)["example"] for line in file.read_text().splitlines()} == shown
    assert len(shown) < 90 / 2


def test_an_identical_recipe_replays_and_a_changed_one_pays(tmp_path: Path, network: Path) -> None:
    first = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs")
    again = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs")
    assert again.folder.path == first.folder.path
    changed = project(
        tmp_path, network, seed=0, training={"epochs": 7, "batch_size": 4, "learning_rate": 0.01}
    )
    second = trimtab.tune(changed, root=tmp_path / "elsewhere")
    assert (first.verdict.look, second.verdict.look) == (1, 2)
    assert second.verdict.level > first.verdict.level


def test_exploring_takes_no_look(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network)
    explored = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    assert explored.verdict.explored
    assert explored.verdict.look == 0
    assert not (tmp_path / "rows.jsonl.looks.json").exists()
    confirmed = trimtab.tune(recipe, root=tmp_path / "runs")
    assert confirmed.folder.path == explored.folder.path
    assert confirmed.verdict.look == 1


def test_training_on_other_peoples_answers_does_not_ship(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["part"] = "tune" if number < 60 else "select" if number < 75 else "confirm"
        row["completion"] = "no" if number < 60 else "ok"
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = trimtab.tune(recipe, root=tmp_path / "runs")
    assert run.verdict.outcome != "ship"
    assert run.verdict.look == 0


def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path: Path, network: Path) -> None:
    whole = trimtab.tune(project(tmp_path / "a", network), root=tmp_path / "a" / "runs")
    recipe = project(tmp_path / "b", network)
    script = (
        "import sys; from trimtab.adjust import checkpoint; checkpoint.SECONDS = 0.0; import trimtab;"
        "trimtab.tune(sys.argv[1], root=sys.argv[2])"
    )
    command = [sys.executable, "-c", script, str(recipe), str(tmp_path / "b" / "runs")]
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    while not list((tmp_path / "b").rglob("checkpoint.safetensors")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list((tmp_path / "b").rglob("checkpoint.safetensors")), "killed too late to show anything"
    resumed = trimtab.tune(recipe, root=tmp_path / "b" / "runs")
    assert losses(resumed) == losses(whole)
    assert resumed.verdict.stack == whole.verdict.stack
    assert resumed.verdict.difference == whole.verdict.difference


def losses(run: Any) -> list[float]:
    """Training loss of each update of the judged stack."""
    return [row["loss"] for row in run.folder.rows(f"trials/{run.verdict.stack}/training.jsonl")]


def test_two_processes_do_not_share_a_run(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network)
    run = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    with run.folder.locked(), pytest.raises(RunError, match="another process"):
        trimtab.tune(recipe, root=tmp_path / "runs")


def test_rows_cut_before_the_answer_are_refused_and_named(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network, data={"examples": "rows.jsonl", "max_tokens": 16})
    with pytest.raises(MaskError, match="nothing supervised") as caught:
        trimtab.tune(recipe, root=tmp_path / "runs")
    assert "max_tokens" in caught.value.hint


def test_a_template_without_a_stop_token_is_refused(tmp_path: Path) -> None:
    endless = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}" + (
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    folder = tmp_path / "network"
    tiny_model().save_pretrained(folder)
    tiny_tokenizer(endless).save_pretrained(folder)
    with pytest.raises(MaskError, match="stop token"):
        trimtab.tune(project(tmp_path, folder), root=tmp_path / "runs")


def test_interrupting_loses_nothing(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network)
    seen: list[str] = []

    def interrupt(progress: Any) -> None:
        seen.append(progress.stage)
        if progress.stage.startswith("fitting") and progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trimtab.tune(recipe, root=tmp_path / "runs", report=interrupt)
    assert list((tmp_path / "runs").rglob("checkpoint.safetensors"))
    run = trimtab.tune(recipe, root=tmp_path / "runs")
    assert [row["step"] for row in run.folder.rows(f"trials/{run.verdict.stack}/training.jsonl")][:6] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    assert run.verdict.outcome == "ship"


def test_plan_states_power_before_anything_is_spent(tmp_path: Path, network: Path) -> None:
    plan = trimtab.plan(project(tmp_path, network))
    assert {row["role"] for row in plan["power"]} == {"target", "guard"}
    assert 0 <= plan["joint_power"] <= 1
    assert plan["minutes"] >= 0
    assert plan["memory_bytes"] > 0
    assert not (tmp_path / "rows.jsonl.looks.json").exists()


def test_plan_refuses_a_margin_that_cannot_be_proven(tmp_path: Path, network: Path) -> None:
    guards = [{"suite": "target", "metric": "exact_match", "margin": 0.02}]
    plan = trimtab.plan(project(tmp_path, network, guards=guards))
    assert any("0.02" in problem and "needs" in problem for problem in plan["problems"])


def test_tune_refuses_what_could_never_ship_unless_it_only_explores(tmp_path: Path, network: Path) -> None:
    guards = [{"suite": "target", "metric": "exact_match", "margin": 0.02}]
    recipe = project(tmp_path, network, guards=guards)
    with pytest.raises(RecipeError, match="cannot end in ship"):
        trimtab.tune(recipe, root=tmp_path / "runs")
    assert not (tmp_path / "rows.jsonl.looks.json").exists()
    assert trimtab.tune(recipe, root=tmp_path / "runs", explore=True).verdict.explored


def interrupted(recipe: Path, root: Path) -> RunFolder:
    """A run that was stopped in its training, with its provenance as written."""

    def interrupt(progress: Any) -> None:
        if progress.stage.startswith("fitting"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trimtab.tune(recipe, root=root, report=interrupt)
    (path,) = root.glob("*-*")
    return RunFolder.open(path)


def test_a_run_that_goes_on_with_other_versions_says_so(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network)
    folder = interrupted(recipe, tmp_path / "runs")
    was = folder.read("provenance.json")
    assert was["changes"] == []
    folder.write("provenance.json", {**was, "packages": {**was["packages"], "torch": "1.0"}})
    run = trimtab.tune(recipe, root=tmp_path / "runs")
    (said,) = run.folder.read("provenance.json")["changes"]
    assert "packages.torch from 1.0 to " in said
    assert said in report(run.folder)


@pytest.mark.parametrize(
    "change", [{"fingerprint": "another"}, {"dtype": {"value": "float16", "reason": "asked for"}}]
)
def test_a_run_that_was_begun_with_another_model_is_refused(
    tmp_path: Path, network: Path, change: dict[str, Any]
) -> None:
    recipe = project(tmp_path, network)
    folder = interrupted(recipe, tmp_path / "runs")
    was = folder.read("provenance.json")
    folder.write("provenance.json", {**was, "model": {**was["model"], **change}})
    with pytest.raises(RunError, match="begun with another model"):
        trimtab.tune(recipe, root=tmp_path / "runs")
    folder.write("provenance.json", was)
    assert trimtab.tune(recipe, root=tmp_path / "runs").folder.read("provenance.json")["changes"] == []
