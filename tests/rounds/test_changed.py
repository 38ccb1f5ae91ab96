"""What a round changed: through the command line, in the record, on the page."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Call, call
from tests.document.test_report import Page
from tests.rounds import made
from trimtab.document import summary
from trimtab.rounds import compare
from trimtab.run import RunFolder

__all__ = ["call"]


@pytest.fixture
def weak(run: RunFolder) -> RunFolder:
    """The run as if its best stack had answered half of select wrongly."""
    stack = run.verdict().stack
    for name, key, bad in (("scores", "value", 0.0), ("outputs", "text", "no way")):
        rows = run.rows(f"trials/{stack}/{name}.jsonl")
        half = {row["example"] for row in rows[::2]}
        run.write_rows(
            f"trials/{stack}/{name}.jsonl",
            [row | {key: bad} if row["example"] in half else row for row in rows],
        )
    return run


def test_a_round_from_the_command_line_says_what_changed(weak: RunFolder, call: Call, tmp_path: Path) -> None:
    select = made.ids(weak, "select")
    stack = weak.verdict().stack
    failed = [row["example"] for row in weak.rows(f"trials/{stack}/outputs.jsonl") if row["text"] == "no way"]
    flags = [made.flag(failed[1], "no way"), made.flag(failed[2], "ok")]
    made.review(weak, confirm=made.ids(weak, "confirm")[:5], corrections={failed[0]: ["ok"]}, flags=flags)
    made.grow(weak, 60)
    planned = call("plan", "--from", weak.path)
    assert planned.code == 0, planned.err
    assert "look 2" in planned.out
    done = call("tune", "--from", weak.path, "--runs", tmp_path / "runs")
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert f"round 2, after {weak.path.name} (ship, " in said
    assert max(map(len, done.out.splitlines()[:-2])) <= 80
    document = call("tune", "--from", weak.path, "--runs", tmp_path / "runs", "--json").document
    taken = document["round"]
    assert taken["moved"] == {"shown": 5, "corrected": 1}
    failures = taken["failures"]
    assert failures["items"] == len(select) - 1
    assert failures["before"]["value"] > 0.3
    assert failures["now"]["value"] == 0
    assert {fate["fate"] for fate in failures["fates"]} == {"solved"}
    assert taken["again"] == {"asked": 2, "came": 1}
    page = (Path(document["run"]) / "report.html").read_text()
    text = Page(page).text
    assert '<section id="round"' in page
    for words in ("Round 2, after run", "5 items that people saw", "1 came again", "solved", "look 2"):
        assert words in text, words
    assert re.search(r"may err with 0\.15\d*% on one side", text)


def test_what_cannot_be_compared_is_said(run: RunFolder, call: Call, tmp_path: Path) -> None:
    made.review(run)
    recipe = run.recipe() | {"review": {"required": False}, "seed": 3}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(recipe))
    document = call("tune", tmp_path / "other.yaml", "--from", run.path, "--explore", "--json").document
    folder = RunFolder(Path(document["run"]))
    content = folder.read("round.json")
    shutil.rmtree(run.path / "trials")
    del content["failures"]
    folder.write("round.json", content)
    assert "no scores" in compare(folder)["failures"]["undefined"]
    assert "this run took no look" in json.dumps(Page((folder.path / "report.html").read_text()).text)
    assert "round   2" in summary(folder)
    assert "Kinds of failure were not compared" in Page((folder.path / "report.html").read_text()).text


def test_a_run_that_goes_on_from_no_other_has_no_such_part(run: RunFolder) -> None:
    assert compare(run) == {}
    assert 'id="round"' not in (run.path / "report.html").read_text()
