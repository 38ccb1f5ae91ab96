"""Rows of every kind of source: numbers, texts with their sides, and what is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.audit.made import raw, write
from trimtab.audit import rows as reading
from trimtab.audit.findings import Row
from trimtab.audit.rows import SAMPLE, opened
from trimtab.errors import DataError


def rows(source: Path, **columns: str) -> list[Row]:
    return list(reading.rows(str(source), columns))


def texts(row: Row) -> list[tuple[str, str, str]]:
    return [(text.field, text.text, text.side) for text in row.texts]


def lines(path: Path, *values: object) -> Path:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")
    return path


def test_broken_rows_count_and_keep_the_texts_that_they_have(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n{"prompt": \n\n{"prompt": "c", "completion": 5}\n')
    whole, cut, wrong = rows(path)
    assert whole.example
    assert not whole.problem
    assert (cut.number, cut.raw, cut.texts) == (1, {}, ())
    assert "broken JSON" in cut.problem
    assert (wrong.number, wrong.place) == (2, f"{path}:4")
    assert "expected text" in wrong.problem
    assert texts(wrong) == [("prompt", "c", "prompt")]


def test_columns_that_no_model_sees_are_other_and_metadata_is_none(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.jsonl", {"prompt": "a", "completion": "b", "remark": "c", "source": "d"})
    assert texts(rows(path)[0]) == [
        ("prompt", "a", "prompt"),
        ("completion", "b", "answer"),
        ("remark", "c", "other"),
    ]


def test_texts_deep_in_a_column_are_seen(tmp_path: Path) -> None:
    deep = {"user": {"contact": {"email": "bob@example.org"}}}
    path = lines(tmp_path / "r.jsonl", {"prompt": "a", "completion": "b", "meta": deep})
    assert texts(rows(path)[0])[2] == ("meta.user.contact.email", "bob@example.org", "other")


def test_of_a_conversation_the_last_answer_is_learned(tmp_path: Path) -> None:
    said = [("system", "s"), ("user", "u"), ("assistant", "a"), ("user", "v"), ("assistant", "b")]
    path = lines(tmp_path / "r.jsonl", {"messages": [{"role": r, "content": c} for r, c in said]})
    assert [text.side for text in rows(path)[0].texts] == ["prompt"] * 4 + ["answer"]
    assert rows(path)[0].texts[4].field == "messages[4].content"


def test_a_conversation_without_an_answer_is_broken_where_others_have_one(tmp_path: Path) -> None:
    user, answer = {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}
    path = lines(tmp_path / "r.jsonl", *[{"messages": [user, answer]}] * 3, {"messages": [user]})
    assert [bool(row.problem) for row in rows(path)] == [False, False, False, True]


def test_the_rejected_answer_is_not_learned(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.jsonl", {"prompt": "p", "chosen": "c", "rejected": "r"})
    assert [text.side for text in rows(path)[0].texts] == ["prompt", "answer", "other"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.csv.gz"])
def test_tables(tmp_path: Path, name: str) -> None:
    sign = "\t" if "tsv" in name else ","
    content = f'prompt{sign}completion\n"a\nb"{sign}c\nd{sign}e\n'.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    first, second = rows(tmp_path / name)
    assert texts(first)[0][1] == "a\nb"
    assert (second.number, second.place.rpartition(":")[2]) == (1, "4")


def test_parquet_comes_in_batches(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"prompt": [f"p{n}" for n in range(3000)], "completion": ["c"] * 3000})
    parquet.write_table(table, tmp_path / "rows.parquet")
    found = rows(tmp_path / "rows.parquet")
    assert len(found) == 3000
    assert texts(found[2999])[0][1] == "p2999"


def test_a_text_file_has_a_row_a_line_and_a_folder_one_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo\n")
    with gzip.open(tmp_path / "b.txt.gz", "wt") as file:
        file.write("three\nfour\n")
    assert [texts(row) for row in rows(tmp_path / "a.txt")] == [
        [("text", "one", "answer")],
        [("text", "two", "answer")],
    ]
    folder = rows(tmp_path)
    assert [row.raw["source"] for row in folder] == ["a.txt", "b.txt.gz"]
    assert folder[1].texts[0].text == "three\nfour\n"


def test_own_columns_and_sources_that_are_none(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.jsonl", {"x": "a", "y": "b"})
    assert [text.side for text in rows(path, prompt="y", completion="x")[0].texts] == ["answer", "prompt"]
    (tmp_path / "empty.jsonl").write_text("")
    for source in ("empty.jsonl", "none.jsonl"):
        with pytest.raises(DataError):
            opened(str(tmp_path / source))


def test_only_the_first_rows_are_in_memory(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.jsonl", *[{"prompt": "a", "completion": "b"}] * (SAMPLE + 5000))
    read = opened(str(path))
    assert len(read.sample) == SAMPLE
    assert 0 < read.stream.done < read.stream.total


def test_only_wanted_rows_are_made_and_nothing_is_read_for_none(tmp_path: Path) -> None:
    source = write(tmp_path / "r.jsonl", raw(*((f"ask {n}", f"say {n}") for n in range(6))))
    assert [row.number for row in reading.rows(source)] == list(range(6))
    assert [row.number for row in reading.rows(source, wanted=[1, 4])] == [1, 4]
    assert list(reading.rows(str(tmp_path / "none.jsonl"), wanted=[])) == []


def test_lines_with_a_sign_between_are_prompts_and_answers(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(
        "".join(f"name : n{n} | type : pub||A pub named n{n} .\n" for n in range(40)) + "no sign\n"
    )
    read = opened(str(path))
    assert read.maker.shape.kind == "prompt/completion"
    assert "40 of the first 41 have || once" in read.guessed[0]
    found = rows(path)
    assert texts(found[0]) == [
        ("prompt", "name : n0 | type : pub", "prompt"),
        ("completion", "A pub named n0 .", "answer"),
    ]
    assert "missing" in found[40].problem
    whole = opened(str(path), {"text": "text"})
    assert (whole.maker.shape.kind, whole.guessed) == ("text", ())


@pytest.mark.parametrize("line", ["one || two || three", "no sign", "one ||"])
def test_other_lines_stay_whole(tmp_path: Path, line: str) -> None:
    (tmp_path / "lines.txt").write_text(f"{line}\n" * 20)
    assert texts(rows(tmp_path / "lines.txt")[0]) == [("text", line, "answer")]


def test_rows_of_no_known_shape_are_texts_to_read(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.jsonl", {"body": "write to bob@example.org", "n": 5, "license": "MIT"})
    read = opened(str(path))
    assert read.maker.shape.kind == "unknown"
    assert "--use prompt=COLUMN" in read.guessed[0]
    (row,) = rows(path)
    assert texts(row) == [("body", "write to bob@example.org", "prompt")]
    assert (row.example, row.problem) == (None, "")
    with pytest.raises(DataError, match="no shape recognised"):
        opened(str(path), {"completion": "body"})


def test_long_rows_make_a_short_sample(tmp_path: Path) -> None:
    path = lines(tmp_path / "r.jsonl", *[{"prompt": "a" * 2**20, "completion": "b"}] * 12)
    assert len(opened(str(path)).sample) == 8
    assert len(rows(path)) == 12
