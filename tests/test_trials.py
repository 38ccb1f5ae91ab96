"""What a stack cannot touch: told from its hooks and the suite's asks, and true of what is measured."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import yaml

from tests.kinds import Preface, Rule
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import Stack
from trimtab.measure.bias import bias_gap
from trimtab.model.load import Base, load
from trimtab.planning import _applying
from trimtab.prepare import GuardSuite, Prepared, prepare
from trimtab.recipe import load as load_recipe
from trimtab.records import Example, Message
from trimtab.trials import Scope, answer_tokens, judge, run_trial, untouched

TEXT, CHOICE, TARGET, CHRF = "plain nll", "asked choice", "target nll", "asks other"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Prepared, Base]:
    """A run's data with guards of every kind, and the tiny network."""
    folder = tmp_path_factory.mktemp("trials")
    tiny_model().save_pretrained(folder / "network")
    tiny_tokenizer().save_pretrained(folder / "network")

    def write(name: str, rows: list[dict[str, Any]]) -> None:
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    write("rows.jsonl", [{"prompt": f"easy {n}", "completion": "ok"} for n in range(60)])
    write("plain.jsonl", [{"text": f"Plain words, number {n}."} for n in range(40)])
    write("asked.jsonl", [{"question": f"{n}?", "choices": ["a", "b"], "answer": 0} for n in range(40)])
    write("asks.jsonl", [{"text": f"question {n}", "should_refuse": False} for n in range(40)])
    (folder / "other.py").write_text(
        "def other(example, text):\n    return float(len(text))\n\nother.bounds = (0, 99)\n"
    )
    recipe = {
        "model": str(folder / "network"),
        "data": {"examples": "rows.jsonl", "max_tokens": 64},
        "goal": {"metric": "exact_match", "min_gain": 0.1},
        "sampling": {"max_new_tokens": 3},
        "guards": [
            {"suite": "plain.jsonl", "metric": "nll", "margin": 0.1},
            {"suite": "asked.jsonl", "metric": "choice", "margin": 0.1},
            {"suite": "target", "metric": "nll", "margin": 0.1},
            {"suite": "asks.jsonl", "metric": "other.py:other", "margin": 50},
        ],
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return prepare(load_recipe(folder / "recipe.yaml")), load(str(folder / "network"), dtype="float32")


def kinds(prepared: Prepared, stack: Stack) -> list[bool]:
    """For text, choices, the target's likelihood and answers: whether the stack cannot touch the guard."""
    held = untouched(prepared, stack, "select")
    return [guard.key in held for guard in prepared.guards]


def test_what_is_held_by_construction(made: tuple[Prepared, Base]) -> None:
    prepared, _ = made
    assert kinds(prepared, Stack((Rule("."),))) == [True, True, True, False]
    assert kinds(prepared, Stack((Preface("Well:"),))) == [True, False, False, False]
    assert kinds(prepared, Stack((Rule("."), Preface("Well:")))) == [True, False, False, False]
    assert kinds(prepared, Stack()) == [False] * 4

    class Weights(Rule):
        """A kind that says that it changes the network."""

        hooks = frozenset({"network", "text"})

    assert kinds(prepared, Stack((Weights("."),))) == [False] * 4
    assert kinds(prepared, Stack((Weights("."),)).scaled(0)) == [True, True, True, False]


@pytest.mark.parametrize("kind", [Rule, Preface])
@pytest.mark.parametrize("part", ["select", "confirm"])
def test_it_is_true_of_what_is_measured(made: tuple[Prepared, Base], kind: Any, part: Any) -> None:
    """Measured after all, such guards come out exactly as the base model's; the others need not."""
    prepared, base = made
    stack = Stack((kind("Well:"),))
    examples = prepared.parts[part]
    before = run_trial(prepared, base, Stack(), Scope(part, examples), None, "base")
    after = run_trial(prepared, base, stack, Scope(part, examples), None, "candidate")
    held = untouched(prepared, stack, part)
    assert after.untouched == held
    assert set(after.guards) == {guard.key for guard in prepared.guards if not guard.on_target} - held
    assert ("nll" in {score.metric for score in after.target}) == (prepared.guards[2].key not in held)
    judged = judge(prepared, before, after, part, stack.hash, 0.95)
    for guard, found in zip(prepared.guards, judged.guards, strict=True):
        assert found.by_construction == (guard.key in held)
        if found.by_construction:
            assert found.comparison.outcome == "held"
            difference = found.comparison.difference
            assert (difference.value, difference.low, difference.high) == (0, 0, 0)
            assert found.comparison.baseline == found.comparison.candidate
    with stack.attach(base) as model:
        for guard in prepared.guards:
            if guard.key in held:
                items = examples if guard.on_target else guard.parts[part]
                asks = [ask for example in items for ask in guard.metric.asks(example)]  # type: ignore[misc]
                with Stack().attach(base) as plain:
                    assert model.likelihood(asks) == plain.likelihood(asks)


def test_items_of_one_group_in_a_guard_count_as_one(made: tuple[Prepared, Base]) -> None:
    """Items given four times over in their groups are no more evidence than given once."""
    prepared, base = made
    plain = prepared.guards[3]
    items = plain.parts["select"] + plain.parts["confirm"]
    copies = [
        dataclasses.replace(item, id=f"{item.id}-{n}", group=item.id) for item in items for n in range(4)
    ]
    found = []
    for these in (items, copies):
        guard = dataclasses.replace(plain, parts={"select": these, "confirm": these})
        own = dataclasses.replace(prepared, guards=(guard,))
        scope = Scope("select", own.parts["select"][:4])
        stacks = (Stack(), Stack((Preface("Well:"),)))
        before, after = (run_trial(own, base, stack, scope, None, "one") for stack in stacks)
        (result,) = judge(own, before, after, "select", "x", 0.95).guards
        found.append(result.comparison.difference)
    once, often = found
    assert often.value == pytest.approx(once.value)
    assert once.high > once.low
    assert often.high - often.low > 0.9 * (once.high - once.low)


def test_without_guard_suites_nothing_of_them_is_measured(made: tuple[Prepared, Base]) -> None:
    prepared, base = made
    scope = Scope("select", prepared.parts["select"], guards=False)
    assert run_trial(prepared, base, Stack((Rule("."),)), scope, None, "x").guards == {}
    assert dataclasses.replace(scope, guards=True).guards


def test_tokens_of_answers_count_every_draw_and_greedy_answers_once(made: tuple[Prepared, Base]) -> None:
    prepared, base = made
    examples = prepared.parts["select"][:3]
    stack = Stack((Decoding({"temperature": 0.9}, 4, "vote"),))
    with stack.attach(base) as model, Stack().attach(base) as plain:
        four, greedy = (some(examples, prepared.sampling, (0, 1)) for some in (model, plain))
    alone = sum(len(output.logprobs) for output in greedy[::2])
    assert answer_tokens(prepared, base, [prepared.goal], examples, greedy) == alone
    kept = sum(len(output.logprobs) for output in four)
    drawn = answer_tokens(prepared, base, [prepared.goal], examples, four)
    assert drawn == sum(output.drawn for output in four) > 2 * kept


def test_a_guard_without_a_value_is_undefined_with_its_reason(made: tuple[Prepared, Base]) -> None:
    prepared, base = made
    rows = [
        Example((Message("user", text),), ("fine",), id=text)
        for text in ("My father came.", "It rains.", "It snows.")
    ]
    for count, items in ((0, rows[1:]), (1, rows)):
        guard = GuardSuite("groups", bias_gap(), 0.1, {"select": items, "confirm": items})
        own = dataclasses.replace(prepared, guards=(guard,))
        scope = Scope("select", own.parts["select"][:4])
        before, after = (run_trial(own, base, stack, scope, None, "one") for stack in (Stack(), Stack()))
        (result,) = judge(own, before, after, "select", "x", 0.95).guards
        assert result.comparison.outcome == "undefined"
        assert result.comparison.difference.undefined
        assert result.comparison.difference.n == count
        assert result.comparison.threshold == -0.1
        told = _applying(own)
        assert any(f"applies to {count} of {len(items)} items of confirm" in said for said in told.problems)


def test_a_guard_that_few_items_of_select_have_is_noted_only(made: tuple[Prepared, Base]) -> None:
    prepared, _ = made
    named = [Example((Message("user", f"My father came {n}."),), ("fine",), id=str(n)) for n in range(4)]
    guard = GuardSuite("groups", bias_gap(), 0.1, {"select": named[:1], "confirm": named})
    told = _applying(dataclasses.replace(prepared, guards=(guard,)))
    assert told.problems == []
    assert any("applies to 1 of 1 items of select" in said for said in told.notes)
