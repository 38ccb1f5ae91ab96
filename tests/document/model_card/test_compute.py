"""Training compute against the guidelines' own worked example and against counts by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.document import made
from tests.document.model_card.made import cells, of, recorded
from trimtab import lineage
from trimtab.document.model_card.compute import Compute, compute, section
from trimtab.run import RunFolder


def trained(folder: RunFolder, stack: str, tokens: int) -> None:
    folder.write(f"trials/{stack}/stack.json", {"stack": stack, "adjustments": []})
    folder.write_rows(
        f"trials/{stack}/training.jsonl", [{"step": 1, "tokens": 1}, {"step": 2, "tokens": tokens}]
    )


def test_six_operations_for_each_parameter_and_token() -> None:
    """Annex A.3, model A of the guidelines: 3.8 billion parameters and 3.3 trillion tokens give 7.5e22 FLOP."""
    found = Compute(3_300_000_000_000, 3_300_000_000_000, 3_800_000_000, None, "")
    assert found.flop == pytest.approx(7.5e22, rel=0.005)
    assert found.threshold == pytest.approx(1e23 / 3)
    assert found.beyond


def test_the_last_row_of_a_training_counts_and_other_candidates_stand_apart(tmp_path: Path) -> None:
    folder = made.folder(tmp_path, steps=80)
    trained(folder, made.OTHER, 1000)
    found = compute(of(folder))
    rows = folder.rows(f"trials/{made.STACK}/training.jsonl")
    assert found.tokens == rows[-1]["tokens"] == 80 * 1184
    assert found.every == 80 * 1184 + 1000
    assert found.flop == 6 * 134515008 * 80 * 1184
    assert found.base == 6 * 134515008 * 2e12
    assert found.ratio == pytest.approx(80 * 1184 / 2e12)
    assert found.threshold == pytest.approx(2 * 134515008 * 2e12)
    assert found.beyond is False


def test_a_joined_stack_learned_what_its_parts_did(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    (folder.path / f"trials/{made.STACK}/training.jsonl").unlink()
    trained(folder, made.OTHER, 500)
    lineage.record_stack(folder, lineage.Learned(made.STACK, stacks=(made.OTHER, "gone")))
    assert compute(of(folder)).tokens == 500


def test_an_unknown_base_is_shown_as_missing_with_what_takes_its_place(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    folder.write_text("recipe.yaml", "model: /models/own\ngoal: {metric: chrf}\n")
    found = section(of(folder))
    shown = cells(found.tables)
    assert shown["training compute of the base model"] == "not known (say it with --use base_compute=FLOP)"
    assert "3.33e+22 FLOP" in shown["a third of the original, or what takes its place"]
    assert "a third of 10^23 FLOP" in found.said[0]
    assert found.data["base_flop"] is None
    assert (found.data["ratio"], found.data["beyond"]) == (None, False)
    assert "C(2025) 5045" in found.said[-1]


def test_a_base_that_is_declared_is_what_counts(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    folder.write_text("recipe.yaml", "model: /models/own\ngoal: {metric: chrf}\n")
    little = section(of(folder, base_compute="1e13"))
    assert little.data["beyond"] is True
    assert little.data["threshold"] == pytest.approx(1e13 / 3)
    assert "took more than a third" in little.said[0]
    assert "The base model lies below 10^23 FLOP itself" in little.said[0]
    large = section(of(folder, base_compute="1e24"))
    assert "took not more" in large.said[0]
    assert "lies below" not in large.said[0]


def test_nothing_trained_took_nothing_and_a_service_says_no_parameters(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    recorded(folder, model={"name": "m", "service": {}})
    unsure = section(of(folder))
    assert unsure.data["flop"] is None
    assert "is not known" in unsure.said[0]
    (folder.path / f"trials/{made.STACK}/training.jsonl").unlink()
    none = section(of(folder))
    assert none.data["flop"] == 0
    assert "its training compute is 0" in none.said[1]
