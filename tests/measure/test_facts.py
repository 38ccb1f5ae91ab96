"""Facts kept and facts made up, against cases judged by hand and the demo's own records."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from importlib import resources

import pytest

from tests.reference import judged
from trimtab.errors import MetricError
from trimtab.language.names import terms
from trimtab.language.quantities import quantities
from trimtab.measure import find
from trimtab.measure.facts import facts_of
from trimtab.records import Example, Message


def asked(text: str, **fields: object) -> Example:
    return Example((Message("user", text),), id="x", fields=fields)


def coverage(example: Example, text: str) -> float:
    score = find("coverage").score
    assert score is not None
    return score(example, text)


def invented(example: Example, text: str) -> float:
    score = find("invented").score
    assert score is not None
    return score(example, text)


@pytest.mark.parametrize(("fact", "answer", "kept"), judged.FACTS)
def test_coverage_against_cases_judged_by_hand(fact: str, answer: str, kept: bool) -> None:
    assert coverage(asked("", facts=[fact]), answer) == float(kept)


def test_coverage_is_the_share_of_facts() -> None:
    example = asked("", facts=["1.7 l", "2200 W", ["family friendly", "kid friendly"]])
    assert coverage(example, "A kid-friendly place of 1.7 l.") == pytest.approx(2 / 3)


def test_spec_sheet_and_name_are_facts_and_yes_stands_for_the_property() -> None:
    example = asked("ignored: 5 kg", spec={"power": "900 W", "dishwasher-safe": "yes"}, name="Tammerlin Duo")
    assert facts_of(example) == [("Tammerlin Duo",), ("900 W",), ("dishwasher-safe",)]
    assert coverage(example, "The Tammerlin Duo of 900 W is dishwasher safe.") == 1.0


def test_without_fields_facts_are_found_in_the_prompt() -> None:
    example = asked(
        "Wow! The Orrivane Swift hurls 2200 W at 1.7 litres, with USB-C, IPX7 and BREATHTAKING charm."
    )
    assert [form for (form,) in facts_of(example)] == ["2200 w", "1.7 l", "Orrivane Swift", "USB-C", "IPX7"]
    assert math.isnan(coverage(asked("no facts at all here"), "none"))


def test_invented_counts_numbers_units_and_names_that_nobody_gave() -> None:
    example = asked("The Orrivane Swift holds 1.7 l and draws 2200 W. It has two handles.")
    assert invented(example, "The Orrivane Swift holds 1.7 l. It draws 2200 W and has 2 handles.") == 0.0
    assert invented(example, "The Orrivane Swift holds 1.7 kg.") == pytest.approx(1 / 2)
    assert invented(example, "The Orrivane Swift from Zumba Pixels, 3 years old") == pytest.approx(2 / 3)
    assert invented(example, "Nothing stated.") == 0.0


def test_references_and_declared_facts_are_given_too() -> None:
    example = Example((Message("user", "Describe it."),), ("It weighs 3 kg.",), fields={"facts": ["IPX7"]})
    assert invented(example, "It weighs 3 kg and is rated IPX7.") == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,200 grams and 0.75m", [("1200", "g"), ("0.75", "m")]),
        ("£30 or $1,299.50 or 20 €", [("30", "£"), ("1299.5", "$"), ("20", "€")]),
        ("5-10 cm, 2–3 hours", [("5", ""), ("10", "cm"), ("2", ""), ("3", "h")]),
        ("IPX7, A4, 1080p and M30", []),
        ("a 3.5-inch screen at 15.", [("3.5", "in"), ("15", "")]),
        ("-5 °C and 98 %", [("-5", "°c"), ("98", "%")]),
        ("5 metres in 6 minutes", [("5", "m"), ("6", "min")]),
    ],
)
def test_quantities(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(q.number, q.unit) for q in quantities(text)] == [(Decimal(n), u) for n, u in expected]


def test_a_capital_opening_a_sentence_makes_no_name() -> None:
    assert terms("Kettles boil. It draws 165 W. Its lid is from Oslo. Oslo is cold. Dr. Smith agrees.") == [
        "Oslo",
        "Smith",
    ]


def test_facts_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(MetricError, match=r"facts is '1\.7 l'"):
        coverage(asked("", facts="1.7 l"), "1.7 l")
    with pytest.raises(MetricError, match="a fact is"):
        coverage(asked("", facts=[{"a": 1}]), "1.7 l")


def test_the_demos_neutral_texts_keep_every_fact_and_make_up_none() -> None:
    text = resources.files("trimtab").joinpath("demo/products.jsonl").read_text("utf-8")
    kept, made_up, lost = [], [], []
    records = [json.loads(line) for line in text.splitlines()[::3]]
    for record, other in zip(records, records[1:] + records[:1], strict=True):
        example = asked(record["promotional"], spec=record["spec"], name=record["name"])
        kept.append(coverage(example, record["neutral"]))
        made_up.append(invented(example, record["neutral"]))
        lost.append(coverage(example, other["neutral"]))
    assert sum(kept) / len(kept) > 0.99
    assert sum(made_up) / len(made_up) < 0.01
    assert sum(lost) / len(lost) < 0.2
