"""The option --use: pairs, keys that are near, values that are few, numbers."""

from __future__ import annotations

import pytest

from trimtab.cli import using
from trimtab.errors import UserError

KEYS = ("model", "names", "limit")


def test_values_of_a_key_come_in_their_order() -> None:
    said = using.pairs(["model=a=b", "limit = 5", "model=c", "prompt=question"], KEYS, ("prompt",))
    assert said == {"model": ["a=b", "c"], "limit": ["5"], "prompt": ["question"]}


@pytest.mark.parametrize("pair", ["model", "=x", "model=", "model= "])
def test_what_is_no_pair_is_a_mistake(pair: str) -> None:
    with pytest.raises(UserError, match="expected KEY=VALUE, received"):
        using.pairs([pair], KEYS)


def test_an_unknown_key_names_the_nearest_and_all() -> None:
    with pytest.raises(UserError, match="no key 'modell'; did you mean model") as caught:
        using.pairs(["modell=x"], KEYS, ("prompt",))
    assert caught.value.hint == "keys are model, names, limit, and the usual columns prompt"


def test_a_choice_takes_what_it_allows() -> None:
    assert using.choice({}, "names", ("yes", "no"), "no") == "no"
    assert using.choice({"names": ["no", "yes"]}, "names", ("yes", "no"), "no") == "yes"
    with pytest.raises(UserError, match="names=maybe: expected yes or no"):
        using.choice({"names": ["maybe"]}, "names", ("yes", "no"), "no")


def test_a_number_is_whole_and_above_0() -> None:
    assert using.number({}, "limit") == 0
    assert using.number({"limit": ["512"]}, "limit") == 512
    for value in ("0", "-1", "1.5", "many", "1" * 12):
        with pytest.raises(UserError, match="expected a whole number above 0"):
            using.number({"limit": [value]}, "limit")
