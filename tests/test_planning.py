"""What a plan says of time: everything that a rung will draw and read, and the base model once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rungs import made
from trimtab import planning
from trimtab.rungs import passes
from trimtab.rungs.workshop import Speed, Workshop

SPEED = Speed(1e-3, 1e-2, 1.0)


def minutes(shop: Workshop) -> dict[str, float]:
    chosen: dict[Any, Any] = {
        r: getattr(shop.prepared.recipe.candidates, r) for r in shop.prepared.recipe.ladder
    }
    return planning._minutes(shop, SPEED, chosen)


@pytest.mark.parametrize(
    ("rung", "plain", "more"),
    [
        ("decoding", {"temperature": 0.7}, {"temperature": 0.7, "best_of": 4}),
        ("prompt", {"exemplars": 1}, {"exemplars": 8, "choose": "nearest"}),
        ("prompt", {"suffix": "Kindly."}, {"suffix": "Kindly.", "revise": "Shorter."}),
    ],
)
def test_further_draws_exemplars_and_a_second_step_take_time(
    tmp_path: Path, rung: str, plain: dict[str, Any], more: dict[str, Any]
) -> None:
    one, other = (
        minutes(made.workshop(tmp_path, ladder=[rung], candidates={rung: [options]}))[rung]
        for options in (plain, more)
    )
    assert other > 1.2 * one


def test_the_joined_rung_takes_what_its_slowest_pairs_take(tmp_path: Path) -> None:
    candidates = {
        "decoding": [{"temperature": 0.7, "best_of": 4}],
        "steering": [{"blocks": [1]}],
    }
    shop = made.workshop(tmp_path, ladder=["decoding", "steering"], candidates=candidates)
    found = minutes(shop)
    four = passes.of(shop, "decoding", shop.prepared.recipe.candidates.decoding[0])
    alone = passes.seconds(shop.prepared, SPEED, "select", four) / 60
    assert found["combined"] > alone
    assert "combined" not in minutes(made.workshop(tmp_path, ladder=["decoding"], candidates=candidates))


def test_defaults_that_are_tried_with_and_without_augmentation_fit_the_same_time(tmp_path: Path) -> None:
    options: dict[str, Any] = {"ladder": ["adapter"], "training": {"epochs": 2}, "budget": {"minutes": 1}}
    # Two candidates of 2 epochs take 2 * (1.6 + 2.8) seconds a second of an epoch; there are 30 seconds of room.
    speed = Speed(1e-3, 1e-2, 30 / 10)
    plain = planning._candidates(made.workshop(tmp_path / "a", **options), "adapter", speed)
    both = planning._candidates(
        made.workshop(tmp_path / "b", augment=[{"kind": "noise"}], **options), "adapter", speed
    )
    assert len(plain) == len(both) == 2
    assert [getattr(one, "augment", "") for one in both] == [True, False]
