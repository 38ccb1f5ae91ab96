"""Titles, firms, countries and days: facts that count beside a name, and no hint where a word only looks like one."""

from __future__ import annotations

import time

import pytest

from trimtab.language.personal.countries import countries
from trimtab.language.personal.firms import firms
from trimtab.language.personal.found import SURE
from trimtab.language.personal.given import GIVEN, given, plain, surely_given
from trimtab.language.personal.scan import hints, patterns

CASES = [
    ("TITLE", "Ask Mrs. Quist.", ["Mrs."]),
    ("TITLE", "the CEO, Vice President Moss", ["CEO", "Vice President"]),
    ("TITLE", "she works as a senior tax adviser there", ["senior tax adviser"]),
    ("TITLE", "We hired a Marketing Manager", ["Marketing Manager"]),
    ("TITLE", "every manager of a shop", []),
    ("ORGANIZATION", "Blue Harbour Ltd. sold it to Nordhaus GmbH.", ["Blue Harbour Ltd.", "Nordhaus GmbH"]),
    ("ORGANIZATION", "3 Green Stones Inc is here", ["3 Green Stones Inc"]),
    ("ORGANIZATION", "she is at Moss, Lee and Hart now", ["Moss, Lee and Hart"]),
    ("ORGANIZATION", "Moss, Lee and Hart\n12 Mill Lane", ["Moss, Lee and Hart"]),
    ("ORGANIZATION", "our founders: Moss, Lee and Hart.", []),
    ("ORGANIZATION", "Hart and Sons is old", ["Hart and Sons"]),
    ("ORGANIZATION", "The Company paid", []),
    ("LOCATION", "from Tunisia to the United Kingdom and Congo (Brazzaville)",
     ["Tunisia", "United Kingdom", "Congo (Brazzaville)"]),
    ("LOCATION", "a turkey in a china shop", []),
    ("NRP", "three Finnish and two bruneians, polish the table", ["Finnish", "bruneians"]),
    ("DATE_TIME", "since 5/5/1937 and 1999-12-31", ["5/5/1937", "1999-12-31"]),
    ("DATE_TIME", "45/77/1937", []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "values"), CASES)
def test_hints(kind: str, text: str, values: list[str]) -> None:
    found = sorted({(one.start, one.end) for one in hints(text) if one.type == kind})
    assert [text[start:end] for start, end in found] == values


def test_a_hint_alone_is_no_personal_data_by_pattern() -> None:
    for _, text, _ in CASES[:-4]:
        assert [one for one in patterns(text) if one.type in ("TITLE", "NRP", "ORGANIZATION")] == []
    assert all(one.score < SURE for text in ("from Tunisia", "a Finn") for one in countries(text))


def test_names_are_known_with_their_marks_and_words_are_told_apart() -> None:
    assert plain("Søren") == "soren"
    assert all(map(given, ("Łukasz", "JOSÉ", "Anna", "Zoë")))
    assert not given("Table")
    assert surely_given("Anna")
    assert not surely_given("Rose")
    assert all(name == plain(name) for name in GIVEN)


@pytest.mark.parametrize(
    "unit",
    ["A ", "Ab, ", "Ab and ", "Ab of ", "Manager ", "as a b ", "1/1/2000", "Ab Inc ", ">", "Mr ", "Congo ("],
)
def test_a_hostile_text_takes_no_longer_than_a_dull_one(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    spent = []
    for _ in range(3):
        before = time.process_time()
        hints(text)
        spent.append(time.process_time() - before)
        if spent[-1] < 0.5:
            return
    pytest.fail(f"{min(spent):.2f} s for 100 kB")


def test_a_legal_form_makes_a_firm_sure() -> None:
    assert [one.score >= SURE for one in firms("Hart GmbH; Hart Solutions")] == [True, False]
