"""Counterfactual examples: whose they are, where they lie, and which row belongs to which."""

from __future__ import annotations

from typing import Any

import pytest

from trimtab.data.counterfactual import augment, counterfactual, twins
from trimtab.data.render import render
from trimtab.data.split import cluster_keys
from trimtab.records import Example, Message

HER = Example(
    (Message("system", "Help the lady."), Message("user", "Where is her bag?")),
    ("It is in her car.", "She has it.", "In the hall."),
    id="a",
    source="shop",
    licence="CC0-1.0",
    subject="p-7",
    consent="form 3",
    collected_at="2026-03-31",
    group="g",
    fields={"instruction": "Help."},
)
PLAIN = Example((Message("user", "Boil water."),), ("Done.",), id="b")
ALONE = Example((Message("user", "Is he in?"),), ("He is.",), id="c")


def test_a_counterfactual_swaps_every_turn_and_reference_and_names_its_parent() -> None:
    twin = counterfactual(HER)
    assert twin is not None
    assert [m.content for m in twin.messages] == ["Help the gentleman.", "Where is his bag?"]
    assert twin.references == ("It is in his car.", "He has it.", "In the hall.")
    assert twin.fields == {"instruction": "Help.", "parent": "a", "augmented": "counterfactual"}
    assert (twin.source, twin.licence, twin.subject) == ("shop", "CC0-1.0", "p-7")
    assert (twin.consent, twin.collected_at) == ("form 3", "2026-03-31")
    assert twin.group == "g"
    assert twin.id not in ("a", "")
    assert [m.role for m in twin.messages] == ["system", "user"]


def test_an_example_without_a_group_of_people_has_none() -> None:
    assert counterfactual(PLAIN) is None
    assert [twin.fields["parent"] for twin in augment([PLAIN, HER, ALONE])] == ["a", "c"]


def test_ids_are_distinct_and_the_same_every_time() -> None:
    found = augment([HER, ALONE])
    assert len({example.id for example in (*found, HER, ALONE)}) == 4
    assert augment([HER, ALONE]) == found


def test_a_counterfactual_lies_in_its_parents_group() -> None:
    twin, alone = augment([HER, ALONE])
    keys = cluster_keys([HER, twin])
    assert keys[0] == keys[1]
    assert alone.group == ALONE.id


def test_rows_find_their_twins_reference_by_reference(tokenizer: Any) -> None:
    examples = [PLAIN, HER, ALONE]
    swapped = augment(examples)
    rows = render(examples, tokenizer, max_tokens=512)
    found = twins(rows, swapped, render(swapped, tokenizer, max_tokens=512))
    assert sorted(found) == [1, 2, 3, 4]
    texts = {number: tokenizer.decode(row.ids[row.supervised]) for number, row in found.items()}
    assert "in his car" in texts[1]
    assert "He has it" in texts[2]
    assert "In the hall" in texts[3]
    assert "She is" in texts[4]


@pytest.mark.parametrize("count", [0, 1])
def test_no_counterfactuals_no_twins(count: int, tokenizer: Any) -> None:
    rows = render([PLAIN][:count] or [HER], tokenizer, max_tokens=512)
    assert twins(rows, [], []) == {}
