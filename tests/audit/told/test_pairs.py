"""Facts are read from prompts that list them, in their usual forms, and from no others."""

from __future__ import annotations

import pytest

from trimtab.audit.findings import Row
from trimtab.audit.told.pairs import listed, pairs_of
from trimtab.records import Example, Message

FACTS = {"name": "The Vaults", "area": "city centre", "priceRange": "less than £20"}


@pytest.mark.parametrize(
    "prompt",
    [
        "name[The Vaults], area[city centre], priceRange[less than £20]",
        "Describe it: name[The Vaults], area[city centre], priceRange[less than £20].",
        "name : The Vaults | area : city centre | priceRange : less than £20",
        "Write a text.\n- name: The Vaults\n- area: city centre\n- priceRange: less than £20\n",
        "name = The Vaults\narea = city centre\npriceRange = less than £20",
    ],
)
def test_forms(prompt: str) -> None:
    found = listed(prompt)
    assert {name.removeprefix("Describe it: "): value for name, value in found.items()} == FACTS


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "What is the capital of France?",
        "Answer in one word: yes or no?",
        "see [1]",
        "a | b | c",
        "a:\nb:\n",
    ],
)
def test_other_prompts_list_nothing(prompt: str) -> None:
    assert listed(prompt) == {}


def test_a_spec_sheet_is_read_as_measures_read_it() -> None:
    fields = {"name": "Kestrel lamp", "spec": {"height": "40 cm", "dimmable": True}}
    row = Row(0, "r:0", {}, example=Example((Message("user", "Describe the lamp."),), ("x",), fields=fields))
    assert pairs_of(row) == {"name": "Kestrel lamp", "height": "40 cm", "dimmable": "True"}


def test_hostile_prompts_take_no_time() -> None:
    for prompt in (
        "a " * 50_000,
        "a[" * 50_000,
        "name[" + "x" * 100_000,
        "a:" * 50_000,
        "a b" * 30_000 + "[",
    ):
        assert listed(prompt[:4000]) in ({},) or len(listed(prompt[:4000])) <= 40
