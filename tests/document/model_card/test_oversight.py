"""What the card says of people: how many, and what they said together; nothing of any one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.document import made
from tests.document.model_card.made import cells, of, review
from trimtab.document.model_card.oversight import section
from trimtab.errors import RunError
from trimtab.records import plain


def test_without_a_review_no_people_judged(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert section(of(folder)).said == ("No people judged the answers of this run.",)
    folder.write_text("recipe.yaml", "model: m\nreview: {required: true}\ngoal: {metric: chrf}\n")
    assert section(of(folder)).said[0].endswith("Its recipe asks for it.")


def test_a_review_is_shown_with_counts_intervals_and_methods(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    review(folder, rater="a figure of Ann alone")
    found = section(of(folder))
    shown = cells(found.tables)
    assert found.tables[0].caption == "Judged on confirm, blindly, for the verdict"
    assert "4" in shown["people"]
    assert "90" in shown["judgements"]
    assert shown["win rate"] == "62% (55% to 69%)"
    assert shown["interval of the win rate"] == "96.5%, betting; 40 items"
    assert shown["held against"] == "45%"
    assert shown["agreement, Krippendorff's alpha"] == "0.71 (0.60 to 0.80)"
    assert shown["guidelines"] == "version 7"
    assert shown["people who count less by the rule"] == "1"
    assert found.data["verdict"]["people"] == 4
    assert "Ann" not in f"{plain(found)}"


def test_a_damaged_review_is_told(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    folder.write("review.json", {"verdict": {"purpose": "verdict"}})
    with pytest.raises(RunError, match="damaged"):
        section(of(folder))
