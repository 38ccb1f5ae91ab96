"""croissant.json against mlcroissant: valid without errors, and the records that it reads back are the rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from trimtab.audit import card
from trimtab.audit.card.croissant import CONTEXT, croissant

mlcroissant = pytest.importorskip("mlcroissant")
pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]

ROWS: list[dict[str, Any]] = [
    {
        "id": "one",
        "prompt": "How late is it, and where?",
        "completion": "Nine o'clock,\nin the hall.",
        "licence": "CC-BY-4.0",
        "source": "letters, 2nd volume",
        "collected_at": "2026-03-31",
    },
    {
        "id": "two",
        "prompt": 'She said "no"; why?',
        "completion": "Zürich – naïve 日本",
        "licence": "CC-BY-4.0",
        "source": "letters",
        "collected_at": "2026-04-01",
    },
]


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def table(rows: list[dict[str, Any]], sign: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=sign)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    files = pytest.importorskip("pyarrow.parquet")
    out = io.BytesIO()
    files.write_table(pyarrow.Table.from_pylist(rows), out)
    return out.getvalue()


def records(folder: Path) -> list[dict[str, Any]]:
    """The rows as mlcroissant reads them: ids of fields to names, bytes to text, days to text."""
    found = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert not found.metadata.ctx.issues.errors
    return [plain(record) for record in found.records("rows")]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    return value.date().isoformat() if hasattr(value, "date") else value


MADE = {
    "r.jsonl": jsonl(ROWS),
    "r.jsonl.gz": gzip.compress(jsonl(ROWS)),
    "r.csv": table(ROWS, ","),
    "r.tsv": table(ROWS, "\t"),
    "r.csv.gz": gzip.compress(table(ROWS, ",")),
    "r.json": json.dumps(ROWS).encode(),
    "r.json.gz": gzip.compress(json.dumps(ROWS).encode()),
    "lines.json": jsonl(ROWS),
}


@pytest.mark.parametrize("name", [*MADE, "r.parquet"])
def test_records_that_are_read_back_are_the_rows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(MADE[name] if name in MADE else parquet(ROWS))
    card.write(card.facts(str(tmp_path / name)), tmp_path)
    assert records(tmp_path) == ROWS


def test_conversations_lists_and_numbers(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    rows = [
        {"messages": turns, "references": ["Ho", "Hey"], "score": 1, "odd name": "a", "kept": True},
        {"messages": [*turns, *turns], "references": ["Hm"], "score": 2, "odd name": "b", "kept": False},
    ]
    (tmp_path / "r.jsonl").write_bytes(jsonl(rows))
    card.write(card.facts(str(tmp_path / "r.jsonl")), tmp_path)
    found = records(tmp_path)
    assert [row | {"odd name": row.pop("odd%20name")} for row in found] == rows
    fields = {
        one["name"]: one
        for one in json.loads((tmp_path / "croissant.json").read_text())["recordSet"][0]["field"]
    }
    assert fields["score"]["dataType"] == "sc:Integer"
    assert fields["kept"]["dataType"] == "sc:Boolean"
    assert [one["name"] for one in fields["messages"]["subField"]] == ["role", "content"]


def test_a_folder_of_texts_is_a_set_of_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("The first text.\nIt goes on.")
    (tmp_path / "deep" / "b.txt").write_text("The second.")
    card.write(card.facts(str(tmp_path)), tmp_path)
    assert records(tmp_path) == [
        {"text": "The first text.\nIt goes on.", "source": "a.txt"},
        {"text": "The second.", "source": "deep/b.txt"},
    ]
    again = card.facts(str(tmp_path))
    assert again.files == ("a.txt", "deep/b.txt"), "the card is no text of the set"
    assert again.found.rows == 2


def test_lines_of_a_text_are_valid(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("one line\nand another\n")
    card.write(card.facts(str(tmp_path / "r.txt")), tmp_path)
    found = mlcroissant.Dataset(str(tmp_path / "croissant.json"))
    assert not found.metadata.ctx.issues.errors


def test_the_hash_is_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(MADE["r.jsonl"])
    card.write(card.facts(str(tmp_path / "r.jsonl")), tmp_path)
    with (tmp_path / "r.jsonl").open("ab") as file:
        file.write(jsonl(ROWS[:1]))
    with pytest.raises(mlcroissant.GenerationError) as caught:
        records(tmp_path)
    assert "Hash of downloaded file" in str(caught.value.__cause__)


def test_what_is_known_is_there_and_what_is_not_is_named(tmp_path: Path) -> None:
    rows = [row | {"completion": "Write to anna@example.org"} for row in ROWS]
    (tmp_path / "r.jsonl").write_bytes(jsonl(rows))
    declared = card.Declared(name="Letters", creator="The archive", version="1.2.0", published="2026-05-01")
    facts = card.facts(str(tmp_path / "r.jsonl"), declared=declared)
    found = croissant(facts)
    assert found["name"] == "Letters"
    assert found["license"] == ["https://spdx.org/licenses/CC-BY-4.0.html"]
    assert found["creator"] == {"@type": "sc:Organization", "name": "The archive"}
    assert found["rai:dataCollectionTimeframe"] == ["2026-03-31", "2026-04-01"]
    assert "EMAIL_ADDRESS: 2 places in 2 rows" in found["rai:personalSensitiveInformation"]
    assert any(text.startswith("Not looked at: names of people") for text in found["rai:dataLimitations"])
    assert "Not known:" in found["description"]
    assert "intended use" in found["description"]
    assert "anna" not in json.dumps(found)
    assert "citeAs" not in found
    card.write(facts, tmp_path)
    read = mlcroissant.Dataset(str(tmp_path / "croissant.json")).metadata
    assert read.version == "1.2.0"
    assert read.creators[0].name == "The archive"
    assert read.personal_sensitive_information
    assert read.data_limitations


def test_the_context_is_the_one_of_the_specification() -> None:
    from mlcroissant._src.core.context import Context, CroissantVersion
    from mlcroissant._src.core.rdf import make_context

    assert dict(CONTEXT) == make_context(Context(conforms_to=CroissantVersion.V_1_1))


def test_moved_beside_its_data_it_is_still_valid(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(MADE["r.jsonl"])
    card.write(card.facts(str(tmp_path / "r.jsonl")), tmp_path / "out")
    shutil.copy(tmp_path / "r.jsonl", tmp_path / "out")
    assert records(tmp_path / "out") == ROWS
