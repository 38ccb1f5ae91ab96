"""The files of a card: whole, the same in all forms, harmless whatever a text says; and of a real run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import trimtab
from tests import projects
from tests.document import made
from tests.document.model_card.made import RULES, adjusted, deviations, of, recorded, review, round_, told
from tests.document.test_doses import study
from tests.document.test_report import HOSTILE, Page
from trimtab import taint
from trimtab.document import model_card
from trimtab.document.model_card.writing import LINKS, html, markdown
from trimtab.run import RunFolder


def full(folder: RunFolder) -> RunFolder:
    """A run with all that a card may show."""
    told(folder)
    adjusted(folder, {"adapter": 1.0, "postprocess": 1.0}, "end")
    review(folder)
    deviations(folder)
    round_(folder)
    folder.write("dose.json", study())
    return folder


@pytest.mark.parametrize("kind", made.KINDS)
def test_the_page_is_whole_and_loads_nothing(tmp_path: Path, kind: str) -> None:
    text = html(of(full(made.folder(tmp_path, kind))))
    page = Page(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|javascript:", text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.elements}
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    assert {found["href"] for found in page.all("a")} <= {f"#{name}" for name in ids}
    assert {f"#{name}" for name in LINKS} <= {found["href"] for found in page.all("a")}
    titles = [found["aria-label"] for _, found in page.elements if "aria-label" in found]
    assert len(titles) == len(set(titles))


def test_every_part_stands_in_both_forms_and_says_the_same(tmp_path: Path) -> None:
    facts = of(full(made.folder(tmp_path)))
    text, page = markdown(facts), Page(html(facts)).text
    for section in model_card.sections(facts):
        assert f"## {section.title}\n" in text
        assert section.title in page
    for said in ("62% (55% to 69%)", "told: A machine wrote this.", "2 trillion tokens"):
        assert said in text
        assert said in page


def test_numbers_of_the_page_are_those_of_the_record(tmp_path: Path) -> None:
    folder = full(made.folder(tmp_path))
    facts = of(folder)
    known = made.numbers(
        [folder.read(name) for name in ("verdict.json", "provenance.json", "dose.json", "review.json")]
    )
    known |= made.numbers([section.data for section in model_card.sections(facts)])
    assert {value for value, _ in Page(html(facts)).numbers} <= known


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    folder = full(made.folder(tmp_path))
    deviations(folder, HOSTILE)
    recorded(folder, guidelines=RULES | {"audience": HOSTILE, "tone": "| a | b |\n# c"})
    verdict = replace(folder.verdict(), reasons=(HOSTILE, "`code` [a](b) **c**"))
    folder.write("verdict.json", verdict)
    facts = of(folder, name=HOSTILE, creator=HOSTILE, uses=f"{HOSTILE}\n# heading\n---\n| x |")
    page = Page(html(facts))
    assert not {"script", "img"} & {tag for tag, _ in page.elements}
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    text = markdown(facts)
    body = text.split("\n---\n", 1)[1]
    assert "<script" not in body
    assert "<img" not in body
    assert "[a](b)" not in body
    assert r"\[a\](b)" in body
    headings = [line for line in body.split("\n") if line.startswith("#")]
    assert len(headings) == 1 + len(LINKS) + 1
    tables = [line for line in body.split("\n") if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert yaml.safe_load(text.split("---\n")[1])["license"] == "unknown"


def test_dirty_strings_stay_texts(tmp_path: Path, public_data: Path) -> None:
    strings = json.loads((public_data / "dirty_strings" / "blns.json").read_text(encoding="utf-8"))
    whole = " ".join(strings)
    folder = full(made.folder(tmp_path))
    calm = {tag for tag, _ in Page(html(of(folder))).elements}
    recorded(folder, guidelines=RULES | {"audience": whole, "tone": whole})
    facts = of(folder, uses=whole, name=whole)
    assert {tag for tag, _ in Page(html(facts)).elements} == calm
    paths = model_card.write(facts)
    text = paths[0].read_text(encoding="utf-8")
    assert not re.search(r"<\w", text.split("\n---\n", 1)[1])
    assert yaml.safe_load(text.split("\n---\n")[0].removeprefix("---"))["license"] == "unknown"


def test_results_that_no_longer_hold_are_removed(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    names = [path.name for path in model_card.write(of(folder, benchmark=("refusals=o/r:default",)))]
    assert names == list(model_card.FILES)
    taint.mark(folder.trial(made.STACK), "erasure-1", 4)
    model_card.write(of(folder, benchmark=("refusals=o/r:default",)))
    assert not folder.has("eval_results.yaml")
    assert "Not to be used." in (folder.path / "card.md").read_text()


@pytest.mark.usefixtures("cache")
def test_the_card_of_a_real_run(tmp_path: Path, network: Path) -> None:
    rules = {
        "version": "3",
        "audience": "Testers.",
        "rules": [{"id": "s", "text": "Be short.", "limit": {"words": 2}}],
    }
    folder = tmp_path / "project"
    training = {"epochs": 1, "batch_size": 8, "learning_rate": 0.01}
    recipe = projects.written(folder, network, 40, guidelines="guidelines.yaml", guards=[], training=training)
    (folder / "guidelines.yaml").write_text(yaml.safe_dump(rules))
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    projects.lines(folder / "rows.jsonl", [row | {"licence": "CC0-1.0", "source": "made"} for row in rows])
    run = trimtab.tune(recipe, root=folder / "runs", explore=True).folder
    facts = of(run)
    found = {section.name: section.data for section in model_card.sections(facts)}
    text = (model_card.write(facts)[0]).read_text()
    tune = run.read("provenance.json")["data"]["parts"]["tune"]
    assert found["data"]["origins"]["licence"] == {"CC0-1.0": tune}
    assert found["guidelines"]["version"] == "3"
    assert found["compute"]["flop"] == 6 * found["compute"]["parameters"] * found["compute"]["tokens"] > 0
    assert f"CC0-1.0 ({tune})" in text
    assert "item 1" not in text
    assert "Not a release. This run was explored only" in text
