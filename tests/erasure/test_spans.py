"""Files without some rows: every other byte as before, for each format and its oddities."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.data.files import load
from trimtab.erasure.spans import without
from trimtab.errors import DataError

LINES = ['{"prompt": "a", "completion": "b"}', '{"prompt":"c",  "completion": "d é"}', "", '{"prompt": "e"}']
CASES = {
    "lines.jsonl": ("\n".join(LINES) + "\n", [2], "\n".join([LINES[0], "", LINES[3]]) + "\n"),
    "no-end.jsonl": ("\n".join(LINES), [4], "\n".join(LINES[:3]) + "\n"),
    "windows.jsonl": ("\r\n".join(LINES), [1], "\r\n".join(LINES[1:])),
    "marked.jsonl": ("\ufeff" + "\n".join(LINES), [1], "\ufeff" + "\n".join(LINES[1:])),
    "lines.json": ("\n".join(LINES), [1], "\n".join(LINES[1:])),
    "list.json": (
        '[\n {"a": "x]"},\n {"a": "y"},\n {"a": "z"}\n]\n',
        [2],
        '[\n {"a": "x]"},\n {"a": "z"}\n]\n',
    ),
    "first.json": ('[{"a": 1}, {"a": 2} , {"a": 3}]', [1], '[{"a": 2} , {"a": 3}]'),
    "last.json": ('[{"a": 1}, {"a": 2} , {"a": 3}]', [3], '[{"a": 1}, {"a": 2}]'),
    "all.json": ('[{"a": 1}, {"a": 2}]\n', [1, 2], "[]\n"),
    "table.csv": ('a,b\n"x\ny",1\r\n"q""q",2\nz,3', [4], 'a,b\n"x\ny",1\r\nz,3'),
    "several-lines.csv": ('a,b\n"x\ny",1\nz,3\n', [2], "a,b\nz,3\n"),
    "blank-first.csv": ("\n\na;b\nx;1\ny;2\n", [4], "\n\na;b\ny;2\n"),
    "unnamed.tsv": ("a\t\tb\nx\t9\t1\ny\t8\t2\n", [3], "a\t\tb\nx\t9\t1\n"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_other_bytes_stay(tmp_path: Path, name: str, packed: bool) -> None:
    before, numbers, after = CASES[name]
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(before.encode()) if packed else before.encode())
    assert {number for number, _ in load(str(path)).rows} >= set(numbers)
    left = without(path, numbers)
    assert (gzip.decompress(left) if packed else left) == after.encode()


@given(
    st.lists(st.dictionaries(st.sampled_from("ab"), st.text(), min_size=1), min_size=1, max_size=8),
    st.sets(st.integers(1, 8)),
    st.sampled_from([None, 0, 2]),
)
def test_a_json_list_keeps_exactly_the_others(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, str]],
    numbers: set[int],
    indent: int | None,
) -> None:
    path = tmp_path_factory.mktemp("list") / "rows.json"
    path.write_bytes(json.dumps(rows, indent=indent, ensure_ascii=True).encode())
    kept = [row for number, row in enumerate(rows, 1) if number not in numbers]
    assert json.loads(without(path, numbers)) == kept


def test_parquet_keeps_schema_metadata_and_other_rows(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"a": ["x", "y", "z"], "n": pyarrow.array([1, 2, 3], pyarrow.int8())})
    table = table.replace_schema_metadata({"made": "here"})
    path = tmp_path / "rows.parquet"
    parquet.write_table(table, path, compression="zstd")
    path.write_bytes(without(path, [2]))
    left = parquet.read_table(path)
    assert left.schema.equals(table.schema, check_metadata=True)
    assert left.to_pylist() == [{"a": "x", "n": 1}, {"a": "z", "n": 3}]
    assert parquet.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_table_that_has_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="changed"):
        without(path, [7])
