"""The verb verify: a text, a file, standard input, and the record of a run."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests.test_verifying import LONG, project
from trimtab.cli.main import call

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, network: Path) -> str:
    folder = tmp_path_factory.mktemp("verified")
    changes: Any = {"disclosure": {"watermark": "synthid"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        patch.setattr("trimtab.adjust.watermark.secrets.token_hex", lambda _: "5eed" * 8)
        made = trimtab.tune(project(folder, network, **changes), root=folder / "runs", explore=True)
    return str(made.folder.path)


def test_a_text_is_verified_wherever_it_comes_from(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = [path for path in Path(run).glob("trials/*/outputs.jsonl") if path.parent.name != "base"]
    texts = [json.loads(line)["text"] for path in outputs for line in path.read_text().splitlines()]
    marked = max(texts, key=len)
    file = tmp_path / "it.txt"
    file.write_text(f"{marked}\n", encoding="utf-8")
    assert call(["verify", str(file), "--run", run, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scheme"] == "synthid"
    assert found["tokens"] >= found["counted"] > 16
    assert call(["verify", LONG, "--run", run]) == 0
    shown = capsys.readouterr().out
    assert "p-value" in shown
    assert max(map(len, shown.splitlines())) <= 80
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{marked}\n"))
    assert call(["verify", "-", "--run", run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_without_a_text_the_record_is_read(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["verify", "--run", run]) == 0
    shown = capsys.readouterr().out
    assert "references" in shown
    assert "base answers" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert call(["verify", "--run", run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["alpha"] == 0.01


def test_mistakes_are_named(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["verify", "a text", "--run", str(tmp_path)]) == 2
    assert "not a run folder" in " ".join(capsys.readouterr().err.split())
    assert call(["verify", "x" * 1_000_001, "--run", run]) == 2
    assert "at most 1000000 are read" in capsys.readouterr().err
