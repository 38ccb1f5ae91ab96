"""Rows that hold what a guard or a file kept for measuring holds."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from tests.audit.made import raw, read, write
from trimtab.audit.known import gathered, leaks
from trimtab.errors import DataError

SAID = "the harbour master wrote down every ship that came in that night and then went home to sleep"


def first(file: str, name: str, least: int) -> str:
    with resources.files("trimtab").joinpath("demo", file).open(encoding="utf-8") as lines:
        texts = [str(json.loads(line)[name]) for line in lines]
    return next(text for text in texts if len(text.split()) >= least)


def found(*pairs: tuple[str, str], against: str = "") -> dict[int, str]:
    return {hit.row: hit.note for hit in leaks(read(*pairs), gathered([against] if against else ()))}


def test_a_passage_of_a_guard_is_found_inside_a_longer_answer() -> None:
    words = first("passages.jsonl", "text", 30).split()
    inside, apart = " ".join(words[5:20]), " ".join(words[5:17])
    hits = found(("p", f"He said: {inside.upper()}; so it was."), ("p", f"He said {apart} not."), ("p", "no"))
    assert set(hits) == {0}
    assert "general-english" in hits[0]


def test_a_short_question_of_a_guard_is_found_as_a_whole_only() -> None:
    question = first("questions.jsonl", "question", 6)
    hits = found((question.lower(), "a"), (f"{question} Tell me why.", "a"))
    assert set(hits) == {0}


def test_a_file_that_is_kept_for_measuring(tmp_path: Path) -> None:
    kept = write(tmp_path / "kept.jsonl", raw(("ask", SAID)))
    assert found(("p", f"Well, {SAID}."), ("p", "b")) == {}
    assert found(("p", f"Well, {SAID}."), ("p", "b"), against=kept) == {0: f"shares words with {kept}"}
    (hit,) = leaks(read(("p", f"Well, {SAID}.")), gathered([kept]))
    assert hit.span
    assert (hit.span.field, hit.span.start, hit.span.end) == ("completion", 6, 6 + len(SAID))
    with pytest.raises(DataError):
        gathered([str(tmp_path / "none.jsonl")])
