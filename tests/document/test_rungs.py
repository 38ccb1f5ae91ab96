"""The climb at a glance."""

from __future__ import annotations

from pathlib import Path

from tests.document import made
from trimtab.document import report, rungs, summary
from trimtab.document.record import read
from trimtab.run import RunFolder


def climbed(tmp_path: Path) -> RunFolder:
    folder = made.folder(tmp_path, "ship")
    folder.write("ladder.json", made.climbed())
    return folder


def test_every_rung_has_a_row_with_outcome_gain_guards_and_time(tmp_path: Path) -> None:
    rows = [[str(cell) for cell in row] for row in rungs.table(read(climbed(tmp_path))).rows]
    assert [row[:2] for row in rows] == [
        ["prompt", "undecided"],
        ["steering", "not tried: no time left"],
        ["adapter", "passed"],
    ]
    assert "+3.1" in rows[0][2]
    assert "−0.6" in rows[0][2]
    assert "+5.6" in rows[0][2]
    assert rows[0][3:5] == ["74 of confirm", "3 of 3 held"]
    assert "2 min 18 s" in rows[0][5]
    assert rows[1][2:5] == ["–", "–", "–"]
    assert "5 min 12 s planned" in rows[1][5]
    assert "+31.2" in rows[2][2]


def test_the_page_shows_the_climb(tmp_path: Path) -> None:
    page = report(climbed(tmp_path))
    assert "The climb, smallest change first" in page
    assert "not tried: no time left" in page


def test_the_terminal_has_a_line_for_each_rung_of_several(tmp_path: Path) -> None:
    text = " ".join(summary(climbed(tmp_path)).split())
    assert "climb prompt: undecided; +3.1 (-0.6 to +5.6) on 74 items of confirm; 2 min 18 s" in text
    assert "steering: not tried: no time left adapter: passed; +31.2" in text


def test_one_rung_needs_no_climb_in_the_terminal(tmp_path: Path) -> None:
    assert "climb " not in summary(made.folder(tmp_path, "ship"))
