"""The rung prompt: what is tried by itself, what is chosen on tune, and instructions that a model proposes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adjust import asked
from tests.rungs import shops
from tests.tiny import CHATML, tiny_tokenizer
from trimtab.adjust.prompt import Prompt, Wording
from trimtab.adjust.stack import Stack
from trimtab.candidates import Candidates, PromptCandidate
from trimtab.errors import RecipeError
from trimtab.model.load import wrap
from trimtab.model.local import Local
from trimtab.recipe import parse
from trimtab.records import Example, Message
from trimtab.rungs import kind
from trimtab.rungs import prompt as rung
from trimtab.rungs.prompt import propose, statement
from trimtab.rungs.proposals import cleaned
from trimtab.rungs.workshop import Speed

SPEED = Speed(read=1e-4, sample=1e-3, epoch=1.0)


def test_defaults_differ_and_can_be_planned(tmp_path: Path) -> None:
    shop = shops.workshop(tmp_path)
    found = kind("prompt").defaults(shop, SPEED, 1e6)
    assert len(set(found)) == len(found) >= 4
    assert {c.exemplars for c in found} >= {0, 2, 4}
    assert {c.choose for c in found} == {"nearest", "diverse"}
    planned = [json.loads(c.model_dump_json()) for c in found]
    assert list(Candidates.model_validate({"prompt": planned}).prompt) == list(found)
    for candidate in found:
        fitted = kind("prompt").fit(shop, candidate)
        assert isinstance(fitted.adjustment, Prompt)
        assert kind("prompt").seconds(shop, candidate, SPEED) < 10


def test_little_time_leaves_fewer_but_never_none(tmp_path: Path) -> None:
    shop = shops.workshop(tmp_path)
    slow = Speed(read=10.0, sample=10.0, epoch=1.0)
    assert len(kind("prompt").defaults(shop, slow, 1.0)) == 1


def test_conversations_get_no_exemplars(tmp_path: Path) -> None:
    turns = ["user", "assistant", "user", "assistant"]
    rows = [
        {"messages": [{"role": r, "content": f"{r} {k} {n}"} for k, r in enumerate(turns)]} for n in range(40)
    ]
    found = kind("prompt").defaults(shops.workshop(tmp_path, rows), SPEED, 1e6)
    assert [c.exemplars for c in found] == [0]


def test_exemplars_come_from_tune_alone(tmp_path: Path) -> None:
    shop = shops.workshop(tmp_path)
    tune = {e.id for e in shop.prepared.parts["tune"]}
    for choose in ("nearest", "diverse"):
        fitted = kind("prompt").fit(shop, PromptCandidate(exemplars=4, choose=choose)).adjustment
        assert isinstance(fitted, Prompt)
        assert fitted.exemplars.shown
        assert {one.id for one in fitted.exemplars.shown} <= tune


def test_rows_of_a_group_are_kept_apart_while_tune_is_scored(tmp_path: Path) -> None:
    rows = [{**row, "group": f"g{n // 3}"} for n, row in enumerate(shops.ROWS)]
    shop = shops.workshop(tmp_path, rows)
    tune = shop.prepared.parts["tune"]
    group = {e.id: e.group for e in tune}
    fitted = kind("prompt").fit(shop, PromptCandidate(exemplars=3, choose="nearest")).adjustment
    listening = asked.Listening(Local(shop.base))
    with Stack((fitted,)).attach(listening) as generate:
        generate(tune, shop.prepared.sampling)
    answer = {e.references[0]: e.id for e in tune}
    for question in listening.asked[0]:
        shown = [answer[m.content] for m in question.messages if m.role == "assistant"]
        assert shown
        assert group[question.example] not in {group[one] for one in shown}


def test_exemplars_that_do_not_fit_are_told(tmp_path: Path) -> None:
    shop = shops.workshop(tmp_path)
    fitted = kind("prompt").fit(shop, PromptCandidate(exemplars=20, choose="nearest"))
    assert "more do not fit into the model's context" in fitted.cost["notes"][0]
    assert "notes" not in kind("prompt").fit(shop, PromptCandidate(exemplars=2)).cost


def items(*answers: str) -> list[Example]:
    return [Example((Message("user", f"q {n}"),), (a,), id=f"e{n}") for n, a in enumerate(answers)]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["yes", "no", "yes"] * 4, "Answer with exactly one of: no; yes."),
        (
            [f"w{n} " + "word " * 4 for n in range(20)],
            "Answer in about 5 words, in one paragraph, without comments.",
        ),
        ([f"one{n}" for n in range(20)], "Answer in one word, without comments."),
        (
            [f"w{n} " + "word " * (n % 8 + 1) for n in range(40)],
            "Answer in 4 to 7 words, in one paragraph, without comments.",
        ),
        (["- a\n- b c", "- d\n- e", "- f\n- g h"], "Answer in 4 to 5 words, without comments."),
        (["only one"], "Answer in about 2 words, in one paragraph, without comments."),
    ],
)
def test_the_task_is_stated_from_the_answers(answers: list[str], said: str) -> None:
    assert statement(items(*answers)) == said
    assert statement(items(*answers), "Rewrite this. ") == f"Rewrite this. {said}"


NO_SYSTEM = CHATML.replace(
    "{% for message in messages %}",
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}",
)
DEAF = CHATML.replace("in messages %}", "in messages if message['role'] != 'system' %}")


@pytest.mark.parametrize("template", [NO_SYSTEM, DEAF], ids=["refuses", "leaves out"])
def test_without_a_system_turn_the_instruction_stands_before_the_question(
    tmp_path: Path, template: str
) -> None:
    shop = shops.workshop(tmp_path)
    base = wrap(shop.base.network, tiny_tokenizer(template))
    candidate = PromptCandidate(instruction="Be brief.", prefix="Style: dry.")
    assert rung.wording(base, candidate) == Wording(prefix="Be brief.\n\nStyle: dry.")
    assert rung.wording(shop.base, candidate) == Wording("Be brief.", "Style: dry.")
    refusing = type(shop)(shop.prepared, base, shop.folder)
    fitted = kind("prompt").fit(refusing, candidate)
    assert "no system turn" in fitted.cost["notes"][0]


def test_a_model_proposes_instructions() -> None:
    model = asked.Listening(Local(asked.base()))
    found = propose(model, asked.EXAMPLES, "Be brief.", 6, seed=3)
    assert 0 < len(found) <= 6
    assert len(set(found)) == len(found)
    assert "Be brief." not in found
    (asked_for,) = model.asked
    assert len(asked_for) == 6
    for question in asked_for:
        said = question.messages[0].content
        assert "gets this instruction: Be brief." in said
        shown = [e for e in asked.EXAMPLES if f"Request: {e.prompt}\nAnswer: {e.references[0]}" in said]
        assert len(shown) == 4
    assert len({q.messages for q in asked_for}) > 1
    assert propose(Local(asked.base()), asked.EXAMPLES, "Be brief.", 6, seed=3) == found
    assert propose(Local(asked.base()), asked.EXAMPLES, "Be brief.", 6, seed=4) != found


def test_a_proposal_is_cleaned() -> None:
    assert cleaned('**Instruction:** "Answer  in one\nsentence."') == "Answer in one sentence."
    assert cleaned("12 .") == ""
    assert cleaned("word " * 400) == ""


def test_the_best_instruction_on_tune_is_taken(tmp_path: Path) -> None:
    shop = shops.workshop(tmp_path)
    candidate = PromptCandidate(proposals_from=shop.prepared.recipe.model, proposals=3)
    fitted = kind("prompt").fit(shop, candidate)
    tried = fitted.cost["proposals"]
    assert 2 <= len(tried) <= 4
    assert tried[0]["instruction"] == ""
    best = max(tried, key=lambda row: row["tune"])
    adjustment: Any = fitted.adjustment
    assert adjustment.wording.instruction == best["instruction"]
    again = kind("prompt").fit(shop, candidate)
    assert again.adjustment.hash == adjustment.hash
    assert kind("prompt").seconds(shop, candidate, SPEED) > 0


def test_an_empty_candidate_is_refused() -> None:
    recipe = {
        "data": {"examples": "a"},
        "goal": {"metric": "chrf"},
        "candidates": {"prompt": [{"suffix": " "}]},
    }
    with pytest.raises(RecipeError, match=r"candidates\.prompt\.0: set at least one of instruction"):
        parse(recipe)
