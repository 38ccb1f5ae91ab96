"""Rows are held against the shape that most rows have."""

from __future__ import annotations

from trimtab.data.conform import Conforming
from trimtab.data.rows import Reader
from trimtab.data.shape import of_rows


def test_rows_of_another_shape_are_told_apart() -> None:
    rows = [
        {"prompt": "a", "completion": "b"},
        {"prompt": "a"},
        {"messages": [], "prompt": "a", "completion": "b"},
    ]
    reader = Reader(of_rows("f", [(1, rows[0])], {}))
    conforming = Conforming(reader, {})
    found = [conforming.example(f"f:{number}", row) for number, row in enumerate(rows, 1)]
    assert [bool(example) for example in found] == [True, False, False]
    assert reader.problems[0].startswith("f:2: completion: missing")
    assert reader.problems[1].startswith("f:3: mixed shapes: expected prompt/completion")
