"""A round in the report and in the terminal, from its record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.document import made
from tests.document.test_report import Page
from trimtab.document import report, rounds, summary
from trimtab.document.record import read
from trimtab.records import Estimate
from trimtab.run import RunFolder

SHARE = Estimate(0.2, 0.1, 0.4, 0.95, 30, "wilson")


def ran(root: Path, kind: str, **changes: Any) -> RunFolder:
    """A run of this kind of verdict that goes on from one that was inconclusive."""
    folder = made.folder(root, kind)
    content: dict[str, Any] = {
        "number": 3,
        "run": "20260301-before",
        "verdict": made.verdict("inconclusive"),
        "guidelines": "1",
        "confirm": 74,
        "moved": {"shown": 12, "corrected": 5},
        "corrections": {"rows": 6, "texts": 8},
        "preferences": 9,
        "flagged": [],
        "proposed": {"phrases": {}, "remarks": []},
        "now": {
            "guidelines": "2",
            "confirm": {"fresh": 20, "before": 54},
            "new": {"tune": 30, "select": 8, "confirm": 20},
        },
    }
    folder.write("round.json", content | changes)
    return folder


def test_both_verdicts_stand_side_by_side_and_what_is_left_to_spend(tmp_path: Path) -> None:
    text = Page(report(ran(tmp_path, "open guard"))).text
    for words in (
        "Round 3, after run 20260301-before",
        "12 items that people saw on confirm and 5 that they corrected on select",
        "8 corrections of 6 items are learned",
        "20 are fresh and 54 were looked at before",
        "look 2 at them",
        # 0.7 * 0.3 ** 2 * 0.025, which the third look may spend.
        "may err with 0.1575% on one side",
        "guidelines 1 2",
    ):
        assert words in text, words


def test_a_run_without_a_look_says_so(tmp_path: Path) -> None:
    section = rounds.section(read(ran(tmp_path, "explored")))
    assert section is not None
    assert any("this run took no look" in said for said in section.said)
    assert section.tables[0].rows[0] == ("verdict", "Inconclusive", "Explored, not decided")


def test_flags_and_failures_are_told_where_there_are_any(tmp_path: Path) -> None:
    fate = {"name": "1: <b>late</b>", "fate": "remaining", "share": SHARE}
    found = {"items": 30, "before": SHARE, "now": SHARE, "fates": [fate]}
    folder = ran(
        tmp_path,
        "ship",
        flagged=[{"example": "p-1"}],
        proposed={"phrases": {"simply unbeatable": 3}, "remarks": []},
        again={"asked": 4, "came": 1},
        failures=found,
    )
    page = report(folder)
    text = Page(page).text
    for words in (
        "p-1",
        "One phrase recurs",
        "1 came again",
        "30 items of select that both runs have",
        "remaining",
    ):
        assert words in text, words
    assert "<b>late" not in page
    folder = ran(tmp_path / "other", "ship", flagged=[{"example": "p-1"}], failures={"undefined": "no item"})
    text = Page(report(folder)).text
    assert "no rule is proposed" in text
    assert "were not compared: no item" in text


def test_the_terminal_has_it_in_a_line_and_other_runs_have_none(tmp_path: Path) -> None:
    lines = summary(ran(tmp_path, "ship")).splitlines()
    assert any(line.startswith("  round   3, after 20260301-before (inconclusive, ") for line in lines)
    assert max(len(line) for line in lines if "report.html" not in line) <= 79
    plain = made.folder(tmp_path / "plain")
    assert rounds.section(read(plain)) is None
    assert "round   " not in summary(plain)
