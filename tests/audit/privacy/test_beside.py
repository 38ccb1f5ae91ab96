"""Names that other names, or the words around them, betray."""

from __future__ import annotations

import time

import pytest

from trimtab.audit.privacy.beside import beside
from trimtab.language.personal.found import SURE, Found


def told(text: str, *people: str) -> set[tuple[str, str]]:
    known = [Found(text.index(name), text.index(name) + len(name), "PERSON", 0.55) for name in people]
    found = list(beside(text, known))
    return {(text[one.start : one.end], one.type) for one in found}


@pytest.mark.parametrize(
    ("text", "people", "value", "kind"),
    [
        ("Quist and Varn were here", ["Quist"], "Varn", "PERSON"),
        ("Quist and Varn were here", ["Varn"], "Quist", "PERSON"),
        ("founders: Quist, Varn and Ozel.", ["Varn"], "Ozel", "PERSON"),
        ("Elita B Quist said so", ["Elita B"], "Elita B Quist", "PERSON"),
        ("Quist from Orbital Cheese is here", ["Quist"], "Orbital Cheese", "ORGANIZATION"),
        ("we moved here from QUONSET", [], "QUONSET", "LOCATION"),
        ("she works for Orbital Cheese", [], "Orbital Cheese", "ORGANIZATION"),
        ("so Megan told me", [], "Megan", "PERSON"),
    ],
)
def test_what_stands_beside_a_name(text: str, people: list[str], value: str, kind: str) -> None:
    assert (value, kind) in told(text, *people)


@pytest.mark.parametrize(
    "text", ["Quist and I were here", "Quist, Monday at ten", "the rose is in bloom", "I am in"]
)
def test_common_words_are_no_names(text: str) -> None:
    assert told(text, *(["Quist"] if "Quist" in text else [])) == set()


def test_all_but_a_completed_name_are_below_sure() -> None:
    assert all(one.score < SURE for one in beside("she works for Orbital Cheese, lives in Hull, Megan", []))


@pytest.mark.parametrize("unit", ["A ", "Ab, ", "Ab and ", "in A", "lives in A of ", "works for ", "Ab-"])
def test_a_hostile_text_takes_no_longer_than_a_dull_one(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    known = [Found(n, n + 2, "PERSON", 0.55) for n in range(0, 99_000, 100)]
    before = time.process_time()
    list(beside(text, known))
    assert time.process_time() - before < 1.5
