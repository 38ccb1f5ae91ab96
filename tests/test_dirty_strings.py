"""Strings that break programs, through all that a project does with a text: audit, training, answers, pages, report."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests import projects
from tests.audit.made import write
from trimtab.adjust.stack import Stack
from trimtab.audit import as_json, audit, fixing
from trimtab.audit.examples import examples
from trimtab.audit.page import page
from trimtab.audit.rows import rows
from trimtab.model.load import load
from trimtab.records import Example, Message, Sampling, plain
from trimtab.run import RunFolder

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def strings(public_data: Path) -> list[str]:
    """Each string once, blank ones left out, since a row needs a prompt and an answer."""
    found = json.loads((public_data / "dirty_strings" / "blns.json").read_text(encoding="utf-8"))
    return list(dict.fromkeys(text for text in found if text.strip()))


class Tags(HTMLParser):
    """The names of all elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attrs)}


def harmless(text: str, of: str) -> None:
    """No element of a page comes from a text: it has those that a page of harmless texts has."""
    strange = Tags(text).names - Tags(of).names
    assert not [
        name for name in strange if name.startswith("on") or name in ("script", "iframe", "img", "src")
    ]
    assert text.encode("utf-8").decode("utf-8") == text


def test_an_audit_reads_them_and_shows_them(strings: list[str], tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", [{"prompt": text, "completion": text} for text in strings])
    before = Path(source).read_bytes()
    found = audit(source)
    assert found.rows == len(strings)
    assert found.of("broken_shape") is None
    json.loads(json.dumps(plain(as_json(found)), allow_nan=False))
    calm = write(tmp_path / "calm.jsonl", [{"prompt": "a", "completion": "b"}])
    harmless(page(found, examples(source, {}, found.findings)), page(audit(calm), {}))
    assert Path(source).read_bytes() == before


def test_a_fix_and_its_undoing_keep_them(strings: list[str], tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", [{"prompt": text, "completion": text} for text in strings])
    fixing.fix(rows(source), audit(source).findings, tmp_path / "clean.jsonl", fixing.rules())
    fixing.undo(tmp_path / "clean.jsonl", tmp_path / "again.jsonl")
    with (tmp_path / "again.jsonl").open(encoding="utf-8", newline="\n") as lines:
        assert [json.loads(line)["prompt"] for line in lines] == strings


def tuned(folder: Path, network: Path, dirty: list[dict[str, Any]]) -> RunFolder:
    """A run that learns from rows, few updates, and asks all the others."""
    recipe = projects.written(
        folder,
        network,
        data={"examples": "dirty.jsonl", "max_tokens": 8192},
        goal={"metric": "chrf", "min_gain": 0.1},
        training={"epochs": 1, "batch_size": 64, "learning_rate": 0.001},
    )
    projects.lines(folder / "dirty.jsonl", dirty)
    return trimtab.tune(recipe, root=folder / "runs", explore=True).folder


def test_a_run_learns_from_them_answers_them_and_reports_them(
    strings: list[str], tmp_path: Path, network: Path
) -> None:
    folder = tuned(tmp_path / "dirty", network, [{"prompt": text, "completion": text} for text in strings])
    assert any(folder.path.rglob("training.jsonl"))
    shown = [row["messages"][-1]["content"] for row in folder.rows("examples.jsonl")]
    assert len(shown) > 20
    assert set(shown) <= set(strings)
    answers = [
        json.loads(line)
        for path in folder.path.rglob("outputs.jsonl")
        for line in path.read_text(encoding="utf-8").strip("\n").split("\n")
    ]
    assert {answer["example"] for answer in answers} == {row["id"] for row in folder.rows("examples.jsonl")}
    calm = tuned(
        tmp_path / "calm", network, [{"prompt": f"q {n}", "completion": f"a {n}"} for n in range(200)]
    )
    report, other = (run.path / "report.html" for run in (folder, calm))
    harmless(report.read_text(encoding="utf-8"), other.read_text(encoding="utf-8"))


def test_each_is_answered(strings: list[str], network: Path) -> None:
    base = load(str(network))
    asked = [Example((Message("user", text),), id=str(n)) for n, text in enumerate(strings)]
    with Stack().attach(base) as generate:
        answers = generate(asked, Sampling(max_new_tokens=2))
    assert [answer.example for answer in answers] == [example.id for example in asked]
