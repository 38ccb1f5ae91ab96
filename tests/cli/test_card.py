"""The verb card: two files beside the data, what is not known, and mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.audit.made import raw, write
from tests.cli.conftest import Call


@pytest.fixture
def data(tmp_path: Path) -> str:
    (tmp_path / "set").mkdir()
    return (
        Path(write(tmp_path / "set" / "data.jsonl", raw(("a", "b c"), ("d", "e f"))))
        .relative_to(tmp_path)
        .as_posix()
    )


def test_two_files_beside_the_data(call: Call, data: str, tmp_path: Path) -> None:
    done = call("card", data, "--use", "creator=The archive", "--use", "language=en")
    assert done.code == 0, done.err
    assert "Written: set/README.md" in done.out
    assert "Not known: licence, source" in done.out
    text = (tmp_path / "set" / "README.md").read_text()
    assert "| creator | The archive |" in text
    assert "trimtab card data.jsonl --use 'creator=The archive' --use language=en" in text
    assert json.loads((tmp_path / "set" / "croissant.json").read_text())["inLanguage"] == ["en"]


def test_json_names_what_is_not_known(call: Call, data: str, tmp_path: Path) -> None:
    found = call("card", data, "--out", "out", "--json").document
    assert found["written"] == ["out/README.md", "out/croissant.json"]
    assert len(found["sha256"]) == 64
    assert "licence" in found["not_known"]
    assert "Put data.jsonl beside them" in call("card", data, "--out", "out").out


@pytest.mark.parametrize(
    "arguments",
    [["--use", "creater=x"], ["--use", "on=refusal"], ["--use", "prompt=x"], ["--against", "none"]],
)
def test_a_mistake_is_told_and_nothing_is_written(
    call: Call, data: str, tmp_path: Path, arguments: list[str]
) -> None:
    done = call("card", data, *arguments)
    assert done.code == 2
    assert "Hint" in done.err
    assert not (tmp_path / "set" / "README.md").exists()
