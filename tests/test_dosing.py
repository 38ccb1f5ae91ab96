"""The dose study on a real, tiny network: what is measured, found again after a kill, written and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests import projects
from tests.kinds import Rule, Wider, install
from trimtab import dosing
from trimtab.adjust.stack import BASE, Stack
from trimtab.errors import RunError, UserError
from trimtab.recipe import load as load_recipe

ROWS = 100


pytestmark = pytest.mark.usefixtures("cache")


def project(folder: Path, network: Path, **changes: Any) -> Path:
    """Rows whose answer is always "ok", and a guard on plain text."""
    path = projects.written(
        folder,
        network,
        ROWS,
        **{
            "data": {
                "examples": "rows.jsonl",
                "max_tokens": 64,
                "split": {"tune": 0.4, "select": 0.3, "confirm": 0.3},
            },
            "guards": [{"suite": "plain.jsonl", "metric": "nll", "margin": 0.5}],
            "training": {"epochs": 8, "batch_size": 4, "learning_rate": 0.01},
            **changes,
        },
    )
    passages = [{"text": f"A short passage, number {n}, of plain words."} for n in range(120)]
    projects.lines(folder / "plain.jsonl", passages)
    return path


def test_gain_and_harm_by_strength(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs", explore=True)
    found = dosing.study(run.folder.path, strengths=(0.05, 1, 30))
    assert found == run.folder.read("dose.json")
    assert [dose["strength"] for dose in found["doses"]] == [0, 0.05, 1, 30]
    assert found["level"] == pytest.approx(1 - 0.05 / 3)
    base, little, fitted, much = found["doses"]
    assert base["stack"] == BASE
    assert base["target"]["difference"]["value"] == 0
    assert base["guards"][0]["by_construction"]
    assert little["target"]["difference"]["value"] < 0.2
    assert fitted["stack"] == run.verdict.stack
    assert fitted["target"]["outcome"] == "better"
    assert found["smallest_effective"] == 1
    # This network's norms keep its guard whole at any strength; far beyond what was fitted the gain is lost again.
    assert much["target"]["difference"]["value"] < 0.5 < fitted["target"]["difference"]["value"]
    assert all(dose["guards"][0]["comparison"]["outcome"] == "held" for dose in found["doses"])
    assert found["first_harmful"] is None
    assert not (tmp_path / "rows.jsonl.looks.json").exists()
    page = (run.folder.path / "report.html").read_text(encoding="utf-8")
    assert "How much of it" in page
    assert 'id="dose-target-drawing-title"' in page


def test_strength_1_is_what_the_run_measured(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs", explore=True)
    stages: list[str] = []
    found = dosing.study(run.folder.path, strengths=(1,), report=lambda p: stages.append(p.stage))
    (rung,) = run.folder.read("ladder.json")["rungs"]
    value = found["doses"][1]["target"]["difference"]["value"]
    assert value == rung["candidates"][0]["comparison"]["difference"]["value"]
    assert not any("strength" in stage for stage in stages)
    assert found["growing"] is None


def test_an_interrupted_study_goes_on(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs", explore=True)
    other = trimtab.tune(project(tmp_path / "b", network), root=tmp_path / "runs-b", explore=True)
    whole = dosing.study(other.folder.path, strengths=(0.5, 1, 2))

    def interrupt(progress: Any) -> None:
        if progress.stage == "measuring strength 2 on select":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dosing.study(run.folder.path, strengths=(0.5, 1, 2), report=interrupt)
    assert not run.folder.has("dose.json")
    again: list[str] = []
    found = dosing.study(run.folder.path, strengths=(0.5, 1, 2), report=lambda p: again.append(p.stage))
    assert found == whole
    assert "measuring strength 2 on select" in again
    assert "measuring strength 0.5 on select" not in again
    half = Stack.load(run.folder.trial(run.verdict.stack)).scaled(0.5)
    assert (run.folder.trial(half.hash) / "scores.jsonl").is_file()


def test_a_recipe_without_a_run_is_explored_first(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network)
    found = dosing.study(recipe, root=tmp_path / "runs", strengths=(0.5,))
    (folder,) = (tmp_path / "runs").glob("*/dose.json")
    assert json.loads(folder.read_text())["doses"] == found["doses"]
    assert json.loads((folder.parent / "verdict.json").read_text())["explored"]


def test_a_kind_without_a_dial_is_measured_where_it_exists(
    tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [s for s, _ in dosing.existing(Stack((Rule("."),)), (0, 0.25, 0.5, 1, 2))] == [0, 1]
    install(monkeypatch)
    recipe = load_recipe(project(tmp_path, network, ladder=["postprocess"]))
    recipe = recipe.model_copy(update={"candidates": Wider()})
    run = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    found = dosing.study(run.folder.path, stack=run.folder.read("ladder.json")["rungs"][0]["chosen"])
    assert [dose["strength"] for dose in found["doses"]] == [0, 1]
    assert found["level"] == pytest.approx(0.95)
    assert all(guard["by_construction"] for dose in found["doses"] for guard in dose["guards"])


def test_what_cannot_be_studied_is_refused(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network)
    run = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    with pytest.raises(RunError, match="no stack 'abc'") as caught:
        dosing.study(run.folder.path, stack="abc")
    assert run.verdict.stack in caught.value.hint
    with pytest.raises(RunError, match=r"no stack '\.\./x'"):
        dosing.study(run.folder.path, stack="../x")
    with pytest.raises(UserError, match="0 to 100"):
        dosing.study(run.folder.path, strengths=(-1,))
    with pytest.raises(RunError, match="not a run folder"):
        dosing.study(tmp_path)
    (tmp_path / "rows.jsonl").write_text(
        json.dumps({"prompt": "x", "completion": "y"}) + "\n" + (tmp_path / "rows.jsonl").read_text()
    )
    with pytest.raises(RunError, match="no longer those of the run"):
        dosing.study(run.folder.path)
