"""What marks the answers of a stack, and whose part the rest is."""

from __future__ import annotations

from pathlib import Path

from tests.document import made
from tests.document.model_card.made import SENTENCE, adjusted, cells, of
from trimtab.document.model_card.disclosure import section


def test_a_sentence_of_the_rules_is_shown_with_its_place(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    adjusted(folder, {"adapter": 1.0, "postprocess": 1.0}, "start")
    found = section(of(folder))
    shown = cells(found.tables)
    assert shown["a sentence in every answer"] == f"told: {SENTENCE}"
    assert shown["where it stands"] == "at the start of the answer"
    assert shown["a mark that machines detect"] == "none"
    assert found.data == {"rules": ["told"], "watermark": False}
    assert "no mark that machines can detect" in found.said[0]
    assert "deployer" in shown["50(4)"]


def test_without_such_a_rule_or_with_its_edits_off_nothing_marks_the_answers(tmp_path: Path) -> None:
    plain, other, off = (made.folder(tmp_path / name) for name in "abc")
    adjusted(other, {"postprocess": 1.0})
    adjusted(off, {"postprocess": 0.0}, "end")
    for folder in (plain, other, off):
        found = section(of(folder))
        assert found.data["rules"] == []
        assert found.said[0].startswith("Nothing of this stack marks its answers.")
        assert "2 August 2026" in found.said[1]
