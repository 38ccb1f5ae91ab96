"""Personal data gives way within a row: by its type, or by a stand-in that is the same wherever the person is."""

from __future__ import annotations

import pytest

from tests.audit.made import read_rows
from trimtab.audit.privacy.hiding import Hiding
from trimtab.audit.privacy.names import installed
from trimtab.errors import UserError

KEY = b"k" * 32
ROW = {
    "prompt": "My name is Anna Berg. Can you help?",
    "completion": "Of course, Anna Berg! Dear Anna, Ms. Berg is told. The iceberg stays.",
    "agent": {"name": "Carl Moss"},
}


def hidden(hiding: Hiding, **columns: object) -> dict[str, str]:
    row = read_rows(ROW | columns)[0]
    hide = hiding.within(row)
    return {text.field: hide(text, text.text) for text in row.texts}


def test_a_name_announced_in_one_text_is_masked_in_all() -> None:
    assert hidden(Hiding()) == {
        "prompt": "My name is [PERSON]. Can you help?",
        "completion": "Of course, [PERSON]! Dear [PERSON], Ms. [PERSON] is told. The iceberg stays.",
        "agent.name": "[PERSON]",
    }


def test_a_person_has_one_stand_in_across_fields_and_its_parts() -> None:
    left = hidden(Hiding("pseudonyms", key=KEY))
    stand_in = left["prompt"].removeprefix("My name is ").removesuffix(". Can you help?")
    first, last = stand_in.split()[0], stand_in.split()[-1]
    assert "Berg" not in stand_in
    assert (
        left["completion"] == f"Of course, {stand_in}! Dear {first}, Ms. {last} is told. The iceberg stays."
    )
    again = hidden(Hiding("pseudonyms", key=KEY), prompt="My name is Anna M. Berg. Can you help?")
    assert again["prompt"] == left["prompt"]


def test_without_a_key_each_hiding_has_its_own() -> None:
    assert hidden(Hiding("pseudonyms"))["prompt"] != hidden(Hiding("pseudonyms"))["prompt"]


def test_an_unknown_way_is_told() -> None:
    with pytest.raises(UserError, match="'blur'"):
        Hiding("blur")


@pytest.mark.skipif(installed() is None, reason="no spaCy model of English is installed")
def test_names_that_a_model_knows_are_hidden_if_they_were_looked_for() -> None:
    row = {"prompt": "Who came?", "completion": "Yesterday Maria Gonzalez flew to Berlin as a pilot."}
    assert "Maria" in hidden(Hiding(), **row)["completion"]
    left = hidden(Hiding(names=True), **row)["completion"]
    assert "[PERSON] flew to" in left
    assert "as a pilot" in left
