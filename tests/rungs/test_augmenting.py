"""What a recipe's augmentations make of tune: bounded, repeatable, and nothing of what is measured."""

from __future__ import annotations

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


@pytest.mark.parametrize("kind", ["paraphrase", "roundtrip"])
def test_what_the_network_rewrites_is_bounded_and_repeatable(kind: str, tmp_path: Path) -> None:
    work = shop(tmp_path)
    tune = work.prepared.parts["tune"][:2]
    how: dict[str, Any] = {"kind": kind, "most": 2, "similarity": 0.0}
    found = augmenting.rewritten(work.base, tune, Augmentation(**how), 0)
    assert found == augmenting.rewritten(work.base, tune, Augmentation(**how), 0)
    assert len(found) <= 4
