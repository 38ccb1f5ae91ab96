"""Rows, licences, guidelines and rounds as a card shows them, and what it says where they were not recorded."""

from __future__ import annotations

from pathlib import Path

from tests.document import made
from tests.document.model_card.made import cells, of, recorded, round_, told
from trimtab import lineage
from trimtab.document.model_card import origins


def test_rows_are_counted_by_licence_and_source(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    told(folder)
    rows = [
        lineage.Row("tune", "a"),
        lineage.Row("tune", erased="erasure-1"),
        lineage.Row(lineage.AUGMENTED, "b"),
    ]
    folder.write_rows(lineage.ROWS, rows)
    shown = cells(origins.data(of(folder, licence="CC-BY-4.0")).tables)
    assert shown["rows learned from (tune)"] == "123"
    assert shown["people whom rows learned from are about"] == "3"
    assert shown["rows erased since"] == "1"
    assert shown["rows made of them"] == "1"
    assert shown["days of collection"] == "2026-01-02 to 2026-02-03"
    assert shown["rows learned from, as they say it"] == "CC0-1.0 (120), MIT (2), not said or not listed (1)"
    assert shown["rows learned from, in one word"] == "other"
    assert shown["what is released"] == "cc-by-4.0"
    assert shown["base model"] == "apache-2.0"


def test_what_no_row_says_names_the_column(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    empty = {"rows": 9, "licence": {}, "source": {}, "consent": {}, "subjects": 0, "unnamed": 9, "days": []}
    recorded(folder, data=folder.read("provenance.json")["data"] | {"origins": empty})
    shown = cells(origins.data(of(folder)).tables)
    assert shown["sources"] == "not known (fill the column source)"
    assert shown["consent"] == "not asked: no row names a person"
    assert shown["rows learned from, in one word"] == "not known (fill the column licence)"
    assert shown["what is released"] == "not known (say it with --use licence=ID)"


def test_an_older_record_says_that_it_does_not_know(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert cells(origins.data(of(folder)).tables)["sources"].startswith("not known (this run was made before")
    (folder.path / "provenance.json").unlink()
    assert cells(origins.data(of(folder)).tables)["data"].startswith("not known")


def test_guidelines_are_named_by_version(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert origins.rules(of(folder)).said == ("The run had no guidelines.",)
    told(folder)
    shown = cells(origins.rules(of(folder)).tables)
    assert (shown["version"], shown["rules"]) == ("7", "2")
    assert shown["to be looked at again by"] == "not known (say it in the guidelines)"


def test_a_round_is_held_against_the_one_before_it(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert "goes on from no other" in origins.changes(of(folder)).said[0]
    round_(folder)
    found = origins.changes(of(folder))
    shown = cells(found.tables)
    assert found.said == ("Round 2, after run 20260313-080000-aaaabbbb.",)
    assert shown["verdict"] == "Hold Ship"
    assert shown["guidelines"] == "6 7"
    assert shown["corrections learned"] == "4"


def test_seeds_and_versions_are_the_record_s(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    told(folder)
    shown = cells(origins.environment(of(folder)).tables)
    assert "torch 2.13.0" in shown["packages"]
    assert not [name for name in shown if name.startswith("data, origins")]
