"""The verb dose on a tiny saved model, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call


@pytest.fixture
def tiny_run(tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> str:
    """A run that explored with a tiny adapter; the folder's path."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    lines = [{"prompt": f"Say {n}.", "completion": f"{n}!"} for n in range(30)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(
        f"model: {network}\n"
        "data: {examples: rows.jsonl, max_tokens: 64}\n"
        "goal: {metric: chrf, min_gain: 2.0, expected_gain: 6.0}\n"
        "sampling: {max_new_tokens: 4}\n"
        "candidates: {adapter: [{method: lora, rank: 2}]}\n"
        "training: {epochs: 1, batch_size: 8}\n",
        encoding="utf-8",
    )
    call("tune", "recipe.yaml", "--explore")
    return str(call("runs", "--json").document["runs"][0]["folder"])


def test_dose_prints_a_row_for_each_strength(call: Call, tiny_run: str) -> None:
    done = call("dose", tiny_run, "--strengths", "0.5,1")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[:4]] == ["strength", "0", "0.5", "1"]
    assert "Smallest effective" in done.out
    assert "First harmful" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    document = call("dose", tiny_run, "--strengths", "0.5,1", "--json").document
    assert [dose["strength"] for dose in document["doses"]] == [0, 0.5, 1]
    assert (Path(tiny_run) / "dose.json").is_file()


def test_mistakes_are_named(call: Call, tiny_run: str) -> None:
    done = call("dose", tiny_run, "--strengths", "half")
    assert (done.code, "not a list of numbers" in done.err) == (2, True)
    assert call("dose", tiny_run, "--stack", "none").code == 2
    assert call("dose", "missing.yaml").code == 2
