"""What marks the answers of a stack, and whose part the rest is."""

from __future__ import annotations

from pathlib import Path

from tests.document import made
from tests.document.model_card.made import SENTENCE, adjusted, cells, of
from trimtab import stats
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


def test_a_watermark_is_named_with_what_its_detector_found(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    adjusted(folder, {"adapter": 1.0, "postprocess": 1.0}, "end")
    content = folder.read(f"trials/{made.STACK}/stack.json")
    settings = {"scheme": "green-list", "key": "1a2b3c4d", "bias": 2.0, "share": 0.25}
    mark = {"kind": "watermark", "strength": 0.5, "settings": {n: {"value": v} for n, v in settings.items()}}
    folder.write(
        f"trials/{made.STACK}/stack.json", content | {"adjustments": [mark, *content["adjustments"]]}
    )
    found = section(of(folder))
    shown = cells(found.tables)
    assert shown["a mark that machines detect"] == "green list, bias 1 on 25% of the vocabulary, key 1a2b3c4d"
    assert shown["what its detector finds"] == "not known (trimtab verify --run RUN measures it)"
    assert found.data["watermark"] is True
    assert "machines detect with the run's key" in found.said[0]
    counts = {"texts": 40, "too_short": 3, "found": stats.wilson(30, 37), "counted": 44.0}
    folder.write("verified.json", {"stack": made.STACK, "alpha": 0.01, "texts": {"answers": counts}})
    shown = cells(section(of(folder)).tables)
    assert shown["what its detector finds"].startswith("p < 0.01 on select: answers: 81.1% [")
    folder.write("verified.json", {"stack": made.OTHER, "alpha": 0.01, "texts": {"answers": counts}})
    assert "not known" in cells(section(of(folder)).tables)["what its detector finds"]


def test_a_watermark_that_is_off_is_none(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    adjusted(folder, {"watermark": 0.0})
    found = section(of(folder))
    assert found.data["watermark"] is False
    assert "what its detector finds" not in cells(found.tables)
