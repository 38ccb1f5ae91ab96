"""The way from rows to a verdict, drawn and in words."""

from __future__ import annotations

from pathlib import Path

from tests.document import made
from tests.document.model_card.made import of, round_
from trimtab import taint
from trimtab.document import exported
from trimtab.document.model_card.way import section


def test_the_way_leads_from_the_data_to_the_verdict(tmp_path: Path) -> None:
    found = section(of(made.folder(tmp_path)))
    rows = {str(row[0]): (str(row[1]), str(row[2])) for row in found.tables[0].rows}
    assert rows["tune"] == ("123 rows", "data")
    assert rows["stack: adapter"] == (made.STACK, "tune, select")
    assert rows["verdict: Ship"] == ("gain +31.2 in chrF", "stack: adapter, confirm")
    assert rows["release"] == ("none recorded yet", "verdict: Ship")
    (picture,) = found.pictures
    drawn = str(picture.drawn())
    assert all(one in drawn for one in ("products.jsonl", "74 rows", made.STACK, "verdict: Ship"))
    assert drawn.count("<rect") == len(rows) == 7
    assert drawn.count('class="head"') == len(found.data["edges"]) == 8


def test_what_was_exported_is_the_release(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    parity = {"largest": 0.0125, "agreement": 1.0, "tokens": 512}
    entry = {
        "time": "2026-12-01T10:00:00Z", "stack": made.STACK, "form": "gguf", "type": "f16", "held": True,
        "files": {"model.gguf": "ab" * 32, "trimtab.json": "cd" * 32}, "bytes": 3 * 2**20, "parity": parity,
    }  # fmt: skip
    exported.add(folder, entry)
    exported.add(folder, entry | {"form": "merged", "held": False, "files": {}})
    exported.add(folder, entry | {"form": "peft", "stack": made.OTHER})
    found = section(of(folder))
    rows = {str(row[0]): str(row[1]) for row in found.tables[0].rows}
    assert rows["release"] == "gguf f16, 2026-12-01"
    assert [tuple(map(str, row)) for row in found.tables[1].rows] == [
        ("gguf f16", "2026-12-01", "3.0 MiB", "0.013", "100.0% of 512", "model.gguf abababababababab")
    ]


def test_a_round_stands_above_its_stack_and_no_release_follows_a_hold(tmp_path: Path) -> None:
    folder = made.folder(tmp_path, "breached")
    round_(folder)
    rows = {str(row[0]): (str(row[1]), str(row[2])) for row in section(of(folder)).tables[0].rows}
    assert rows["round 1"] == ("20260313-080000-aaaabbbb", "–")
    assert rows["stack: adapter"][1] == "round 1, tune, select"
    assert rows["release"][0] == "none: the verdict is not ship"


def test_what_learned_from_erased_rows_is_no_release(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    taint.mark(folder.trial(made.STACK), "erasure-1", 4)
    assert section(of(folder)).data["nodes"]["release"] == "none: it learned from erased rows"
