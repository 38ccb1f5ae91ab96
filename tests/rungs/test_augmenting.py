"""What a recipe's augmentations make of tune: bounded, repeatable, and nothing of what is measured."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.data.augment.test_augment import wordnet
from tests.rungs.people import shop
from trimtab import planning
from trimtab.candidates import AdapterCandidate, Augmentation, LayersCandidate, PromptCandidate, Trained
from trimtab.errors import MissingPart, RecipeError
from trimtab.model.kept import item_key
from trimtab.prepare import rows_of
from trimtab.records import Message, content_hash, plain
from trimtab.rungs import augmenting, training
from trimtab.rungs.workshop import Speed

pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.parametrize("kind", ["noise", "mixing"])
def test_a_lesson_gains_rows_of_tune_alone(kind: str, tmp_path: Path) -> None:
    work = shop(tmp_path, augment=[{"kind": kind, "most": 2}])
    parts = work.prepared.parts
    before = content_hash(plain(parts))
    made = augmenting.rows(work, parts["tune"])
    assert made == augmenting.rows(work, parts["tune"])
    tune = {example.id for example in parts["tune"]}
    measured = {example.id for part in ("select", "confirm") for example in parts[part]}
    assert {row.fields["parent"] for row in made.examples} <= tune
    assert {row.fields.get("beside") for row in made.examples} <= tune | {None}
    assert not {row.id for row in made.examples} & (measured | tune)
    assert 0 < len(made.examples) <= 2 * len(tune)
    with_rows = training.lesson(work, training.settings(work, Trained()))
    without = training.lesson(work, training.settings(work, Trained(augment=False)))
    assert (
        len(with_rows.rows) - len(without.rows) == len(made.examples) == with_rows.told["augmented"]["rows"]
    )
    assert content_hash(plain(parts)) == before
    bare = shop(tmp_path / "bare").prepared.parts
    assert plain([bare["select"], bare["confirm"]]) == plain([parts["select"], parts["confirm"]])
    speed = Speed(1e-3, 1e-2, 10.0)
    longer, shorter = (training.seconds(work, Trained(augment=on), speed) for on in (True, False))
    assert longer == pytest.approx((5 / 3 if kind == "mixing" else 1) * shorter)
    updates = [
        round(math.ceil(len(one.rows) / one.how.batch_size) * one.how.epochs) for one in (with_rows, without)
    ]
    assert updates[0] == updates[1] > 0


def test_the_licence_of_wordnet_is_recorded_and_its_files_decide_the_run(tmp_path: Path) -> None:
    folder = wordnet(tmp_path / "wordnet")
    how = [{"kind": "synonyms", "wordnet": str(folder)}, {"kind": "noise"}]
    work = shop(tmp_path, augment=how)
    found = training.lesson(work, training.settings(work, Trained()))
    assert found.told["augmented"]["licences"] == ["Licence of WordNet.\nKeep it."]
    (folder / "noun.exc").write_text("mice mouse\n", encoding="utf-8")
    assert shop(tmp_path, augment=how).prepared.identity != work.prepared.identity


def test_a_synonym_that_moves_the_sentence_too_far_is_left_out(tmp_path: Path) -> None:
    folder = wordnet(tmp_path / "wordnet")
    how = Augmentation(kind="synonyms", wordnet=str(folder), rate=1.0)
    work = shop(tmp_path)
    asked = "please compare the kettle with another quick machine"
    row = dataclasses.replace(work.prepared.parts["tune"][0], messages=(Message("user", asked),))
    (near,) = augmenting._made(work, [row], how)
    assert near.prompt == asked.replace("quick", "rapid")
    assert augmenting._made(work, [row], how.model_copy(update={"similarity": 1.0})) == []


def test_without_wordnet_a_recipe_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    with pytest.raises(MissingPart) as raised:
        shop(tmp_path, augment=[{"kind": "synonyms", "wordnet": str(tmp_path)}])
    assert "apt install wordnet-base" in raised.value.hint
    assert "augment" in raised.value.hint


def test_what_makes_no_row_is_refused(tmp_path: Path) -> None:
    work = shop(tmp_path, augment=[{"kind": "balance", "by": "unknown"}])
    with pytest.raises(RecipeError, match="made no row"):
        training.lesson(work, training.settings(work, Trained()))


def test_rows_that_would_be_cut_are_left_out_and_counted(tmp_path: Path) -> None:
    work = shop(tmp_path, augment=[{"kind": "mixing"}, {"kind": "noise"}])
    longest = max(len(row.ids) for row in rows_of(work.prepared, work.base, "tune")) + 2
    work = shop(
        tmp_path,
        augment=[{"kind": "mixing"}, {"kind": "noise"}],
        data={"examples": "rows.jsonl", "max_tokens": longest},
    )
    tune = len(work.prepared.parts["tune"])
    found = training.lesson(work, training.settings(work, Trained()))
    told = found.told["augmented"]
    assert told["by_kind"] == {"noise": len(found.made)}
    assert told["too_long"] == tune
    assert not any(row.lost for row in found.rows)


def test_candidates_are_tried_with_and_without(tmp_path: Path) -> None:
    recipe = shop(tmp_path, augment=[{"kind": "noise"}]).prepared.recipe
    one, other = AdapterCandidate(rank=4), AdapterCandidate(rank=8, augment=True)
    found = augmenting.both_ways(recipe, [one, other, PromptCandidate(exemplars=1)])
    assert [getattr(c, "augment", "none") for c in found] == [True, False, True, "none"]
    assert augmenting.pairs(found) == [[(0, 1)]]
    seeds = [one.model_copy(update={"seed": seed}) for seed in (1, 2)]
    several = augmenting.both_ways(recipe, [*seeds, AdapterCandidate(rank=8, seed=1)])
    assert augmenting.pairs(several) == [[(0, 1), (2, 3)], [(4, 5)]]
    given = [one.model_copy(update={"augment": False}), one]
    assert [c.augment for c in augmenting.both_ways(recipe, given)] == [False, True]  # type: ignore[attr-defined]
    bare = shop(tmp_path / "bare").prepared.recipe
    assert augmenting.both_ways(bare, [one]) == [one]
    assert augmenting.pairs([one]) == []
    with pytest.raises(RecipeError, match="section augment"):
        shop(tmp_path / "none", candidates={"adapter": [{"augment": True}]})


def test_the_time_of_rewriting_is_planned_once(tmp_path: Path) -> None:
    how = [{"kind": "roundtrip", "most": 2}, {"kind": "noise"}]
    work = shop(tmp_path, augment=how, ladder=["adapter", "layers"])
    speed = Speed(1e-3, 1.0, 0.0)
    letters = sum(len(example.prompt) for example in work.prepared.parts["tune"])
    assert augmenting.seconds(work, speed) == pytest.approx(4 * letters / 4 * 1.001)
    chosen: dict[Any, Any] = {"adapter": [AdapterCandidate()], "layers": [LayersCandidate()]}
    found = planning._minutes(work, speed, chosen)
    assert found["adapter"] - found["layers"] == pytest.approx(augmenting.seconds(work, speed) / 60, rel=1e-6)


@pytest.mark.parametrize(("kind", "passes"), [("paraphrase", 1), ("roundtrip", 2)])
def test_what_the_network_rewrites_is_kept_only_with_its_facts_and_sense(
    kind: Any, passes: int, tmp_path: Path, cache: Path
) -> None:
    work = shop(tmp_path)
    parent = work.prepared.parts["tune"][0]
    how = Augmentation(kind=kind, most=2, similarity=0.0)
    augmenting.rewritten(work.base, [parent], how, 0)
    files = sorted((cache / "augment").rglob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    assert len(files) == 2 * passes
    assert {json.loads(file.read_text())["item"] for file in files} == {item_key(parent.id)}
    # What a network that can rewrite would have answered last: one text with the fact, one with another.
    number = parent.prompt.split()[-1]
    for file, text in zip(files[-2:], (f"the item {number}", "the item 999"), strict=True):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"text": text}), encoding="utf-8")
    found = augmenting.rewritten(work.base, [parent], how, 0)
    assert [row.prompt for row in found] == [f"the item {number}"]
    assert found[0].fields["parent"] == parent.id
    strict = how.model_copy(update={"similarity": 1.0})
    assert augmenting.rewritten(work.base, [parent], strict, 0) == []


def test_a_row_that_asks_what_is_measured_is_dropped(tmp_path: Path, cache: Path) -> None:
    how = {"kind": "paraphrase", "similarity": 0.0}
    work = shop(tmp_path, augment=[how])
    tune, select = work.prepared.parts["tune"], work.prepared.parts["select"]
    augmenting.rewritten(work.base, tune, Augmentation(**how), 0)  # type: ignore[arg-type]
    texts = dict(zip((item_key(e.id) for e in tune), (f"the {e.prompt}" for e in tune), strict=True))
    for path in (cache / "augment").rglob("*.json"):
        kept = json.loads(path.read_text())
        path.write_text(json.dumps(kept | {"text": texts[kept["item"]]}), encoding="utf-8")
    clean = shop(tmp_path, augment=[how])
    assert augmenting.rows(clean, tune).told["overlaps"] == 0
    # As if the network had put two prompts of tune into the very words of a prompt of select.
    measured = [
        dataclasses.replace(e, messages=tuned.messages) for e, tuned in zip(select, tune[:2], strict=False)
    ]
    same = {
        "select": [dataclasses.replace(e, messages=(Message("user", f"the {e.prompt}"),)) for e in measured],
        "confirm": work.prepared.parts["confirm"],
        "tune": tune,
    }
    prepared = dataclasses.replace(work.prepared, parts=same, identity="planted")
    found = augmenting.rows(dataclasses.replace(work, prepared=prepared), tune)
    assert found.told["overlaps"] == 2
    assert {f"the {e.prompt}" for e in tune[:2]}.isdisjoint(row.prompt for row in found.examples)
    assert len(found.examples) == len(tune) - 2
