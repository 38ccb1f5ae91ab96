"""The rung postprocess: rules that are given, rules that are learned, and what it refuses before time is spent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import trimtab
from tests.adjust import made
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust import layers
from trimtab.adjust.loop import Settings
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.stack import Stack
from trimtab.candidates import PostprocessCandidate
from trimtab.errors import RecipeError
from trimtab.model.load import Base
from trimtab.prepare import prepare, rows_of
from trimtab.recipe import load
from trimtab.rungs import kind, learned, postprocess
from trimtab.rungs.workshop import Speed, Workshop

RULES: dict[str, Any] = {
    "rules": [
        {"id": "praise", "text": "No praise.", "forbid": {"phrases": ["wow"]}},
        {"id": "machine", "text": "Say who.", "disclose": {"sentence": "By a machine."}},
    ]
}
CHATTER = "Sure thing! ok"
SPEED = Speed(read=1e-4, sample=1e-2, epoch=1.0)


pytestmark = pytest.mark.usefixtures("cache")


def workshop(
    folder: Path, base: Base, rules: dict[str, Any] | None = None, answer: str = "ok", **changes: Any
) -> Workshop:
    """A project in a folder, as the rungs see it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"prompt": f"item {n} of 30 kg", "completion": answer} for n in range(60)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    recipe: dict[str, Any] = {
        "data": {"examples": "rows.jsonl", "max_tokens": 128},
        "goal": {"metric": "exact_match"},
        "sampling": {"max_new_tokens": len(CHATTER) + 4},
        "ladder": ["postprocess"],
    }
    if rules:
        (folder / "guidelines.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
        recipe["guidelines"] = "guidelines.yaml"
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe | changes), encoding="utf-8")
    return Workshop(prepare(load(folder / "recipe.yaml")), base, folder / "work")


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """A base that begins every answer with the same chatter: trained to, for as long as the tests last."""
    folder = tmp_path_factory.mktemp("chatty")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        base = made.base()
        shop = workshop(folder, base, answer=CHATTER)
        how = Settings(epochs=12, batch_size=4, learning_rate=1e-2, schedule="constant", warmup=0.0)
        trained, _ = layers.fit(
            base, rows_of(shop.prepared, base, "tune"), layers.Where("blocks", (0, 1)), how
        )
    with Stack((trained,)).attach(base):
        yield base


def test_the_rung_is_known_and_takes_no_time_where_rules_are_given(tmp_path: Path) -> None:
    shop = workshop(tmp_path, made.base(), RULES)
    found: Any = kind("postprocess")
    assert found is postprocess
    assert postprocess.seconds(shop, PostprocessCandidate(), SPEED) == 0


def test_rules_of_the_guidelines_are_applied(tmp_path: Path) -> None:
    shop = workshop(tmp_path, made.base(), RULES)
    fitted = postprocess.fit(shop, PostprocessCandidate())
    assert isinstance(fitted.adjustment, Postprocess)
    assert [rule.id for rule in fitted.adjustment.guidelines.rules] == ["praise", "machine"]
    assert fitted.cost["tokens"] == 0
    item = shop.prepared.parts["select"][0]
    with Stack((fitted.adjustment,)).attach(shop.base) as generate:
        (output,) = generate([item], shop.prepared.sampling)
    assert output.text.endswith("By a machine.")
    chosen = postprocess.fit(shop, PostprocessCandidate(rules=("praise",), facts="drop", draws=4)).adjustment
    assert isinstance(chosen, Postprocess)
    assert [rule.id for rule in chosen.guidelines.rules] == ["praise"]
    assert (chosen.facts, chosen.draws) == ("drop", 4)


def test_unknown_rules_are_refused_before_time_is_spent(tmp_path: Path) -> None:
    candidate = PostprocessCandidate(rules=("prase",))
    shop = workshop(tmp_path / "a", made.base(), RULES)
    with pytest.raises(RecipeError, match="no rule 'prase' in the guidelines; did you mean praise"):
        postprocess.seconds(shop, candidate, SPEED)
    bare = workshop(tmp_path / "b", made.base())
    with pytest.raises(RecipeError, match="there are no guidelines") as raised:
        postprocess.seconds(bare, candidate, SPEED)
    assert "guidelines: guidelines.yaml" in raised.value.hint


def test_chatter_that_no_reference_has_is_learned(tmp_path: Path, chatty: Base) -> None:
    shop = workshop(tmp_path, chatty)
    fitted = postprocess.fit(shop, PostprocessCandidate())
    assert isinstance(fitted.adjustment, Postprocess)
    rules = fitted.adjustment.guidelines.rules
    assert [rule.forbid.phrases for rule in rules if rule.forbid] == [("sure thing",)]
    (opening, *_) = fitted.cost["learned"]
    assert opening["kept"]
    assert opening["gain"] == 1.0
    assert opening["answers"] == opening["of"] == len(shop.prepared.parts["tune"])
    assert fitted.cost["tokens"] >= opening["of"] * len(CHATTER)
    assert shop.value(Stack(), shop.prepared.parts["select"]) == 0
    assert shop.value(Stack((fitted.adjustment,)), shop.prepared.parts["select"]) == 1
    # What was learned is part of the description, and of what is saved.
    assert "sure thing" in fitted.adjustment.describe().settings["rule learned-opening-1"].value


def test_what_references_begin_with_is_not_learned(tmp_path: Path, chatty: Base) -> None:
    fitted = postprocess.fit(workshop(tmp_path, chatty, answer=CHATTER), PostprocessCandidate())
    assert isinstance(fitted.adjustment, Postprocess)
    assert fitted.adjustment.guidelines.rules == ()
    assert fitted.adjustment.compiled.apply(CHATTER) == (CHATTER, ())


def test_a_rule_that_does_not_help_the_goal_is_not_kept_but_recorded(tmp_path: Path, chatty: Base) -> None:
    goal = {"metric": "length", "options": {"direction": "higher"}}
    found = learned.learn(workshop(tmp_path, chatty, goal=goal))
    assert found.guidelines.rules == ()
    assert not any(one["kept"] for one in found.evidence)
    assert any("sure thing" in one["rule"] for one in found.evidence)


def test_a_length_is_learned_from_references(tmp_path: Path, chatty: Base) -> None:
    goal = {"metric": "length"}
    found = learned.learn(workshop(tmp_path, chatty, answer="Sure thing", goal=goal))
    (rule,) = found.guidelines.rules
    assert rule.limit is not None
    assert rule.limit.words == 2
    assert found.evidence[-1]["gain"] > 0


def test_nothing_is_sampled_where_the_goal_does_not_read_answers(tmp_path: Path) -> None:
    shop = workshop(tmp_path, made.base(), goal={"metric": "nll"})
    found = learned.learn(shop)
    assert (found.guidelines.rules, found.tokens) == ((), 0)
    assert postprocess.seconds(shop, PostprocessCandidate(), SPEED) == 0


def test_learning_is_bounded_and_its_time_foreseen(tmp_path: Path) -> None:
    shop = workshop(tmp_path, made.base())
    items = min(learned.ITEMS, len(shop.prepared.parts["tune"]))
    expected = items * shop.prepared.sampling.max_new_tokens * SPEED.sample
    assert expected <= postprocess.seconds(shop, PostprocessCandidate(), SPEED) <= 1.2 * expected


@pytest.mark.parametrize(
    ("answer", "candidates"), [("ok", 1), ("It weighs 30 kg.", 2), ("It weighs 31 kg.", 1)]
)
def test_facts_are_checked_by_default_where_references_state_only_what_was_given(
    tmp_path: Path, answer: str, candidates: int
) -> None:
    shop = workshop(tmp_path, made.base(), answer=answer)
    found = postprocess.defaults(shop, SPEED, 60)
    assert [one.facts for one in found] == ["off", "replace"][:candidates]


def test_a_run_ships_at_this_rung_and_records_which_rules_fired(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path / "network")
    tiny_tokenizer().save_pretrained(tmp_path / "network")
    rows = [{"prompt": f"item {n}", "completion": "ok"} for n in range(90)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "guidelines.yaml").write_text(yaml.safe_dump(RULES), encoding="utf-8")
    recipe = {
        "model": "network",
        "data": {"examples": "rows.jsonl", "max_tokens": 64},
        "goal": {"metric": "guidelines", "min_gain": 0.2, "expected_gain": 0.9},
        "guards": [{"suite": "target", "metric": "repetition", "margin": 0.5}],
        "guidelines": "guidelines.yaml",
        "sampling": {"max_new_tokens": 6},
        "ladder": ["postprocess"],
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    run = trimtab.tune(tmp_path / "recipe.yaml", root=tmp_path / "runs")
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert run.verdict.difference.value == 1
    assert [one.kind for one in run.stack.adjustments] == ["postprocess"]
    outputs = run.folder.rows(f"trials/{run.verdict.stack}/outputs.jsonl")
    assert all("machine" in output["fired"] for output in outputs)
    assert all(output["text"].endswith("By a machine.") for output in outputs)
