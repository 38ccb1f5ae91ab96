"""The verb erase: what it prints, in words and as JSON, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call

pytestmark = pytest.mark.usefixtures("cache")
SAID = "The harbour office closes at noon on Fridays"


def rows(path: Path) -> None:
    """Two people's rows."""
    lines = [
        {"prompt": SAID, "completion": "ok", "who": "p"},
        {"prompt": "Another", "completion": "ok", "who": "q"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_dry_run_then_the_erasure_then_nothing_left(call: Call, tmp_path: Path) -> None:
    rows(tmp_path / "rows.jsonl")
    planned = call("erase", "p", "--column", "who", "--dry-run")
    assert planned.code == 0
    assert "rows.jsonl: rows removed (1 row)" in planned.out
    assert "Nothing was changed." in planned.out
    assert SAID in (tmp_path / "rows.jsonl").read_text()
    done = call("erase", "p", "--column", "who", "--json").document
    assert done["state"] == "done"
    assert SAID not in (tmp_path / "rows.jsonl").read_text()
    again = call("erase", "p", "--column", "who")
    assert again.code == 0
    assert "Nothing is left" in again.out
    assert done["request"] in again.out
    assert "Nothing is left" in call("erase", "p", "--column", "who", "--dry-run").out


def test_an_unknown_subject_ends_with_two(call: Call, tmp_path: Path) -> None:
    rows(tmp_path / "rows.jsonl")
    failed = call("erase", "nobody", "--column", "who")
    assert failed.code == 2
    assert "among 2 rows" in failed.err
    assert not list(tmp_path.glob("erasures/*.json"))


def test_a_file_that_quotes_the_person_is_named(call: Call, tmp_path: Path) -> None:
    rows(tmp_path / "rows.jsonl")
    (tmp_path / "notes.md").write_text(f"They wrote: {SAID}.\n")
    done = call("erase", "p", "--column", "who")
    assert "notes.md: holds them still" in done.out
    assert SAID in (tmp_path / "notes.md").read_text()


def test_a_data_file_elsewhere_is_searched_when_named(call: Call, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    rows(tmp_path / "rows.jsonl")
    assert call("erase", "p", "--column", "who", "--project", "project").code == 2
    done = call("erase", "p", "--column", "who", "--project", "project", "--data", "rows.jsonl")
    assert done.code == 0
    assert SAID not in (tmp_path / "rows.jsonl").read_text()
