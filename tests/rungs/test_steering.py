"""The rung *steering* on the tiny network: its pairs, its defaults, what it records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import trimtab
from tests.rungs import made
from tests.tiny import tiny_tokenizer
from trimtab import recipe as recipes
from trimtab.adjust.stack import Stack
from trimtab.candidates import SteeringCandidate
from trimtab.errors import DataError, RecipeError
from trimtab.prepare import prepare
from trimtab.records import Example, Message, Progress
from trimtab.rungs import contrasts, steering

pytestmark = pytest.mark.usefixtures("cache")


def text_of(shop: Any, row: Any) -> str:
    return str(shop.base.tokenizer.decode(row.ids[row.supervised]))


def test_references_are_held_against_the_models_own_answers(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path)
    pairs = contrasts.pairs(shop, SteeringCandidate(most=6)).rows
    assert len(pairs) == 6
    tune = {e.id: e for e in shop.prepared.parts["tune"]}
    examples = shop.some(6)
    assert {e.id for e in examples} <= tune.keys()
    with Stack().attach(shop.base) as model:
        own = [output.text for output in model(examples, shop.prepared.sampling)]
    assert [text_of(shop, pair.positive) for pair in pairs] == [e.references[0] for e in examples]
    assert [text_of(shop, pair.negative) for pair in pairs] == own


def test_instructions_are_put_before_the_same_questions(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path)
    pairs = contrasts.pairs(shop, SteeringCandidate(most=5, positive="Be kind.", negative="Be curt.")).rows
    for pair, example in zip(pairs, shop.some(5), strict=True):
        for row, said in ((pair.positive, "Be kind."), (pair.negative, "Be curt.")):
            prompt = shop.base.tokenizer.decode(row.ids[~row.supervised])
            assert prompt.index(said) < prompt.index(example.prompt)
            asked = [Example((Message("system", said), *example.messages), id="a")]
            with Stack().attach(shop.base) as model:
                assert text_of(shop, row) == model(asked, shop.prepared.sampling)[0].text


def test_a_system_turn_is_kept_behind_the_instruction() -> None:
    turns = (Message("system", "Own."), Message("user", "Hi"))
    assert contrasts._with_system(turns, "Said.")[0] == Message("system", "Said.\n\nOwn.")


def test_pairs_of_a_file(tmp_path: Path) -> None:
    rows = [{"prompt": f"p{n}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(5)]
    rows.append({"prompt": "same", "chosen": "a", "rejected": "a"})
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shop = made.workshop(tmp_path)
    pairs = contrasts.pairs(shop, SteeringCandidate(pairs=str(file))).rows
    assert [text_of(shop, pair.negative) for pair in pairs] == [f"bad {n}" for n in range(5)]
    file.write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="good and a bad answer"):
        contrasts.pairs(shop, SteeringCandidate(pairs=str(file)))


def test_pairs_know_their_group_and_those_alike_where_they_are_read_are_left_out(tmp_path: Path) -> None:
    long = "x" * contrasts.LONGEST
    rows = [
        {"prompt": "a", "chosen": "good", "rejected": "bad"},
        {"prompt": "b", "chosen": f"{long} good", "rejected": f"{long} bad"},
        {"prompt": "a", "chosen": "fine", "rejected": "poor"},
        {"prompt": "c", "chosen": "yes", "rejected": "no", "group": "g"},
        {"prompt": "d", "chosen": "yes", "rejected": "no", "group": "g"},
        {"prompt": "e", "chosen": "yes", "rejected": "no"},
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shop = made.workshop(tmp_path)
    found = contrasts.pairs(shop, SteeringCandidate(pairs=str(file)))
    said = [text_of(shop, pair.positive) for pair in found.rows]
    assert said == ["good", "fine", "yes", "yes", "yes"]
    one, same, two, other, alone = found.groups
    assert one == same
    assert two == other
    assert len({one, two, alone}) == 3
    assert len(contrasts.pairs(shop, SteeringCandidate(pairs=str(file), most=4)).rows) == 3


def test_a_pairs_file_lies_beside_the_recipe_and_counts_by_its_content(tmp_path: Path) -> None:
    made.prepared(tmp_path)
    row = '{"prompt": "p", "chosen": "good", "rejected": "bad"}\n'
    content = {
        "data": {"examples": "rows.jsonl"},
        "goal": {"metric": "chrf"},
        "candidates": {"steering": [{"pairs": "pairs.jsonl"}]},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    identities = []
    for text in (row, row, row + row):
        (tmp_path / "pairs.jsonl").write_text(text, encoding="utf-8")
        recipe = recipes.load(tmp_path / "recipe.yaml")
        assert recipe.candidates.steering[0].pairs == str(tmp_path / "pairs.jsonl")
        identities.append(prepare(recipe).identity)
    assert identities[0] == identities[1] != identities[2]


def test_defaults_are_the_best_separated_blocks_and_fits_cost_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Progress] = []
    shop = made.workshop(tmp_path, told.append)
    found = list(steering.defaults(shop, made.SPEED, 1e6))
    assert [one.strength for one in found] == [0.1, 0.25, 0.1, 0.25]
    survey = contrasts.surveyed(shop, found[0])
    assert [one.blocks[0] for one in found[::2]] == list(survey.best(2))
    assert set(survey.best(2)) == {1, 2}
    facts = [p.facts for p in told if p.stage == "directions"]
    assert [fact["block"] for fact in facts] == list(survey.best(2))
    for fact in facts:
        layer = survey.layers[fact["block"]]
        assert (fact["d'"], fact["AUC"], fact["agreement"]) == (
            layer.separation.value,
            layer.auc,
            layer.agreement,
        )
    monkeypatch.setattr(contrasts, "pairs", lambda *_: pytest.fail("read again"))
    for one in found:
        fitted = steering.fit(shop, one)
        assert list(fitted.adjustment.pushes) == list(one.blocks)
        assert fitted.adjustment.strength == one.strength


def test_the_cost_has_a_table_of_all_blocks(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path)
    fitted = steering.fit(shop, SteeringCandidate(most=20))
    layers = json.loads(json.dumps(fitted.cost["layers"]))
    assert [layer["block"] for layer in layers] == [0, 1, 2, 3]
    for layer in layers:
        assert layer["separation"]["low"] < layer["separation"]["value"] < layer["separation"]["high"]
        assert 0 <= layer["auc"] <= 1
        assert layer["norm"] > 0
    assert fitted.cost["pairs"] == 20
    best = max(layers[1:3], key=lambda layer: layer["separation"]["value"])["block"]
    assert list(fitted.adjustment.pushes) == [best]


def test_the_usual_strength_is_that_of_the_mode(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path)
    fitted = {
        mode: steering.fit(shop, SteeringCandidate(most=20, mode=mode)).adjustment
        for mode in ("add", "clamp")
    }
    assert {mode: one.strength for mode, one in fitted.items()} == {"add": 0.25, "clamp": 1.0}
    assert steering.fit(shop, SteeringCandidate(most=20, strength=0.0)).adjustment.strength == 0.0


def test_little_time_means_fewer_pairs(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path, rows=120)
    assert steering.defaults(shop, made.SPEED, 1e6)[0].most == 64
    few = steering.defaults(shop, made.SPEED, 0.0)[0]
    assert few.most == steering.FEWEST
    longer = steering.seconds(shop, SteeringCandidate(most=40), made.SPEED)
    assert steering.seconds(shop, few, made.SPEED) < longer
    twice = SteeringCandidate(most=40, positive="a", negative="b")
    assert steering.seconds(shop, twice, made.SPEED) == pytest.approx(2 * longer)


def test_one_instruction_alone_is_refused() -> None:
    with pytest.raises(RecipeError, match="together"):
        recipes.parse(
            {
                "data": {"examples": "x"},
                "goal": {"metric": "chrf"},
                "candidates": {"steering": [{"positive": "Be kind."}]},
            }
        )


def test_steering_and_embedding_climb_the_ladder(tmp_path: Path) -> None:
    made.prepared(tmp_path)
    network = tmp_path / "network"
    made.base().network.save_pretrained(network)
    tiny_tokenizer().save_pretrained(network)
    recipe = {
        "model": str(network),
        "data": {"examples": "rows.jsonl", "max_tokens": 96},
        "goal": {"metric": "chrf"},
        "sampling": {"max_new_tokens": 8},
        "training": {"epochs": 1, "batch_size": 8},
        "ladder": ["steering", "embedding"],
        "candidates": {"embedding": [{"words": ["kind"]}, {"fit": "prototype", "words": ["kind", "fine"]}]},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    run = trimtab.tune(tmp_path / "recipe.yaml", root=tmp_path / "runs", explore=True)
    rungs = run.folder.read("ladder.json")["rungs"]
    assert [len(rung["candidates"]) for rung in rungs] == [4, 2]
    assert len(rungs[0]["candidates"][0]["cost"]["layers"]) == 4
    stacks = {entry["stack"] for rung in rungs for entry in rung["candidates"]}
    kinds = [Stack.load(run.folder.trial(stack)).adjustments[0].kind for stack in stacks]
    assert sorted(kinds) == ["embedding"] * 2 + ["steering"] * 4
    assert all(np.isfinite(entry["cost"]["seconds"]) for rung in rungs for entry in rung["candidates"])
