"""README.md against what the Hub's own libraries read, and what it says of facts that are missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.audit.card.test_croissant import ROWS, jsonl, table
from tests.audit.made import raw, write
from trimtab.audit import audit, card, fixing
from trimtab.audit.card.croissant import croissant
from trimtab.audit.card.readme import metadata, readme, size
from trimtab.audit.card.words import missing
from trimtab.audit.rows import rows
from trimtab.document.markdown import safe


def made(folder: Path, content: list[dict[str, Any]], **declared: str) -> card.Facts:
    return card.facts(write(folder / "r.jsonl", content), declared=card.Declared(**declared))


def front(text: str) -> dict[str, Any]:
    found = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(found, dict)
    return found


def test_the_front_is_read_by_the_library_of_the_hub(tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    (tmp_path / "r.jsonl").write_bytes(jsonl(ROWS * 20))
    facts = card.facts(str(tmp_path / "r.jsonl"), declared=card.Declared(name="Letters: a set"))
    path, _ = card.write(facts, tmp_path)
    read = hub.DatasetCard.load(path)
    assert isinstance(read.data, hub.DatasetCardData)
    assert read.data.to_dict() == metadata(facts)
    assert read.data.pretty_name == "Letters: a set"
    assert read.data.license == "cc-by-4.0"
    assert read.data.size_categories == ["n<1K"]
    assert read.data.task_categories == ["text-generation"]
    assert read.text.lstrip().startswith("# Letters: a set")


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r.tsv"])
def test_the_configs_load_the_rows(tmp_path: Path, name: str) -> None:
    datasets = pytest.importorskip("datasets")
    sign = "\t" if name.endswith("tsv") else ","
    (tmp_path / name).write_bytes(jsonl(ROWS) if name.endswith("jsonl") else table(ROWS, sign))
    card.write(card.facts(str(tmp_path / name)), tmp_path)
    found = datasets.load_dataset(str(tmp_path), split="train", cache_dir=str(tmp_path / "cache"))
    kept = [{key: value for key, value in row.items() if key != "collected_at"} for row in found]
    assert kept == [{key: value for key, value in row.items() if key != "collected_at"} for row in ROWS]


def test_missing_facts_are_shown_with_what_to_fill_in(tmp_path: Path) -> None:
    text = readme(made(tmp_path, raw(("a", "b"), ("c", "d"))))
    for name in ("licence", "source", "collected_at", "subject"):
        assert f"**not known** (fill the column `{name}`" in text
    for key in ("description=TEXT", "creator=NAME", "language=CODE", "citation=TEXT"):
        assert f"**not known** (say it with `--use {key}`)" in text
    assert front(text)["license"] == "unknown"
    assert "language" not in front(text)
    assert "no row names a person" in text


def test_a_licence_is_declared_for_rows_that_say_none(tmp_path: Path) -> None:
    facts = made(tmp_path, raw(("a", "b"), ("c", "d")), licence="Apache-2.0")
    assert metadata(facts)["license"] == "apache-2.0"
    assert "| licence | Apache-2.0 (2 rows) |" in readme(facts)
    assert croissant(facts)["license"] == ["https://spdx.org/licenses/Apache-2.0.html"]
    assert "licence" not in missing(facts)


def test_what_is_known_is_shown(tmp_path: Path) -> None:
    content = [
        {
            "prompt": "a",
            "completion": "mail anna@example.org",
            "licence": "MIT",
            "part": "tune",
            "subject": "p1",
        },
        {"prompt": "b", "completion": "c d", "licence": "MIT", "part": "confirm", "source": "a|b"},
        {"prompt": "e", "completion": "", "licence": "CC0-1.0", "part": "tune"},
    ]
    text = readme(made(tmp_path, content, creator="Us", uses="tests", description="Three <b>rows</b>."))
    assert "| licence | MIT (2 rows), CC0-1.0 (1 row) |" in text
    assert front(text)["license"] == "other"
    assert "| tune | 2 |" in text
    assert "| confirm | 1 |" in text
    assert "| EMAIL_ADDRESS | personal data | 1 | 1 |" in text
    assert "| completion | completion | text | 2 |" in text
    assert "(`empty_answer`) | 1 | 33.3% |" in text
    assert "| source | a\\|b (1 row) | 2 |" in text
    assert "Three &lt;b&gt;rows&lt;/b&gt;." in text
    assert "1 person is named as the subject of 1 row." in text
    assert "anna" not in text
    assert "bias: how groups of people are spoken of was not measured" in text


def test_what_was_measured_of_groups_is_no_longer_said_to_be_unmeasured(tmp_path: Path) -> None:
    facts = made(tmp_path, raw(("who?", "My father is a nurse."), ("and?", "Her mother is a nurse.")))
    text = readme(facts)
    assert "## Groups of people" in text
    assert "was not measured" not in text
    said = croissant(facts)["rai:dataBiases"]
    assert any(one.startswith("How many rows name a group") for one in said)


def test_a_copy_shows_what_a_fix_changed(tmp_path: Path) -> None:
    source = write(tmp_path / "r.jsonl", raw(("a", "mail anna@example.org"), ("b", ""), ("c", "d e")))
    fixing.fix(rows(source), audit(source).findings, tmp_path / "clean.jsonl", fixing.rules())
    text = readme(card.facts(str(tmp_path / "clean.jsonl")))
    assert "- personal_data: 1 place mended" in text
    assert "- empty_answer: 1 row left out" in text
    assert "## Changes from the source" not in readme(card.facts(source))


def test_a_folder_of_texts(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("one text")
    text = readme(card.facts(str(tmp_path / "texts")))
    assert "| file | folder texts, 1 files, 8 bytes |" in text
    assert front(text)["configs"][0]["sample_by"] == "document"


@pytest.mark.parametrize(
    ("count", "name"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (42_061, "10K<n<100K"),
        (10**6, "1M<n<10M"),
        (10**9, "n>1B"),
    ],
)
def test_sizes(count: int, name: str) -> None:
    assert size(count) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("collected_at", "collected_at"),
        ("_so_ *much* `code`", "\\_so\\_ \\*much\\* \\`code\\`"),
        ("a|b\nc", "a\\|b c"),
        ("<script>&lt;", "&lt;script&gt;&amp;lt;"),
        ("# no heading", "\\# no heading"),
        ("[a](b)", "\\[a\\](b)"),
        ("mail anna@example.org", "mail \\[e-mail address\\]"),
    ],
)
def test_nothing_in_a_name_is_markup(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_the_card_is_one_document(tmp_path: Path) -> None:
    text = readme(made(tmp_path, raw(("a", "b"))))
    assert text.count("\n# ") == 1
    assert json.dumps(front(text))
    assert all(
        line.count("|") == text.splitlines()[at - 1].count("|")
        for at, line in enumerate(text.splitlines())
        if line.startswith("| ---")
    )
