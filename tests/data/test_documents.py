"""Documents from folders and rows, and the passages that they are cut into."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from trimtab.data.documents import MOST_BYTES, passages, read
from trimtab.errors import DataError
from trimtab.records import Document


def test_a_folder_of_texts(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "returns.md").write_text("# Returns #\n\nWithin 30 days.", encoding="utf-8")
    (tmp_path / "a.txt").write_text("\ufeffPlain.", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89")
    assert read(str(tmp_path)) == [
        Document("Plain.", "a.txt"),
        Document("# Returns #\n\nWithin 30 days.", "b/returns.md", "Returns"),
    ]
    assert read(str(tmp_path / "a.txt")) == [Document("Plain.", "a.txt")]


def test_a_file_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    rows = [{"text": "One.", "title": "First", "source": 7}, {"text": "Two."}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert read(str(path)) == [Document("One.", "7", "First"), Document("Two.", "docs.jsonl:2")]


def test_all_faulty_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    rows = [{"text": ""}, {"text": "a"}, {"title": "b"}, {"text": "a", "title": ["c"]}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(DataError) as raised:
        read(str(path))
    assert raised.value.message.count("docs.jsonl:") == 3
    assert "docs.jsonl:4: title: expected text, received a list" in raised.value.message


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(str(tmp_path / "none.jsonl"))
    (tmp_path / "docs").mkdir()
    with pytest.raises(DataError, match="nothing to read there"):
        read(str(tmp_path / "docs"))
    page = tmp_path / "docs" / "page.txt"
    page.write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"page\.txt: cannot be read"):
        read(str(tmp_path / "docs"))
    page.write_text("  \n")
    with pytest.raises(DataError, match=r"page\.txt: expected text, received an empty file"):
        read(str(tmp_path / "docs"))
    page.write_bytes(b"a" * (MOST_BYTES + 1))
    with pytest.raises(DataError, match="at most"):
        read(str(tmp_path / "docs"))


def cut(text: str, words: int, overlap: int = 0) -> list[str]:
    return [p.text for p in passages([Document(text, "d.md", "D")], words=words, overlap=overlap)]


def test_paragraphs_stay_whole_where_they_fit() -> None:
    text = "one two three\n\nfour five\n \nsix\n\nseven eight nine ten"
    assert cut(text, 5) == ["one two three\n\nfour five", "six\n\nseven eight nine ten"]
    assert cut(text, 100) == ["one two three\n\nfour five\n\nsix\n\nseven eight nine ten"]


def test_long_paragraphs_are_cut_between_words_and_nothing_is_lost() -> None:
    text = " ".join(f"w{n}" for n in range(23))
    found = cut(text, 10)
    assert [len(p.split()) for p in found] == [10, 10, 3]
    assert " ".join(found) == text


def test_passages_overlap_and_stay_bounded() -> None:
    text = "\n\n".join(" ".join(f"p{p}w{n}" for n in range(size)) for p, size in enumerate((7, 30, 4, 9)))
    found = cut(text, 12, 3)
    assert all(len(p.split()) <= 12 for p in found)
    for before, after in itertools.pairwise(found):
        assert after.split()[:3] == before.split()[-3:]
    assert {word for p in found for word in p.split()} == set(text.split())


def test_a_heading_goes_with_what_it_stands_over() -> None:
    assert cut("one two three four\n\n## Part\n\nfive six", 6) == [
        "one two three four",
        "## Part\n\nfive six",
    ]


def test_a_passage_names_its_document() -> None:
    found = passages([Document("a b c", "x.md", "X"), Document("d", "y.md")], words=2)
    assert [(p.text, p.source, p.title) for p in found] == [
        ("a b", "x.md", "X"),
        ("c", "x.md", "X"),
        ("d", "y.md", ""),
    ]
    assert found[0].searched == "X\na b"
