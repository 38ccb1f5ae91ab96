"""Whose rows are whose: named, copied, made from others; in files of several formats and with other columns."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from trimtab.data.split import content_key
from trimtab.erasure import Asked, erase
from trimtab.erasure.person import find, read
from trimtab.lineage import Row

LONG = "The harbour office closes at noon on Fridays"
OTHER = "A second sentence that somebody else wrote"


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(prompt: str, **more: Any) -> dict[str, Any]:
    """A row with an answer."""
    return {"prompt": prompt, "completion": "ok", **more}


def test_rows_are_found_by_their_subject_whatever_its_type(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl", [row(LONG, Subject=7), row(OTHER, Subject=8), row("c", Subject=None)]
    )
    found = find("7", [read(path)], [])
    assert found.rows == {path: (1,)}
    assert found.searched == 3
    assert found.needles.texts == (LONG,)


def test_copies_without_a_subject_go_where_the_words_are_the_persons(tmp_path: Path) -> None:
    named = written(
        tmp_path / "a.jsonl", [row(LONG, subject="p"), row("hi", subject="p"), row(OTHER, subject="q")]
    )
    copies = written(tmp_path / "b.jsonl", [row(f"  {LONG}"), row("hi"), row(OTHER)])
    found = find("p", [read(named), read(copies)], [])
    assert found.rows == {named: (1, 2), copies: (1,)}
    assert (found.copies, found.alike) == (1, 1)


def test_a_run_that_knows_the_subject_finds_rows_whose_column_is_gone(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", [row(LONG), row(OTHER)])
    examples = [e for e in read(path).examples if e]
    recorded = [
        Row("tune", "a", content_key(examples[0]), "p"),
        Row("tune", "b", content_key(examples[1]), "q"),
    ]
    found = find("p", [read(path)], recorded)
    assert found.rows == {path: (1,)}
    assert found.named == frozenset()


def test_a_text_that_another_person_gave_too_is_not_the_persons_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", [row(LONG, subject="p"), row(LONG, subject="q")])
    found = find("p", [read(path)], [])
    assert found.rows == {path: (1,)}
    assert found.needles.texts == ()


def test_rows_made_from_rows_of_the_person_go_with_them(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        [
            row(LONG, id="1", subject="p"),
            row("X", id="2", parent="1"),
            row("Y", id="3", parent="2"),
            row("Z", id="4"),
        ],
    )
    # The same id in another file is another row, and so is what was made from it.
    other = written(tmp_path / "b.jsonl", [row("own", id="1", subject="q"), row("made", id="9", parent="1")])
    found = find("p", [read(path), read(other)], [])
    assert found.rows == {path: (1, 2, 3)}


def test_rows_of_a_run_are_owned_by_subject_content_or_parent(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", [row(LONG, id="1", subject="p")])
    (example,) = [e for e in read(path).examples if e]
    same = content_key(example)
    rows = [
        Row("tune", "a", "x", "p"),
        Row("tune", "b", same, ""),
        Row("tune", "c", same, "q"),
        Row("tune", "d", "y", "", parent="a"),
        Row("tune", "e", "y", "", parent="1"),
        Row("tune", "f", "y", "", parent="c"),
        Row("tune", erased="before"),
    ]
    assert [r.id for r in find("p", [read(path)], []).owned(rows)] == ["a", "b", "d", "e"]


def test_rows_made_of_made_rows_and_of_two_rows_are_owned(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", [row(LONG, subject="p", id="a"), row(OTHER, subject="q", id="x")])
    rows = [
        Row("augmented", "d", parent="x", beside="c"),
        Row("augmented", "c", parent="b"),
        Row("tune", "b", parent="a"),
        Row("tune", "a", subject="p"),
        Row("tune", "x", subject="q"),
        Row("augmented", "e", parent="x", beside="f"),
        Row("augmented", erased="earlier"),
    ]
    assert [r.id for r in find("p", [read(path)], []).owned(rows)] == ["a", "b", "c", "d"]


def test_a_file_that_cannot_be_read_is_said_to_be_unsearched(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row(LONG, subject="p")) + "\n{broken\n")
    assert "broken JSON" in read(path).unread
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(b"\x1f\x8bnot gzip")
    assert "gzip" in read(packed).unread


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "json", "csv", "tsv.gz", "parquet"])
def test_every_format_loses_the_rows_under_a_column_of_another_name(
    tmp_path: Path, cache: Path, ending: str
) -> None:
    rows = [row(LONG, author="p"), row(OTHER, author="q"), row('said "so"\nand left', author="p")]
    path = tmp_path / f"rows.{ending}"
    text = "".join(json.dumps(r) + "\n" for r in rows)
    if ending == "json":
        text = json.dumps(rows, indent=2)
    elif ending == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)
    elif ending[:3] in ("csv", "tsv"):
        with (tmp_path / "plain").open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), delimiter="," if ending == "csv" else "\t")
            table.writeheader()
            table.writerows(rows)
        text = (tmp_path / "plain").read_bytes().decode()
        (tmp_path / "plain").unlink()
    if ending.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif ending != "parquet":
        path.write_bytes(text.encode())
    record = erase(Asked("p", tmp_path, column="author"))
    assert [c["rows"] for c in record["attempts"][0]["changes"] if c["place"] == "data"] == [2]
    left = read(path, "author")
    assert [r["prompt"] for _, r in left.table.rows] == [OTHER]
    assert record["checked"]["found"] == []
