"""The rung decoding on the tiny network: candidates, searches on tune, and what is recorded of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rungs.prepared import workshop
from trimtab import rungs
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import Stack
from trimtab.candidates import DecodingCandidate
from trimtab.errors import RecipeError
from trimtab.recipe import parse
from trimtab.rungs import decoding
from trimtab.rungs.workshop import Speed, Workshop

SPEED = Speed(read=1e-4, sample=1e-3, epoch=1.0)
RECIPE = {"data": {"examples": "rows.jsonl"}, "goal": {"metric": "length"}}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    return workshop(tmp_path)


def candidate(**options: object) -> DecodingCandidate:
    """A candidate as the recipe gives it."""
    (found,) = parse(RECIPE | {"candidates": {"decoding": [options]}}).candidates.decoding
    return found


def test_the_rung_is_registered_before_those_that_change_weights() -> None:
    assert rungs.kind("decoding").fit is decoding.fit
    order = list(rungs.MODULES)
    assert order.index("decoding") < order.index("adapter")


def test_defaults_stand_around_the_recipes_own_settings(tmp_path: Path, shop: Workshop) -> None:
    found = decoding.defaults(shop, SPEED, 1e9)
    given = [one.model_dump(exclude_defaults=True) for one in found]
    assert {"temperature": 0.0} in given
    assert {"best_of": 4} in given
    assert {"repetition_penalty": 1.1} in given
    assert {one.get("by") for one in given} == {None, "agreement"}
    greedy = workshop(tmp_path / "greedy", sampling={"max_new_tokens": 4})
    cold = [one.model_dump(exclude_defaults=True) for one in decoding.defaults(greedy, SPEED, 1e9)]
    assert {"temperature": 0.0} not in cold
    assert {"best_of": 4, "temperature": 0.7} in cold
    assert all(
        decoding.fit(greedy, one).adjustment.strength == 1 for one in decoding.defaults(greedy, SPEED, 1e9)
    )


def test_defaults_keep_to_the_time_but_are_never_none(shop: Workshop) -> None:
    counts = [len(decoding.defaults(shop, SPEED, seconds)) for seconds in (0.0, 0.5, 1e9)]
    assert counts[0] == 1
    assert counts[0] < counts[1] < counts[2]


def test_fixed_settings_cost_nothing(shop: Workshop) -> None:
    one = candidate(temperature=0.5, stop=["\n"], best_of=3, by="agreement")
    assert decoding.seconds(shop, one, SPEED) == 0
    fitted = decoding.fit(shop, one)
    assert fitted.adjustment == Decoding({"temperature": 0.5, "stop": ("\n",)}, 3, "agreement")
    assert fitted.cost == {"seconds": 0.0, "settings": 1}


def test_a_search_takes_the_best_on_tune_and_records_all_it_tried(shop: Workshop) -> None:
    one = candidate(max_new_tokens=[1, 9], temperature=0.8, trials=3, items=10)
    fitted = decoding.fit(shop, one)
    cost = fitted.cost
    assert [row["max_new_tokens"] for row in cost["tried"]] == [1, 5, 9]
    assert (cost["settings"], cost["items"], cost["search"]) == (3, 10, "grid")
    assert cost["tried"][0]["value"] > cost["tried"][2]["value"]
    assert fitted.adjustment == Decoding({"max_new_tokens": 1, "temperature": 0.8})
    items = shop.some(one.items)
    assert {e.id for e in items} < {e.id for e in shop.prepared.parts["tune"]}
    longest = Stack((Decoding({"max_new_tokens": 9, "temperature": 0.8}),))
    assert shop.value(longest, items) == cost["tried"][2]["value"]
    with longest.attach(shop.base) as model:
        drawn = model(items, shop.prepared.sampling, shop.prepared.seeds)
    # One token at the first setting; answers may end early at the others.
    assert cost["tokens"] >= 10 + sum(len(output.logprobs) for output in drawn)
    assert (shop.folder / "search.json").is_file()
    assert decoding.fit(shop, one).adjustment.hash == fitted.adjustment.hash


def test_optuna_searches_as_well(shop: Workshop) -> None:
    pytest.importorskip("optuna")
    one = candidate(max_new_tokens=[1, 30], best_of=[1, 2], search="optuna", trials=6, items=4)
    fitted = decoding.fit(shop, one)
    values = [row["value"] for row in fitted.cost["tried"]]
    assert len(values) == 6
    best = fitted.cost["tried"][values.index(max(values))]
    assert fitted.adjustment.settings == {"max_new_tokens": best["max_new_tokens"]}
    assert fitted.adjustment.best_of == best["best_of"]


def test_a_search_is_planned_for(shop: Workshop) -> None:
    short = candidate(temperature=[0.6, 0.65], trials=4, items=8)
    assert decoding.seconds(shop, short, SPEED) > 0
    long = candidate(temperature=[0.6, 0.65], best_of=4, trials=8, items=8)
    assert decoding.seconds(shop, long, SPEED) > 4 * decoding.seconds(shop, short, SPEED)


def test_what_decoding_cannot_do_is_said_before_it_is_tried(tmp_path: Path, shop: Workshop) -> None:
    blind = workshop(tmp_path / "blind", goal={"metric": "nll"})
    for ask in (
        lambda: decoding.defaults(blind, SPEED, 1.0),
        lambda: decoding.seconds(blind, candidate(temperature=1.0), SPEED),
        lambda: decoding.fit(blind, candidate(temperature=1.0)),
    ):
        with pytest.raises(RecipeError, match="no setting of sampling can change"):
            ask()
    with pytest.raises(RecipeError, match="best_of 4 at temperature 0"):
        decoding.fit(shop, candidate(best_of=4, temperature=0.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "sets nothing"),
        ({"temperature": 7.0}, "temperature must be from 0 to 5"),
        ({"temperature": [0.7, 0.6]}, "low must be below its high"),
        ({"top_p": [0.5, 1.5]}, "top_p must be"),
        ({"best_of": 65}, "best_of must be from 1 to 64"),
        ({"temperature": [0.0, 1.0], "top_p": [0.5, 0.9], "trials": 3}, "trials of at least 4"),
        ({"temperature": "hot"}, "temperature"),
        ({"warmth": 1.0}, "warmth: unknown key"),
    ],
)
def test_what_is_no_candidate_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        candidate(**options)


def test_a_candidate_survives_the_plan() -> None:
    one = candidate(temperature=[0.6, 0.65], top_k=[1, 5], stop=["x"], search="optuna")
    assert DecodingCandidate.model_validate(one.model_dump(mode="json")) == one
    assert all(isinstance(end, int) for end in one.ranges["top_k"])
