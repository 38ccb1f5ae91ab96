"""Files of traffic: what a line may say, what is refused and how, and what is still being written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trimtab.errors import DataError
from trimtab.watching.source import File, Place, Row

LINE = {"time": "2024-03-31T12:00:00Z", "prompt": "Where is it?", "answer": "On its way."}


def written(path: Path, *rows: object, end: str = "\n") -> File:
    path.write_text("\n".join(json.dumps(row) for row in rows) + end, encoding="utf-8")
    return File(path)


def test_a_line_needs_time_prompt_and_answer_and_has_the_watched_stack_unless_it_says_so(
    tmp_path: Path,
) -> None:
    more = LINE | {"confidence": 0.5, "fired": ["short"], "stack": "other", "time": "2024-03-31 11:00"}
    first, second = written(tmp_path / "a.jsonl", LINE, more).rows("tuned", 0.0)
    assert (first.traffic.stack, first.traffic.confidence, first.traffic.fired) == ("other", 0.5, ("short",))
    assert (second.traffic.stack, second.traffic.confidence, second.traffic.fired) == ("tuned", None, ())
    assert second.at - first.at == 3600


def test_the_same_answer_at_the_same_time_is_another_row(tmp_path: Path) -> None:
    rows = written(tmp_path / "a.jsonl", LINE, LINE).rows("tuned", 0.0)
    assert len({row.id for row in rows}) == 2


def test_a_line_that_is_being_written_is_left_for_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    whole = json.dumps(LINE)
    path.write_text(f"{whole}\n{whole[:40]}")
    assert len(File(path).rows("tuned", 0.0)) == 1
    path.write_text(f"{whole}\n{whole}")
    assert len(File(path).rows("tuned", 0.0)) == 2


def test_all_lines_that_are_no_rows_are_named_at_once(tmp_path: Path) -> None:
    wrong = (
        {"prompt": "a", "answer": "b"},
        LINE | {"time": "yesterday"},
        LINE | {"answer": 3},
        LINE | {"confidence": 7},
        LINE | {"fired": "short"},
        [1],
    )
    with pytest.raises(DataError) as caught:
        written(tmp_path / "a.jsonl", *wrong).rows("tuned", 0.0)
    for part in (
        "line 1: no time",
        "line 2: 'yesterday'",
        "line 3: answer",
        "line 4: confidence",
        "line 5",
        "line 6",
    ):
        assert part in caught.value.message
    with pytest.raises(DataError, match="No such file"):
        File(tmp_path / "none.jsonl").rows("tuned", 0.0)


def test_a_place_forgets_what_is_too_old_to_come_again() -> None:
    rows = [Row(str(n), 1000.0 * n, None) for n in range(10)]  # type: ignore[arg-type]
    place = Place().after(rows, rows)
    assert place == Place(9000.0, ("6", "7", "8", "9"))
    assert place.new(rows, 1e9) == []
    late = Row("late", 8000.0, None)  # type: ignore[arg-type]
    assert place.new([*rows, late], 1e9) == [late]
    assert place.after([*rows, late], [late]) == Place(9000.0, ("6", "7", "8", "9", "late"))
