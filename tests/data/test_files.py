"""Sources are read as they are asked for: nothing of the rest is in memory, and places stay right."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest

from trimtab.data.files import load, stream
from trimtab.errors import DataError

ROWS = [{"prompt": f"ask {n}", "completion": "line\nbreak ] , {" * (n % 9)} for n in range(3000)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ["rows.json", "rows.json.gz"])
def test_one_list_comes_object_by_object(tmp_path: Path, name: str, indent: int | None) -> None:
    content = json.dumps(ROWS, indent=indent).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    found = load(str(tmp_path / name))
    assert [row for _, row in found.rows] == ROWS
    assert [number for number, _ in found.rows] == list(range(1, 3001))
    assert found.problems == []


def test_a_break_in_a_list_is_told_after_the_rows_before_it(tmp_path: Path) -> None:
    text = json.dumps(ROWS[:200], indent=1)
    (tmp_path / "cut.json").write_text(text[: text.index('"ask 150"')])
    found = load(str(tmp_path / "cut.json"))
    assert len(found.rows) == 150
    assert "broken JSON" in found.problems[0]


def test_an_end_that_is_damaged_is_met_only_when_reading_comes_there(tmp_path: Path) -> None:
    lines = "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(lines)[:-40])
    found = stream(str(tmp_path / "rows.jsonl.gz"))
    first = list(itertools.islice(found, 300))
    assert [record.row for record in first] == ROWS[:300]
    assert 0 < found.done <= found.total
    with pytest.raises(DataError, match="not a complete gzip file"):
        list(found)


def test_rows_of_a_table_keep_the_line_on_which_they_begin(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('\nprompt,completion\n"a\nb",c\nd\ne,f\n')
    assert [(record.number, bool(record.row)) for record in stream(str(tmp_path / "rows.csv"))] == [
        (3, True),
        (5, False),
        (6, True),
    ]
