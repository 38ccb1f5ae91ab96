"""What candidates that are trained are trained on, and with which settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.rungs.people import shop
from trimtab.candidates import AdapterCandidate, LayersCandidate, Trained
from trimtab.errors import RecipeError
from trimtab.prepare import prepare, rows_of
from trimtab.recipe import parse
from trimtab.rungs import adapter, layers, training
from trimtab.rungs.workshop import Speed

SPEED = Speed(1e-3, 1e-2, 10.0)


pytestmark = pytest.mark.usefixtures("cache")


def test_a_candidate_says_otherwise_than_the_recipe(tmp_path: Path) -> None:
    work = shop(tmp_path, training={"epochs": 2, "batch_size": 4, "kl": 0.5, "replay": 0.25})
    plain = training.settings(work, Trained())
    assert (plain.epochs, plain.batch_size, plain.kl, plain.replay) == (2, 4, 0.5, 0.25)
    own = {"epochs": 3, "batch_size": 16, "patience": 2, "replay": 0.0, "kl": 0.1, "balance": 2.0}
    found = training.settings(work, Trained(**own, counterfactual=True))
    assert {name: getattr(found, name) for name in own} == own
    assert set(training.OWN) == set(Trained.model_fields) - {"blocks", "augment"}


def test_off_a_lesson_is_tune_alone(tmp_path: Path) -> None:
    work = shop(tmp_path)
    found = training.lesson(work, training.settings(work, Trained()))
    assert [row.example for row in found.rows] == [
        row.example for row in rows_of(work.prepared, work.base, "tune")
    ]
    assert not found.beside.twins
    assert not found.beside.replay
    assert found.told == {}


def test_balance_brings_twins_of_tune_only(tmp_path: Path) -> None:
    work = shop(tmp_path)
    how = training.settings(work, Trained(balance=1.0))
    assert how.counterfactual
    found = training.lesson(work, how)
    tune = {example.id: example for example in work.prepared.parts["tune"]}
    tokenizer = work.base.tokenizer
    assert found.told == {"counterfactual_rows": len(found.beside.twins)}
    assert len(found.beside.twins) == sum("bag" in e.references[0] for e in tune.values()) > 5
    for number, twin in found.beside.twins.items():
        own = tokenizer.decode(found.rows[number].ids)
        other = tokenizer.decode(twin.ids)
        assert own != other
        assert own.replace("his bag", "X").replace("her bag", "X") == other.replace("his bag", "X").replace(
            "her bag", "X"
        )


def test_counterfactuals_of_nothing_are_refused(tmp_path: Path) -> None:
    work = shop(tmp_path)
    plain = [example for example in work.prepared.parts["tune"] if "bag" not in example.references[0]]
    parts = {**work.prepared.parts, "tune": plain}
    work = dataclasses.replace(work, prepared=dataclasses.replace(work.prepared, parts=parts))
    with pytest.raises(RecipeError, match=f"none of the {len(plain)} examples"):
        training.lesson(work, training.settings(work, Trained(counterfactual=True)))


@pytest.mark.parametrize("rung", ["adapter", "layers"])
def test_every_option_reaches_training(rung: str, tmp_path: Path) -> None:
    work = shop(tmp_path)
    options: dict[str, Any] = {"replay": 0.3, "kl": 0.2, "balance": 1.0, "batch_size": 8, "epochs": 1}
    if rung == "adapter":
        fitted = adapter.fit(work, AdapterCandidate(rank=2, dropout=0.1, heads=((0, 1),), **options))
        assert fitted.adjustment.describe().settings["heads"].value == ["0.1"]
    else:
        fitted = layers.fit(work, LayersCandidate(**options))
    assert {"loss", "kl", "gap"} <= fitted.history[-1].keys()
    assert fitted.cost["counterfactual_rows"] > 0
    assert fitted.cost["replay"]["rows"] > 50
    told = fitted.adjustment.describe().settings
    assert {name: told[name].value for name in options} == options
    assert not work.base.network.training


def test_patience_is_the_candidates_own(tmp_path: Path) -> None:
    work = shop(tmp_path, training={"batch_size": 4, "schedule": "constant"})
    how = {"learning_rate": 1.0, "epochs": 12, "rank": 2}
    whole = adapter.fit(work, AdapterCandidate(**how))
    early = adapter.fit(
        dataclasses.replace(work, folder=tmp_path / "two"), AdapterCandidate(**how, patience=1)
    )
    assert len(early.history) < len(whole.history)


def test_what_is_added_costs_time(tmp_path: Path) -> None:
    work = shop(tmp_path)

    def seconds(**more: Any) -> float:
        return training.seconds(work, Trained(**more), SPEED)

    assert seconds() == pytest.approx(2 * training.UPDATE * 10.0)
    assert seconds(kl=1.0) == pytest.approx(training.DIVERGENCE * seconds())
    assert seconds(replay=0.5) == pytest.approx(2 * seconds())
    assert seconds(counterfactual=True) == pytest.approx(2 * seconds())


def test_a_bias_guard_on_the_targets_own_answers_needs_people_in_them(tmp_path: Path) -> None:
    guard = {"suite": "target", "metric": "bias_gap", "margin": 0.2}
    work = shop(tmp_path / "people", guards=[guard])
    assert work.prepared.guards[0].on_target
    path = tmp_path / "plain.csv"
    path.write_text("prompt,completion\n" + "".join(f"item {n},ok\n" for n in range(40)), encoding="utf-8")
    recipe = parse({"data": {"examples": str(path)}, "goal": {"metric": "exact_match"}, "guards": [guard]})
    with pytest.raises(RecipeError, match="bias_gap needs pairs"):
        prepare(recipe)


def test_a_bias_guard_is_measured_in_a_trial(tmp_path: Path) -> None:
    from trimtab.adjust.stack import Stack
    from trimtab.trials import Scope, judge, run_trial

    work = shop(tmp_path, guards=[{"suite": "target", "metric": "bias_gap", "margin": 0.2}])
    fitted = layers.fit(work, LayersCandidate(balance=1.0))
    scope = Scope("select", work.prepared.parts["select"])
    before = run_trial(work.prepared, work.base, Stack(), scope, None, "base")
    after = run_trial(work.prepared, work.base, Stack((fitted.adjustment,)), scope, None, "candidate")
    judged = judge(work.prepared, before, after, "select", "s", 0.95)
    (guard,) = judged.guards
    named = [e for e in scope.examples if "bag" in e.references[0]]
    assert guard.metric == "bias_gap"
    assert guard.comparison.difference.n == len(named) > 1
    assert guard.comparison.outcome in ("held", "breached", "inconclusive")


def test_training_twice_gives_the_same(tmp_path: Path) -> None:
    candidate = AdapterCandidate(rank=2, replay=0.4, kl=0.3, balance=1.0)
    one = adapter.fit(shop(tmp_path / "a"), candidate)
    other = adapter.fit(shop(tmp_path / "b"), candidate)
    assert one.adjustment.hash == other.adjustment.hash
