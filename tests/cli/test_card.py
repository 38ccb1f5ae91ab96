"""The verb card: files beside the data or in a run, what is not known, and mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.audit.made import raw, write
from tests.cli.conftest import Call
from tests.document import made


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


def test_the_card_of_a_run_lies_in_its_folder(call: Call, tmp_path: Path) -> None:
    folder = made.folder(tmp_path / "runs")
    run = folder.path.relative_to(tmp_path).as_posix()
    done = call("card", run, "--use", "uses=Shop texts", "--use", "licence=MIT")
    assert done.code == 0, done.err
    assert [line for line in done.out.split("\n") if line.startswith("Written")] == [
        f"Written: {run}/card.md",
        f"Written: {run}/card.html",
    ]
    assert "Not known: name, creator, language" in done.out
    text = (folder.path / "card.md").read_text()
    assert "| intended use | Shop texts |" in text
    assert f"trimtab card {folder.path.name} --use 'uses=Shop texts' --use licence=MIT" in text
    assert str(tmp_path) not in text


def test_json_of_a_run_has_every_part_and_whether_it_is_a_release(call: Call, tmp_path: Path) -> None:
    path = made.folder(tmp_path / "runs").path
    found = call("card", path, "--json", "--use", "benchmark=refusals=o/r:default").document
    assert [Path(one).name for one in found["written"]] == ["card.md", "card.html", "eval_results.yaml"]
    assert found["released"] is True
    assert found["sections"]["verdict"]["verdict"]["outcome"] == "ship"
    assert found["sections"]["compute"]["tokens"] == 80 * 1184
    held = made.folder(tmp_path / "held", "breached").path
    assert call("card", held, "--json").document["released"] is False
    assert "Not a release." in call("card", held).out


@pytest.mark.parametrize(
    "arguments", [["--out", "x"], ["--against", "a"], ["--use", "source=x"], ["--use", "base_compute=x"]]
)
def test_a_mistake_with_a_run_is_told_and_nothing_is_written(
    call: Call, tmp_path: Path, arguments: list[str]
) -> None:
    path = made.folder(tmp_path / "runs").path
    done = call("card", path, *arguments)
    assert done.code == 2
    assert "Hint" in done.err
    assert not (path / "card.md").exists()


def test_the_card_of_a_run_needs_no_torch(tmp_path: Path) -> None:
    path = made.folder(tmp_path / "runs").path
    probe = (
        "import sys; from trimtab.document import model_card; from trimtab.run import RunFolder; "
        "model_card.write(model_card.facts(RunFolder.open(sys.argv[1]))); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", probe, str(path)], check=False).returncode == 0
