"""A run of before rows were recorded, and a row whose subject was filled in after the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from trimtab import lineage, taint
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import Stack
from trimtab.data.read import read
from trimtab.document import exported, model_card, probe_page, probed
from trimtab.erasure import Asked, erase
from trimtab.errors import TaintedError
from trimtab.run import RunFolder

SAID = "The harbour office closes at noon on Fridays"


def run(home: Path, rows: list[dict[str, Any]]) -> tuple[RunFolder, Stack]:
    """A run folder on these rows, as an older version left it."""
    home.mkdir()
    path = home / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = RunFolder.create(home / "runs", "abcdefgh")
    folder.write_text("recipe.yaml", yaml.safe_dump({"data": {"examples": str(path), "columns": {}}}))
    examples = read(str(path))
    folder.write(
        "certificate.json", {"rows": [{"example": e.id, "tokens": 3} for e in examples], "tokens": 6}
    )
    stack = Stack((Decoding({"temperature": 0.5}),))
    stack.save(folder.trial(stack.hash))
    return folder, stack


ROWS = [
    {"prompt": SAID, "completion": "ok", "subject": "p"},
    {"prompt": "Another text of another person", "completion": "ok", "subject": "q"},
]


def test_a_run_without_a_lineage_is_tainted_by_its_certificate(tmp_path: Path, cache: Path) -> None:
    folder, stack = run(tmp_path / "home", ROWS)
    record = erase(Asked("p", tmp_path / "home"))
    with pytest.raises(TaintedError):
        Stack.load(folder.trial(stack.hash))
    (entry,) = record["runs"]
    assert entry["rows"] == {"tune": 1}
    assert "no lineage" in entry["said"]
    assert any("made before rows were recorded" in line for line in record["not_searched"])
    certificate = folder.read("certificate.json")
    assert (len(certificate["rows"]), certificate["tokens"]) == (1, 6)


def test_a_subject_that_was_named_after_the_run_is_found_by_content(tmp_path: Path, cache: Path) -> None:
    folder, stack = run(tmp_path / "home", ROWS)
    nameless = [{key: row[key] for key in ("prompt", "completion")} for row in ROWS]
    (tmp_path / "before.jsonl").write_text("".join(json.dumps(row) + "\n" for row in nameless))
    lineage.record(folder, {"tune": read(str(tmp_path / "before.jsonl"))})
    erase(Asked("p", tmp_path / "home"))
    said = taint.of(folder.trial(stack.hash))
    assert said is not None
    assert said["rows"] == 1
    gone, left = lineage.rows(folder)
    assert (gone.part, gone.id, gone.content, gone.erased) == ("tune", "", "", said["request"])
    assert left.id
    assert not left.erased


def test_a_run_of_other_people_is_left_alone(tmp_path: Path, cache: Path) -> None:
    folder, stack = run(tmp_path / "home", ROWS)
    (tmp_path / "others.jsonl").write_text(json.dumps({"prompt": "Nobody's text", "completion": "ok"}) + "\n")
    lineage.record(folder, {"tune": read(str(tmp_path / "others.jsonl"))})
    (folder.path / "certificate.json").unlink()
    record = erase(Asked("p", tmp_path / "home"))
    assert record["runs"] == []
    assert Stack.load(folder.trial(stack.hash)).hash == stack.hash


def test_a_probe_goes_whole_because_its_texts_are_cut_into_words(tmp_path: Path, cache: Path) -> None:
    folder, _ = run(tmp_path / "home", ROWS)
    parts = [{"turn": 0, "text": f"{word} ", "label": "question", "value": 1.0} for word in SAID.split()]
    probed.keep(folder, "attribution", {"asked": "", "section": {"pictures": [{"parts": parts}]}})
    folder.write_text(f"{probed.IMAGES}/a.svg", "<svg/>")
    folder.write_text(probe_page.PAGE, "".join(f"<u>{word}</u> " for word in SAID.split()))
    other, _ = run(tmp_path / "home" / "other", [{**row, "subject": "q"} for row in ROWS[1:]])
    probed.keep(other, "attribution", {"asked": ""})
    record = erase(Asked("p", tmp_path / "home"))
    assert not any((folder.path / name).exists() for name in (probed.FILE, probed.IMAGES, probe_page.PAGE))
    assert (other.path / probed.FILE).is_file()
    assert "probe removed" in json.dumps(record)


def test_a_card_of_what_learned_from_them_is_removed(tmp_path: Path, cache: Path) -> None:
    folder, _ = run(tmp_path / "home", ROWS)
    other, _ = run(tmp_path / "home" / "other", ROWS[1:])
    for one in (folder, other):
        for name in model_card.FILES:
            one.write_text(name, "- value: 1\n")
    copy = tmp_path / "home" / "kept" / "card.html"
    copy.parent.mkdir()
    copy.write_text(f"<p>{SAID}</p>")
    erase(Asked("p", tmp_path / "home"))
    assert not [name for name in model_card.FILES if folder.has(name)]
    assert all(other.has(name) for name in model_card.FILES)
    assert not copy.exists()


@pytest.mark.parametrize("adapters", ["taint", "delete"])
def test_exports_of_what_learned_from_them_are_marked(tmp_path: Path, cache: Path, adapters: Any) -> None:
    home = tmp_path / "home"
    folder, stack = run(home, ROWS)
    inside, outside, other = folder.path / "exports" / "merged-f32", home / "given", home / "another"
    for place, name in ((inside, stack.hash), (outside, stack.hash), (other, "0" * 16)):
        place.mkdir(parents=True)
        (place / "model.safetensors").write_bytes(b"weights")
        (place / exported.ORIGIN).write_text(json.dumps({"stack": name}))
    half = folder.path / "exports" / ".gguf-f16.999999.part"
    half.mkdir()
    erase(Asked("p", home, adapters=adapters))
    for place in (inside, outside):
        assert taint.of(place)["rows"] == 1  # type: ignore[index]
        assert (place / "model.safetensors").exists() == (adapters == "taint")
    assert taint.of(other) is None
    assert (other / "model.safetensors").exists()
    assert not half.exists()
