"""The report's words about augmentation: every number from the record, and nothing where there was none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.document import made
from trimtab.document import augmentation
from trimtab.document.record import read
from trimtab.records import Comparison, Estimate

FOUND = Estimate(0.4, -1.1, 1.9, 0.95, 49, "bootstrap-t")


def record(path: Path, comparison: Comparison, each: Sequence[Comparison] = (), **told: Any) -> Any:
    folder = made.folder(path, "ship")
    content = made.ladder("ship")
    rung = content["rungs"][0]
    first, second = rung["candidates"]
    first["cost"]["augmented"] = {
        "rows": 12,
        "parents": 6,
        "by_kind": {"noise": 12},
        "supervised": 321,
        **told,
    }
    rung["augmentation"] = [
        {"with": [first["stack"]], "without": [second["stack"]], "name": "rank 16, with augmentation"}
        | {"comparison": comparison, "each": each or [comparison]}
    ]
    folder.write("ladder.json", content)
    return read(folder)


def test_the_effect_is_said_with_interval_test_and_items(tmp_path: Path) -> None:
    found = record(tmp_path, Comparison(FOUND, 0.61, "inconclusive", None, 2.0))
    (said,) = augmentation.effects(found)
    for part in (
        "rank 16, with augmentation beside",
        "+0.4 (−1.1 to +1.9)",
        "95% interval",
        "one-sided p 0.61",
        "n 49",
    ):
        assert part in said
    assert "one seed of training; trained on 94,720 tokens and 94,720" in said
    rows = dict(augmentation.learned(found).rows)
    assert "12" in str(rows["augmented rows"])
    assert "12" in str(rows["by noise"])


def test_what_each_seed_gave_stands_beside_their_mean(tmp_path: Path) -> None:
    each = [
        Comparison(replace(FOUND, value=value), 0.5, "inconclusive", None, 2.0)
        for value in (-0.5, 1.25, 0.45)
    ]
    found = record(tmp_path, Comparison(FOUND, 0.61, "inconclusive", None, 2.0), each)
    assert "mean of 3 seeds of training: −0.5, +1.2, +0.5" in augmentation.effects(found)[0]


def test_an_undefined_effect_is_called_so(tmp_path: Path) -> None:
    nothing = Estimate(made.NAN, made.NAN, made.NAN, 0.95, 0, "none", "no value for any item")
    found = record(
        tmp_path, Comparison(nothing, made.NAN, "undefined", None, made.NAN), licences=["Keep it."]
    )
    (said,) = augmentation.effects(found)
    assert "undefined (no value for any item)" in said
    assert "p " not in said.split("undefined")[1]
    assert ("licence of what they were made with", "Keep it.") in augmentation.learned(found).rows


def test_without_augmentation_nothing_is_said(tmp_path: Path) -> None:
    found = read(made.folder(tmp_path, "ship"))
    assert augmentation.effects(found) == []
    assert augmentation.learned(found).rows == ()
