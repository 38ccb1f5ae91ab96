"""Confidence named in a recipe: calibrated in a run, recorded, reported, and again for a joined stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trimtab
from tests.projects import written
from trimtab.adjust.confidence import ABSTAINED, Confidence
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.stack import Stack
from trimtab.document.report import report
from trimtab.errors import ModelError
from trimtab.guidelines import Guidelines
from trimtab.measure.trial import of_outputs
from trimtab.model.load import Base, load
from trimtab.prepare import Prepared, prepare
from trimtab.recipe import load as load_recipe
from trimtab.run import RunFolder
from trimtab.rungs.joined import join
from trimtab.rungs.workshop import Workshop

SURE = "I cannot tell."
# What an untrained network says has no likeness to any answer, but more or fewer plain characters.
GOAL = "def plain(example, text):\n    return float(sum(c.isascii() for c in text))\n"


def project(folder: Path, network: Path, good: float, **changes: Any) -> Path:
    confidence = {
        "good": good,
        "features": ["mean_logprob", "min_logprob"],
        "threshold": 0.5,
        "sentence": SURE,
    }
    own: dict[str, Any] = {
        "goal": {"metric": "goal.py:plain"},
        "guards": [],
        "sampling": {"max_new_tokens": 8, "temperature": 1.0},
        "ladder": ["postprocess"],
        "candidates": {"postprocess": [{"confidence": confidence}]},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "goal.py").write_text(GOAL, encoding="utf-8")
    return written(folder, network, **(own | changes))


def loaded(path: Path, network: Path) -> tuple[Prepared, Base]:
    return prepare(load_recipe(path)), load(str(network), dtype="float32")


def middle(prepared: Prepared, base: Base) -> float:
    """A score that about half of the answers to select reach."""
    select = prepared.parts["select"]
    with Stack().attach(base) as model:
        outputs = model(select, prepared.sampling, prepared.seeds)
    return float(np.quantile([score.value for score in of_outputs(select, outputs, prepared.goal)], 0.6))


@pytest.fixture
def good(tmp_path: Path, network: Path, cache: Path) -> float:
    return middle(*loaded(project(tmp_path / "first", network, 0.5, rows=160), network))


def test_a_recipe_names_it_and_the_report_says_what_it_is_worth(
    tmp_path: Path, network: Path, good: float
) -> None:
    path = project(tmp_path / "own", network, good, rows=160)
    run = trimtab.tune(path, root=tmp_path / "runs", explore=True)
    (entry,) = run.folder.read("ladder.json")["rungs"][0]["candidates"]
    figures = entry["cost"]["confidence"]
    assert 0 <= figures["brier"]["value"] <= 1
    assert figures["brier"]["low"] <= figures["brier"]["value"] <= figures["brier"]["high"]
    assert 0 <= figures["calibration_error"]["value"] <= 1
    assert figures["curve"][-1][0] == pytest.approx(1)
    rows = run.folder.rows(f"trials/{entry['stack']}/outputs.jsonl")
    assert all(0 <= row["confidence"] <= 1 for row in rows)
    unsure = [row for row in rows if row["confidence"] < 0.5]
    assert all((row["text"] == SURE) == (ABSTAINED in row["fired"]) for row in rows)
    assert {row["example"] for row in unsure} == {row["example"] for row in rows if row["text"] == SURE}
    page = report(run.folder)
    assert "Brier score" in page
    assert "expected calibration error" in page
    assert "Risk and coverage" in page
    stack = Stack.load(run.folder.trial(entry["stack"]))
    assert [type(adjustment) for adjustment in stack.adjustments] == [Postprocess, Confidence]


def test_a_joined_stack_is_calibrated_anew(tmp_path: Path, network: Path, good: float) -> None:
    path = project(tmp_path / "own", network, good, rows=160)
    run = trimtab.tune(path, root=tmp_path / "runs", explore=True)
    (entry,) = run.folder.read("ladder.json")["rungs"][0]["candidates"]
    over, under = Stack.load(run.folder.trial(entry["stack"])), Stack((Decoding({"top_k": 40}),))
    prepared, base = loaded(path, network)
    with pytest.raises(ModelError, match="calibrated for stack"), (under + over).attach(base):
        pass
    folder = RunFolder.create(tmp_path / "joined", prepared.identity)
    whole, cost = join(Workshop(prepared, base, tmp_path / "work"), [under, over], folder)
    first, last = over.adjustments[-1], whole.adjustments[-1]
    assert isinstance(first, Confidence)
    assert isinstance(last, Confidence)
    assert last.for_stack == Stack(whole.adjustments[:-1]).hash != first.for_stack
    assert (last.good, last.threshold, last.sentence) == (good, 0.5, SURE)
    assert cost["confidence"]["brier"].value >= 0
    with whole.attach(base) as model:
        (output,) = model(prepared.parts["select"][:1], prepared.sampling, (0,))
    assert output.confidence is not None
    again, _ = join(Workshop(prepared, base, tmp_path / "work"), [under, over], folder)
    assert again.hash == whole.hash


def test_where_it_cannot_be_calibrated_anew_it_is_left_off_and_said(
    tmp_path: Path, network: Path, good: float
) -> None:
    prepared, base = loaded(project(tmp_path / "own", network, good, rows=160), network)
    run = trimtab.tune(
        project(tmp_path / "own", network, good, rows=160), root=tmp_path / "runs", explore=True
    )
    (entry,) = run.folder.read("ladder.json")["rungs"][0]["candidates"]
    *_, sure = Stack.load(run.folder.trial(entry["stack"])).adjustments
    assert isinstance(sure, Confidence)
    # One token at temperature 0 has no answers that are good and others that are not.
    same = Stack((Decoding({"temperature": 0.0, "max_new_tokens": 1}), Postprocess(Guidelines())))
    folder = RunFolder.create(tmp_path / "joined", prepared.identity)
    whole, cost = join(Workshop(prepared, base, tmp_path / "work"), [same, Stack((sure,))], folder)
    assert whole.hash == same.hash
    assert "at least 5 of each" in cost["confidence"]["left_off"]
