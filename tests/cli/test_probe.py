"""The verb probe on a tiny network, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import projects
from tests.cli.conftest import Call

FEW = ("--use", "prompts=5", "--use", "settings=39", "--use", "tokens=3", "--use", "pairs=8")


@pytest.fixture
def recipe(tmp_path: Path, network: Path, cache: Path) -> str:
    goal = {"metric": "chrf", "min_gain": 2.0, "expected_gain": 20.0}
    return str(projects.written(tmp_path, network, goal=goal))


def test_it_reads_well_in_80_columns_and_says_what_was_left_out(call: Call, recipe: str) -> None:
    done = call("probe", recipe, *FEW)
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80 + len(recipe)
    heads = ["What the output is sensitive to", "Which blocks carry it", "Where it fails", "Not looked at:"]
    assert [line for line in done.out.splitlines() if line in heads] == heads
    assert "space: nothing was changed yet" in done.out.replace("\n    ", " ")
    assert done.out.rstrip().endswith("probe.html")


def test_json_has_a_key_for_each_part(call: Call, recipe: str) -> None:
    found = call("probe", recipe, "--only", "layers,deviations", *FEW, "--json").document
    assert list(found) == ["run", "stack", "page", "layers", "deviations", "left_out"]
    assert found["stack"] == "base"
    assert found["layers"]["order"][0]["reason"]
    assert Path(found["page"]).is_file()
    assert json.loads((Path(found["run"]) / "layers.json").read_text(encoding="utf-8"))


def test_mistakes_are_named(call: Call, recipe: str) -> None:
    for arguments, said in (
        (("--only", "colour"), "no part colour"),
        (("--use", "prompt=3"), "did you mean prompts?"),
        (("--use", "why=because"), "expected answer or base or reference"),
        (("--use", "items=none"), "whole number"),
        (("--only", "sensitivity", "--use", "settings=8"), "8 settings"),
        (("--against", "nowhere"), "not a run folder"),
    ):
        done = call("probe", recipe, *arguments)
        assert (done.code, said in done.err.replace("\n  ", " ")) == (2, True), done.err
