"""A round reads what a review writes."""

from __future__ import annotations

from pathlib import Path

from tests.review.stored import TUNED
from tests.review.test_learning import said
from trimtab.review import learning
from trimtab.rounds import reviewed
from trimtab.run import RunFolder


def test_the_rows_of_a_review_are_those_that_a_round_needs(tmp_path: Path) -> None:
    judged = [said(correction="best", flags={TUNED: ("harmful",)}, reason="no")]
    written = {
        "corrections": learning.corrections(judged, TUNED),
        "preferences": learning.preferences(judged),
        "flags": learning.flags(judged),
    }
    folder = RunFolder.create(tmp_path, "abcdefgh")
    for name, rows in written.items():
        assert rows
        assert set(rows[0]) == set(reviewed.NEEDED[name])
        folder.write_rows(f"review/{name}.jsonl", rows)
    folder.write("review/seen.json", {"select": ["a"], "confirm": []})
    found = reviewed.read(folder)
    assert found.corrected == {"a"}
    assert found.wrong({"a": "select"}) == []
    assert len(found.wrong({"a": "confirm"})) == 3
