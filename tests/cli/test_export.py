"""The verb export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.export import made
from trimtab.run import RunFolder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    project = made.project(tmp_path_factory.mktemp("project"))
    return project.run(made.lora(project.base), outcome="inconclusive")


def test_an_export_is_told_in_words(call: Call, run: RunFolder, tmp_path: Path) -> None:
    done = call("export", run.path, "--use", "unproven=yes", "--use", "prompts=4", "--out", "out")
    assert done.code == 0
    assert "merged, f32" in done.out
    assert "4 prompts of select" in done.out
    assert "- unproven: the verdict of its run is inconclusive" in done.out
    assert done.out.splitlines()[-1] == "Written: out"
    assert max(map(len, done.out.splitlines())) <= 80
    assert (tmp_path / "out" / "parity.json").is_file()


def test_a_blocked_export_has_a_code_of_its_own(call: Call, run: RunFolder, tmp_path: Path) -> None:
    more = ("form=gguf", "type=q8_0", "within=0", "prompts=4", "unproven=yes")
    done = call(
        "export", run.path, *(part for one in more for part in ("--use", one)), "--json", "--out", "out"
    )
    assert done.code == 10
    assert done.document["written"] is None
    assert done.document["parity"]["held"] is False
    assert done.document["parity"]["failures"]
    assert not (tmp_path / "out").exists()
    told = call("export", run.path, *(part for one in more for part in ("--use", one)), "--out", "out")
    assert "Blocked, nothing was handed over:" in told.out


def test_mistakes_are_answered(call: Call, run: RunFolder) -> None:
    assert "not ship" in call("export", run.path).err
    assert "form=onnx" in call("export", run.path, "--use", "form=onnx").err
    assert "a number of nats" in call("export", run.path, "--use", "within=-1").err
    assert "not a run folder" in call("export", "nowhere").err
    failed = call("export", run.path, "--json")
    assert json.loads(failed.out)["error"]["kind"] == "RunError"
    assert failed.code == 2
