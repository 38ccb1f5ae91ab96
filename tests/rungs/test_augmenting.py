"""What a recipe's augmentations make of tune: bounded, repeatable, and nothing of what is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.data.augment.test_augment import wordnet
from tests.rungs.people import shop
from trimtab.candidates import Trained
from trimtab.errors import RecipeError
from trimtab.recipe import Augmentation
from trimtab.records import content_hash, plain
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
    longer, shorter = (
        training.seconds(work, Trained(augment=on), speed, partial=False) for on in (True, False)
    )
    assert longer == pytest.approx(3 * shorter)


def test_the_licence_of_wordnet_is_recorded(tmp_path: Path) -> None:
    folder = tmp_path / "wordnet"
    folder.mkdir()
    wordnet(folder)
    work = shop(tmp_path, augment=[{"kind": "synonyms", "file": str(folder)}, {"kind": "noise"}])
    told = augmenting.rows(work, work.prepared.parts["tune"]).told["augmented"]
    assert told["licences"] == ["Licence of WordNet.\nKeep it."]


def test_what_makes_no_row_is_refused(tmp_path: Path) -> None:
    work = shop(tmp_path, augment=[{"kind": "balance", "by": "unknown"}])
    with pytest.raises(RecipeError, match="made no row"):
        training.lesson(work, training.settings(work, Trained()))


@pytest.mark.parametrize(("kind", "passes"), [("paraphrase", 1), ("roundtrip", 2)])
def test_what_the_network_rewrites_is_kept_only_with_its_facts_and_sense(
    kind: Any, passes: int, tmp_path: Path, cache: Path
) -> None:
    work = shop(tmp_path)
    parent = work.prepared.parts["tune"][0]
    how = Augmentation(kind=kind, most=2, similarity=0.0)
    augmenting.rewritten(work.base, [parent], how, 0)
    files = sorted((cache / "augment").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    assert len(files) == passes
    # What a network that can rewrite would have answered last: one text with the fact, one with another.
    number = parent.prompt.split()[-1]
    files[-1].write_text(json.dumps([f"the item {number}", "the item 999"]), encoding="utf-8")
    found = augmenting.rewritten(work.base, [parent], how, 0)
    assert [row.prompt for row in found] == [f"the item {number}"]
    assert found[0].fields["parent"] == parent.id
    strict = how.model_copy(update={"similarity": 1.0})
    assert augmenting.rewritten(work.base, [parent], strict, 0) == []
