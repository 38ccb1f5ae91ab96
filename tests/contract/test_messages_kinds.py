"""What every adjustment promises, shown for the kinds that change what is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adjust import asked, made
from trimtab.adjust.stack import Stack
from trimtab.model.load import Base
from trimtab.model.local import Local
from trimtab.records import Message, Output, questions

CASES = {
    "instruction": asked.worded(instruction="Be brief."),
    "prefix and suffix": asked.worded(prefix="Style: dry.", suffix="Now."),
    "diverse exemplars": asked.worded(exemplars=2),
    "nearest exemplars as text": asked.worded(exemplars=2, choose="nearest", show="text"),
    "revised": asked.worded(revise="Say it again."),
    "everything": asked.worded(instruction="Be brief.", exemplars=1, choose="nearest", revise="Again."),
    "context by words": asked.placed(),
    "context by meaning": asked.placed(method="embedding"),
    "context by both": asked.placed(3, method="fused"),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """How to fit, and one fitted adjustment."""
    return request.param, request.param(asked.base())


def read(base: Base, *adjustments: Any) -> list[tuple[float, int]]:
    with Stack(adjustments).attach(base) as model:
        return model.likelihood([(e.messages, "yes") for e in asked.EXAMPLES])


def test_it_changes_what_the_model_says(case: Any) -> None:
    _, fitted = case
    base = asked.base()
    before, after = asked.answers(base, Stack()), asked.answers(base, Stack((fitted,)))
    assert [(o.example, o.seed) for o in after] == [(o.example, o.seed) for o in before]
    assert sum(a.text != b.text for a, b in zip(before, after, strict=True)) > len(before) / 2


def test_strength_0_is_the_base_bit_for_bit(case: Any) -> None:
    _, fitted = case
    base, off = asked.base(), fitted.scaled(0)
    assert off.strength == 0
    assert asked.answers(base, Stack((off,))) == asked.answers(base, Stack())
    assert read(base, off) == read(base)
    # And by itself, without a stack that leaves it out.
    given = questions(asked.EXAMPLES, asked.SAMPLING)
    assert off.answers(Local(base), given) == Local(base).answer(given)
    assert off.messages(given[0].messages) == given[0].messages


def test_the_base_is_untouched_also_after_an_exception(case: Any) -> None:
    _, fitted = case
    base = asked.base()
    weights, before, named = made.weights(base), asked.answers(base, Stack()), set(vars(base.network))

    def fail() -> None:
        with Stack((fitted,)).attach(base) as generate:
            generate(asked.EXAMPLES, asked.SAMPLING)
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert made.same(weights, made.weights(base))
    assert set(vars(base.network)) == named
    assert asked.answers(base, Stack()) == before


def test_save_and_load_are_exact(case: Any, tmp_path: Path) -> None:
    _, fitted = case
    base = asked.base()
    for number, adjustment in enumerate((fitted, fitted.scaled(0))):
        folder = tmp_path / str(number)
        Stack((adjustment,)).save(folder)
        again = Stack.load(folder)
        assert again.hash == Stack((adjustment,)).hash
        (loaded,) = again.adjustments
        assert (loaded.hash, loaded.strength) == (adjustment.hash, adjustment.strength)
        assert loaded.describe() == adjustment.describe()
        assert asked.answers(base, again) == asked.answers(base, Stack((adjustment,)))
    assert fitted.scaled(0).hash != fitted.hash
    kept = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert kept <= {".json", ".jsonl", ".safetensors"}


def test_same_seed_same_result(case: Any) -> None:
    fit, fitted = case
    assert fit(asked.base()).hash == fitted.hash


def test_two_of_a_kind_and_nested(case: Any) -> None:
    _, fitted = case
    base = asked.base()
    plain, once = asked.answers(base, Stack()), asked.answers(base, Stack((fitted,)))
    twice = asked.answers(base, Stack((fitted, fitted)))
    assert texts(twice) != texts(once)
    with Stack((fitted,)).attach(base) as outer:
        assert outer(asked.EXAMPLES, asked.SAMPLING, (0, 1)) == once
        with Stack((fitted,)).attach(outer.model) as inner:
            assert inner(asked.EXAMPLES, asked.SAMPLING, (0, 1)) == twice
        assert outer(asked.EXAMPLES, asked.SAMPLING, (0, 1)) == once
    assert asked.answers(base, Stack()) == plain


def texts(outputs: list[Output]) -> list[str]:
    return [output.text for output in outputs]


def test_with_an_adjustment_of_the_network_both_apply(case: Any) -> None:
    from trimtab.adjust import adapter

    _, fitted = case
    base = asked.base()
    shape = adapter.Shape(rank=4)
    trained = adapter.fit(base, made.rows(), shape, made.HOW)[0].scaled(4)
    both = asked.answers(base, Stack((trained, fitted)))
    assert texts(both) != texts(asked.answers(base, Stack((fitted,))))
    assert texts(both) != texts(asked.answers(base, Stack((trained,))))


def test_a_text_without_a_conversation_stays_as_it_is(case: Any) -> None:
    _, fitted = case
    base = asked.base()
    with Stack((fitted,)).attach(base) as adjusted, Stack().attach(base) as plain:
        assert adjusted.likelihood([((), "plain text")]) == plain.likelihood([((), "plain text")])
    assert read(base, fitted) != read(base) or fitted.describe().settings.get("revise")


def test_it_works_where_the_network_is_not_at_hand(case: Any) -> None:
    _, fitted = case
    base = asked.base()
    service = asked.Listening(Local(base))
    with Stack((fitted,)).attach(service) as generate:
        found = generate(asked.EXAMPLES, asked.SAMPLING, (0, 1))
    assert found == asked.answers(base, Stack((fitted,)))
    assert all(q.messages[-1].role == "user" for batch in service.asked for q in batch)


def test_earlier_turns_and_the_own_system_turn_are_kept(case: Any) -> None:
    _, fitted = case
    told = (
        Message("system", "Own."),
        Message("user", "pears?"),
        Message("assistant", "Yes."),
        Message("user", "plums?"),
    )
    found = fitted.messages(told)
    assert found[0].role == "system"
    assert found[0].content.startswith("Own.")
    assert [m.role for m in found].count("system") == 1
    assert told[2] in found
    assert "plums?" in found[-1].content


def test_describes_every_setting_with_its_unit(case: Any) -> None:
    _, fitted = case
    told = fitted.describe()
    assert (told.kind, told.strength, told.parameters) == (fitted.kind, 1.0, 0)
    own = {
        "prompt": {
            "instruction",
            "prefix",
            "suffix",
            "exemplars",
            "choose",
            "show",
            "revise",
            "room",
            "pool",
        },
        "context": {"passages", "method", "indexed", "documents", "template", "floor", "room"},
    }
    assert own[fitted.kind] <= told.settings.keys()
    numbers = [s for s in told.settings.values() if isinstance(s.value, int | float)]
    assert numbers
    assert all(setting.unit for setting in numbers)
    assert told.bytes > 0
    json.dumps({name: setting.value for name, setting in told.settings.items()})


def test_they_touch_messages_only(case: Any) -> None:
    _, fitted = case
    assert Stack((fitted,)).hooks == {"messages"}
    assert Stack((fitted.scaled(0),)).hooks == frozenset()
