"""The rung context: what is tried by itself, what it indexes, and how the search is measured by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.rungs import shops
from trimtab.adjust.context import Context
from trimtab.adjust.retrieval import build
from trimtab.candidates import Candidates, ContextCandidate
from trimtab.errors import RecipeError
from trimtab.prepare import prepare
from trimtab.recipe import load, parse
from trimtab.records import Document, Estimate, Example, Message, Passage, plain
from trimtab.rungs import kind
from trimtab.rungs.context import quality
from trimtab.rungs.workshop import Speed

SPEED = Speed(read=1e-4, sample=1e-3, epoch=1.0)


def test_defaults_try_one_three_and_five_passages(tmp_path: Path) -> None:
    shop = shops.workshop(tmp_path)
    found = kind("context").defaults(shop, SPEED, 1e6)
    assert [c.passages for c in found] == [1, 3, 5]
    planned = [json.loads(c.model_dump_json()) for c in found]
    assert list(Candidates.model_validate({"context": planned}).context) == list(found)
    slow = Speed(read=10.0, sample=10.0, epoch=1.0)
    assert [c.passages for c in kind("context").defaults(shop, slow, 1.0)] == [1]
    assert kind("context").seconds(shop, found[0], SPEED) > 1


@pytest.mark.parametrize("method", ["bm25", "fused"])
def test_a_fit_indexes_the_documents_and_measures_the_search(tmp_path: Path, method: Any) -> None:
    shop = shops.workshop(tmp_path)
    fitted = kind("context").fit(shop, ContextCandidate(passages=1, method=method))
    adjustment: Any = fitted.adjustment
    assert isinstance(adjustment, Context)
    assert [p.source for p in adjustment.retrieval.passages] == ["apple.md", "pear.md", "plum.md"]
    assert fitted.cost["indexed"] == 3
    told = fitted.cost["retrieval"]
    assert told["questions"] == len(shop.prepared.parts["tune"])
    assert told["k"] == 1
    assert isinstance(told["recall"], Estimate)
    assert told["recall"].value > 0.9
    assert told["recall"].low < told["recall"].value <= told["reciprocal_rank"].value
    json.dumps(plain(fitted.cost))


PASSAGES = [Passage("red apples", "a.md", "Fruit"), Passage("blue plums", "b.md"), Passage("plums", "c.md")]
DOCUMENTS = [Document(p.text, p.source, p.title) for p in PASSAGES]


def item(number: int, question: str, **known: Any) -> Example:
    return Example((Message("user", question),), ("x",), id=f"e{number}", **known)


def test_the_search_is_measured_where_an_example_names_its_document() -> None:
    examples = [
        item(0, "apples", source="a.md"),
        item(1, "red apples", fields={"document": "Fruit"}),
        item(2, "blue plums", fields={"documents": ["c.md", "elsewhere"]}),
        item(3, "zebra", fields={"document": "b.md"}),
        item(4, "apples", source="a data set", fields={"document": 5}),
    ]
    found = quality(build(PASSAGES, "bm25"), DOCUMENTS, examples, 1)["retrieval"]
    assert found["questions"] == 4
    assert found["recall"].value == pytest.approx(2 / 4)
    assert found["reciprocal_rank"].value == pytest.approx((1 + 1 + 1 / 2 + 0) / 4)
    assert 0 <= found["recall"].low < found["recall"].value < found["recall"].high <= 1


def test_without_a_name_the_search_is_not_measured() -> None:
    found = quality(build(PASSAGES, "bm25"), DOCUMENTS, [item(0, "apples")], 1)["retrieval"]
    assert list(found) == ["note"]


def test_documents_belong_to_what_a_verdict_is_about(tmp_path: Path) -> None:
    here = shops.write(tmp_path / "here")
    first = prepare(load(here))
    (tmp_path / "here").rename(tmp_path / "there")
    moved = tmp_path / "there" / "recipe.yaml"
    assert prepare(load(moved)).identity == first.identity
    assert [d.source for d in first.documents] == ["apple.md", "pear.md", "plum.md"]
    (tmp_path / "there" / "docs" / "plum.md").write_text("# Plums\n\nEvery plum is grey.", encoding="utf-8")
    assert prepare(load(moved)).identity != first.identity


def test_the_rung_needs_documents(tmp_path: Path) -> None:
    recipe = shops.write(tmp_path, data={"examples": "rows.jsonl"})
    with pytest.raises(RecipeError, match=r"data\.documents names none"):
        prepare(load(recipe))


@pytest.mark.parametrize(
    ("candidate", "problem"),
    [
        ({"template": "{passages}"}, "must hold {question} once"),
        ({"template": "{passages} {question} {question}"}, "must hold {question} once"),
        ({"words": 40, "overlap": 30}, r"overlap \(30\) must be at most half of words \(40\)"),
        ({"methods": "bm25"}, "did you mean method"),
    ],
)
def test_candidates_that_make_no_sense_are_refused(candidate: dict[str, Any], problem: str) -> None:
    recipe = {"data": {"examples": "a"}, "goal": {"metric": "chrf"}, "candidates": {"context": [candidate]}}
    with pytest.raises(RecipeError, match=problem):
        parse(recipe)
