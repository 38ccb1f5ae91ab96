"""What is looked for, in which forms it is found, and what is taken out of JSON."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from markupsafe import escape

from trimtab.erasure.search import holds
from trimtab.erasure.texts import ERASED, Redactor, leaves, needles

SAID = 'She said "slow trains & brass bells" twice.\nThen the café closed for good, she thinks.'


def test_short_and_shared_texts_are_not_looked_for() -> None:
    found = needles(["ok", "a text of everybody", SAID], ["here is a text of everybody, too"])
    assert SAID in found.texts
    assert "ok" not in found.texts
    assert "a text of everybody" not in found.texts


def test_a_sentence_of_a_text_is_looked_for_as_well() -> None:
    assert "Then the café closed for good, she thinks." in needles([SAID], []).texts


@pytest.mark.parametrize(
    "form",
    [
        SAID,
        json.dumps(SAID),
        json.dumps(SAID, ensure_ascii=False),
        html.escape(SAID),
        html.escape(SAID, quote=False),
        str(escape(SAID)),
        SAID.replace('"', '""'),
        SAID.replace("\n", "\r\n"),
        f"before {SAID[44:]} after",
    ],
)
def test_every_form_of_a_text_is_found_in_a_file(tmp_path: Path, form: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000 + form.encode() + b"y")
    assert holds(path, needles([SAID], []))
    path.write_bytes(b"x" * 1000 + form.encode()[: len(form) // 3])
    assert not holds(path, needles([SAID], []))


def test_a_text_across_two_pieces_of_a_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.erasure.search.PIECE", 64)
    path = tmp_path / "file"
    for shift in range(0, 130, 7):
        path.write_bytes(b"x" * shift + SAID.encode() + b"y" * 50)
        assert holds(path, needles([SAID], [])), shift


def test_rows_go_and_quotes_are_replaced() -> None:
    redactor = Redactor(needles([SAID], []), frozenset({"r1"}), "p1")
    content = {
        "rows": [{"example": "r1", "score": 1}, {"example": "r2", "text": f"He wrote: {SAID}"}],
        "groups": {"id r1": "g", "id r2": "h", "key": "r1"},
        "people": [{"subject": "p1"}, {"subject": "p2"}],
    }
    assert redactor.clean(content) == {
        "rows": [{"example": "r2", "text": ERASED}],
        "groups": {"id r2": "h", "key": "r1"},
        "people": [{"subject": "p2"}],
    }
    assert (redactor.rows, redactor.texts) == (3, 1)


def test_an_id_alone_counts_only_where_rows_are_called_by_it() -> None:
    rows = [{"id": "r1"}, {"id": "r2"}]
    assert Redactor(needles([], []), frozenset({"r1"}), "").clean(rows) == rows
    assert Redactor(needles([], []), frozenset({"r1"}), "", by_id=True).clean(rows) == rows[1:]


def test_leaves_are_all_texts_but_those_of_skipped_columns() -> None:
    assert list(leaves({"a": ["x", {"b": "y"}], "id": "z", "n": 3}, ["id"])) == ["x", "y"]
