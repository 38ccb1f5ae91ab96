"""What columns hold, counted in parts as in one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit.made import raw, read, read_rows
from trimtab.audit.columns import MANY, Columns, kind_of
from trimtab.audit.findings import Row


def counted(*rows: Row) -> Columns:
    found = Columns()
    for row in rows:
        found.add(row)
    return found


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a", "text"),
        (" ", ""),
        (None, ""),
        ("2026-03-31", "date"),
        ("2026-03-31T09:30:00Z", "date"),
        ("2026-03-31 was a day", "text"),
        (True, "true or false"),
        (5, "whole number"),
        (5.5, "number"),
        ({"a": 1}, "object"),
        (["a", "b"], "list of texts"),
        ([{"role": "user"}], "list of objects"),
        (["a", 1], "list"),
        ([], "list"),
    ],
)
def test_what_a_cell_holds(value: Any, kind: str) -> None:
    assert kind_of(value) == kind


ROWS = read_rows(
    {"prompt": "a", "completion": "b", "n": 1, "part": "tune"},
    {"prompt": "c", "completion": "", "n": 2.5, "part": "confirm"},
    {"prompt": "d", "completion": "e", "part": ""},
    {"prompt": "f", "completion": ["g"], "meta": {"user": {"name": "x"}, "day": "2026-01-01"}},
)


def test_columns_kinds_and_parts() -> None:
    (section,) = counted(*ROWS).sections()
    assert section.data["columns"] == {
        "prompt": {"text": 4},
        "completion": {"text": 2, "list of texts": 1},
        "n": {"whole number": 1, "number": 1},
        "part": {"text": 2},
        "meta": {"object": 1},
    }
    assert section.tables[0].rows[1:3] == (
        ("completion: text or list of texts", "3"),
        ("n: whole number or number", "2"),
    )
    assert section.data["inside"] == {"meta": ["user", "day"]}
    assert section.data["parts"] == {"tune": 1, "confirm": 1}
    assert section.tables[1].rows == (("tune", "1"), ("confirm", "1"), ("no part", "2"))


@pytest.mark.parametrize("cut", range(5))
def test_parts_that_are_joined_count_like_the_whole(cut: int) -> None:
    found = counted(*ROWS[:cut])
    found.join(counted(*ROWS[cut:]))
    assert found == counted(*ROWS)


def test_very_many_columns_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.audit.columns._MOST", 2)
    found = counted(*read_rows({"prompt": "a", "completion": "b", "u1": "x", "u2": "y"}))
    assert {name: counter.total() for name, counter in found.kinds.items()} == {
        "prompt": 1,
        "completion": 1,
        MANY: 2,
    }


def test_a_table_fits_a_terminal_and_shows_no_address() -> None:
    long = {"prompt": "a", "completion": "b", "c" * 100: "x", "mail of anna@example.org": "y"}
    (section,) = counted(*read_rows(long)).sections()
    assert max(len(cells[0]) for cells in section.tables[0].rows) <= 60
    assert "anna" not in repr(section.tables)


def test_rows_that_cannot_be_read_say_nothing() -> None:
    assert counted(Row(0, "x:1", {}, problem="broken JSON")).sections() == ()
    assert counted(*read(("a", "b"))).sections()[0].data["parts"] == {}
    assert raw(("a", "b")) == [{"prompt": "a", "completion": "b"}]
