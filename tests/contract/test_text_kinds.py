"""What adjustments without weights promise, shown for every kind that edits an answer."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests.adjust import made
from trimtab.adjust.contract import Adjustment
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.stack import KINDS, Stack
from trimtab.guidelines import parse
from trimtab.records import Example, Message, Output, Sampling, questions

SENTENCE = "Written by a machine."
RULES: dict[str, Any] = {
    "version": "3",
    "rules": [
        {"id": "e", "text": "No e.", "replace": {"phrases": {"e": "a"}}},
        {"id": "machine", "text": "Say who wrote it.", "disclose": {"sentence": SENTENCE}},
        {
            "id": "digits",
            "text": "No digits.",
            "reject": {"pattern": r"\d", "draws": 2, "fallback": "Nothing to say."},
        },
    ],
}
CASES: dict[str, Adjustment] = {
    "rules": Postprocess(parse(RULES)),
    "rules and facts": Postprocess(parse(RULES), facts="replace", draws=1),
    "one rule": Postprocess(parse({"rules": [RULES["rules"][1]]})),
}
EXAMPLES = [Example((Message("user", text),), id=text) for text in ("Hi", "Say 7 things", "é水")]
SAMPLING = Sampling(max_new_tokens=12, temperature=1.0)


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> Any:
    """An adjustment that changes every answer."""
    return request.param


def answers(*adjustments: Any, base: Any = None) -> list[Output]:
    with Stack(adjustments).attach(base or made.base()) as generate:
        return generate(EXAMPLES, SAMPLING, seeds=(0, 1))


def test_it_changes_what_is_said_and_says_which_rules_fired(case: Any) -> None:
    plain, changed = answers(), answers(case)
    assert all(one.text != other.text and other.fired for one, other in zip(plain, changed, strict=True))
    assert [(o.example, o.seed) for o in changed] == [(o.example, o.seed) for o in plain]


def test_strength_0_is_the_base_bit_for_bit(case: Any) -> None:
    off = case.scaled(0)
    assert off.strength == 0
    assert answers(off) == answers()
    assert Stack((off,)).hooks == frozenset()
    # Also where it is asked without a stack, which would leave it out.
    asked = questions(EXAMPLES, SAMPLING, (0, 1))
    with Stack().attach(made.base()) as plain:
        assert off.answers(plain.model, asked) == plain.model.answer(asked)


def test_half_of_it_is_all_of_it(case: Any) -> None:
    assert case.scaled(0.5) == case
    assert (0.5 * case).hash == case.hash
    assert case.scaled(0).scaled(3).strength == 0
    assert case.scaled(0).hash != case.hash


def test_leaving_restores_bit_for_bit_also_after_an_exception(case: Any) -> None:
    base = made.base()
    weights, before = made.weights(base), answers(base=base)

    def fail() -> None:
        with Stack((case,)).attach(base) as generate:
            assert generate(EXAMPLES, SAMPLING, seeds=(0, 1)) != before
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert made.same(weights, made.weights(base))
    assert answers(base=base) == before


def test_save_and_load_are_exact(case: Any, tmp_path: Path) -> None:
    for adjustment in (case, case.scaled(0)):
        adjustment.save(tmp_path)
        again = type(case).load(tmp_path)
        assert again == adjustment
        assert again.hash == adjustment.hash
        assert again.describe() == adjustment.describe()
        assert answers(again) == answers(adjustment)


def test_a_stack_saves_and_loads_it(case: Any, tmp_path: Path) -> None:
    stack = Stack((case, case.scaled(0)))
    stack.save(tmp_path)
    assert Stack.load(tmp_path).hash == stack.hash
    kinds = [one["kind"] for one in json.loads((tmp_path / "stack.json").read_text("utf-8"))["adjustments"]]
    assert kinds == [case.kind, case.kind]
    assert case.kind in KINDS


def test_two_of_a_kind_and_nested_change_nothing_more(case: Any) -> None:
    base = made.base()
    once, before = answers(case, base=base), answers(base=base)
    assert answers(case, case, base=base) == once
    with Stack((case,)).attach(base) as outer:
        with Stack((case,)).attach(outer.model) as inner:
            assert inner(EXAMPLES, SAMPLING, seeds=(0, 1)) == once
        assert outer(EXAMPLES, SAMPLING, seeds=(0, 1)) == once
    assert answers(base=base) == before


def test_two_attached_to_one_base_do_not_meet(case: Any) -> None:
    base = made.base()
    with Stack((case,)).attach(base) as outer, Stack().attach(base) as inner:
        assert inner(EXAMPLES, SAMPLING, seeds=(0, 1)) == answers()
        assert outer(EXAMPLES, SAMPLING, seeds=(0, 1)) == answers(case)


def test_it_leaves_likelihoods_alone(case: Any) -> None:
    pairs = [((Message("user", "Hi"),), "yes"), ((), "a text")]
    with Stack((case,)).attach(made.base()) as changed, Stack().attach(made.base()) as plain:
        assert changed.likelihood(pairs) == plain.likelihood(pairs)
    assert "network" not in case.hooks


def test_describes_every_setting_with_its_unit(case: Any, tmp_path: Path) -> None:
    told = case.describe()
    assert (told.kind, told.strength, told.parameters) == (case.kind, 1, 0)
    assert told.bytes > 0
    assert {"facts", "draws", "guidelines"} <= told.settings.keys()
    assert {f"rule {rule.id}" for rule in case.guidelines.rules} <= told.settings.keys()
    assert all(setting.unit for name, setting in told.settings.items() if isinstance(setting.value, int))


def test_identity_is_content(case: Any) -> None:
    same = dataclasses.replace(case)
    assert same.hash == case.hash
    assert dataclasses.replace(case, facts="drop").hash != case.hash
    assert dataclasses.replace(case, draws=5).hash != case.hash
    newer = case.guidelines.model_copy(update={"version": "4"})
    assert dataclasses.replace(case, guidelines=newer).hash != case.hash
