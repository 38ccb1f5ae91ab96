"""The search of settings: on tune alone, within its ranges and time, the same after an interruption."""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.rungs.people import shop
from trimtab.candidates import AdapterCandidate, Search
from trimtab.data.split import cluster_keys
from trimtab.errors import MissingPart, RecipeError, TrainingDiverged
from trimtab.records import Progress
from trimtab.rungs import adapter, adapter_search, training
from trimtab.rungs.workshop import Speed

pytest.importorskip("optuna")

RANGES: dict[str, Any] = {"learning_rate": (1e-5, 1e-1), "rank": (1, 64), "epochs": (1, 4)}


pytestmark = pytest.mark.usefixtures("cache")


class Bowl:
    """A made-up training whose loss is least at a learning rate of 1e-3 and falls with each epoch."""

    def __init__(self, stop_after: int = 10**6) -> None:
        self.seen: list[Mapping[str, float]] = []
        self.parts: list[adapter_search.Part] = []
        self.stop_after = stop_after

    def __call__(self, part: adapter_search.Part, found: Mapping[str, float]) -> float:
        if len(self.seen) == self.stop_after:
            raise KeyboardInterrupt
        self.seen.append(dict(found))
        self.parts.append(part)
        loss = math.inf
        for epoch in range(1, int(found["epochs"]) + 1):
            loss = (math.log10(found["learning_rate"]) + 3) ** 2 + 1 / epoch
            if part.watch(loss):
                break
        return loss


def test_it_finds_the_bottom_and_stays_in_its_ranges(tmp_path: Path) -> None:
    bowl = Bowl()
    found = adapter_search.run(shop(tmp_path), Search(trials=40, **RANGES), bowl)
    assert len(bowl.seen) == len(found.record["trials"]) == 40
    assert found.record["ended_by"] == "trials"
    for tried in bowl.seen:
        for name, (low, high) in RANGES.items():
            assert low <= tried[name] <= high
            assert name == "learning_rate" or tried[name] == int(tried[name])
    assert 10**-3.5 < found.settings["learning_rate"] < 10**-2.5
    assert found.settings["epochs"] >= 3
    best = min(t["loss"] for t in found.record["trials"] if t["outcome"] == "complete")
    assert found.record["trials"][found.record["chosen"]]["loss"] == best


def test_a_trial_far_above_the_others_is_ended_after_its_first_epoch(tmp_path: Path) -> None:
    found = adapter_search.run(shop(tmp_path), Search(trials=30, **RANGES), Bowl())
    pruned = [trial for trial in found.record["trials"] if trial["outcome"] == "pruned"]
    assert pruned
    assert all(trial["loss"] is None for trial in pruned)
    assert any(len(trial["losses"]) < trial["settings"]["epochs"] for trial in pruned)
    assert all(trial["outcome"] == "complete" for trial in found.record["trials"][: adapter_search.RANDOM])


def test_the_same_seed_tries_the_same_and_another_another(tmp_path: Path) -> None:
    tried = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        bowl = Bowl()
        adapter_search.run(shop(tmp_path / name, seed=seed), Search(trials=8, **RANGES), bowl)
        tried.append(bowl.seen)
    assert tried[0] == tried[1]
    assert tried[0] != tried[2]


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = Bowl()
    expected = adapter_search.run(shop(tmp_path / "whole"), Search(trials=12, **RANGES), whole)
    first, second = Bowl(stop_after=7), Bowl()
    work = shop(tmp_path / "parts")
    with pytest.raises(KeyboardInterrupt):
        adapter_search.run(work, Search(trials=12, **RANGES), first)
    found = adapter_search.run(work, Search(trials=12, **RANGES), second)
    assert first.seen + second.seen == whole.seen
    assert found.settings == expected.settings


def test_it_ends_when_the_time_is_used_up(tmp_path: Path) -> None:
    work = shop(tmp_path, budget={"minutes": 1e-6})
    found = adapter_search.run(work, Search(trials=50, **RANGES), Bowl())
    assert len(found.record["trials"]) == 2
    assert found.record["ended_by"] == "time"


def test_room_is_shared_between_rungs_and_candidates(tmp_path: Path) -> None:
    alone = shop(tmp_path / "a", budget={"minutes": 10})
    assert adapter_search.room(alone) == 300
    candidates = {"adapter": [{"search": {"trials": 4, "rank": [1, 8]}}, {}]}
    both = shop(tmp_path / "b", budget={"minutes": 10}, ladder=["adapter", "layers"], candidates=candidates)
    assert adapter_search.room(both) == 75


def test_what_is_held_out_is_of_tune_whole_groups_together(tmp_path: Path) -> None:
    work = shop(tmp_path)
    tune = [
        dataclasses.replace(example, group=f"g{number // 3}")
        for number, example in enumerate(work.prepared.parts["tune"])
    ]
    learned, held = adapter_search.parted(tune, 0)
    assert {e.id for e in learned} | {e.id for e in held} == {e.id for e in tune}
    assert not {e.group for e in learned} & {e.group for e in held}
    assert 0.1 < len(held) / len(tune) < 0.5
    assert adapter_search.parted(tune, 0) == (learned, held)
    bowl = Bowl()
    adapter_search.run(work, Search(trials=2, **RANGES), bowl)
    ids = {example.id for example in work.prepared.parts["tune"]}
    part = bowl.parts[0]
    assert {e.id for e in part.learned} | {row.example for row in part.held_out} == ids
    assert not {e.id for e in part.learned} & {row.example for row in part.held_out}
    assert len(set(cluster_keys(part.learned))) > 1


def test_too_few_groups_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="tune has 4 groups"):
        adapter_search.parted(shop(tmp_path).prepared.parts["tune"][:4], 0)


def test_a_trial_that_diverges_is_recorded_and_passed_over(tmp_path: Path) -> None:
    class Cliff(Bowl):
        def __call__(self, part: adapter_search.Part, found: Mapping[str, float]) -> float:
            loss = super().__call__(part, found)
            if found["learning_rate"] > 1e-3:
                raise TrainingDiverged("too steep")
            return loss

    found = adapter_search.run(shop(tmp_path), Search(trials=20, **RANGES), Cliff())
    assert {trial["outcome"] for trial in found.record["trials"]} >= {"complete", "diverged"}
    assert found.settings["learning_rate"] <= 1e-3

    def never(part: adapter_search.Part, found: Mapping[str, float]) -> float:
        raise TrainingDiverged("always")

    with pytest.raises(TrainingDiverged, match="none of 3 trials"):
        adapter_search.run(shop(tmp_path / "never"), Search(trials=3, **RANGES), never)


def test_without_optuna_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = importlib.import_module

    def gone(name: str, *more: Any) -> Any:
        if name == "optuna":
            raise ModelErrorLike(name=name)
        return own(name, *more)

    class ModelErrorLike(ModuleNotFoundError):
        pass

    monkeypatch.setattr(importlib, "import_module", gone)
    with pytest.raises(MissingPart, match="optuna") as raised:
        adapter_search.run(shop(tmp_path), Search(trials=2, **RANGES), Bowl())
    assert raised.value.hint == "pip install 'trimtab[search]'"


def test_a_candidate_with_ranges_is_searched_and_then_trained_on_all_of_tune(tmp_path: Path) -> None:
    seen: list[Progress] = []
    work = shop(tmp_path, report=seen.append)
    wanted = {
        "trials": 4, "rank": [1, 4], "last_blocks": [1, 2], "epochs": [1, 2],
        "dropout": [0.0, 0.3], "batch_size": [2, 8], "learning_rate": [1e-3, 1e-2],
    }  # fmt: skip
    candidate = AdapterCandidate(search=Search(**wanted), balance=1.0)
    fitted = adapter.fit(work, candidate)
    tried = fitted.cost["search"]
    assert len(tried["trials"]) == 4
    assert all(trial["losses"] for trial in tried["trials"])
    chosen = tried["trials"][tried["chosen"]]["settings"]
    told = fitted.adjustment.describe().settings
    assert told["rank"].value == chosen["rank"]
    assert told["epochs"].value == chosen["epochs"]
    assert told["batch_size"].value == chosen["batch_size"]
    assert told["blocks"].value == list(range(2 - chosen["last_blocks"], 2))
    assert "searching" in {progress.stage for progress in seen}
    assert tried["held_out"] < len(work.prepared.parts["tune"])
    plain = adapter.fit(dataclasses.replace(work, folder=tmp_path / "again"), candidate.with_found(chosen))
    assert plain.adjustment.hash == fitted.adjustment.hash


def test_a_search_costs_the_time_of_its_trials_as_far_as_there_is_room(tmp_path: Path) -> None:
    speed = Speed(1e-3, 1e-2, 1.0)
    work = shop(tmp_path, budget={"minutes": 30})
    one = training.seconds(work, AdapterCandidate(epochs=4), speed)
    few, many = (AdapterCandidate(search=Search(trials=trials, epochs=(1, 4))) for trials in (3, 1000))
    assert adapter.seconds(work, few, speed) == pytest.approx(4 * one)
    assert adapter.seconds(work, many, speed) == pytest.approx(one + 900)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trials": 4}, "nothing to search"),
        ({"trials": 4, "rank": [8, 8]}, "rank"),
        ({"trials": 4, "rank": [8, 4]}, "rank"),
        ({"trials": 4, "dropout": [0.0, 1.5]}, "dropout"),
        ({"trials": 4, "batch_size": [0, 4]}, "batch_size"),
        ({"trials": 1, "rank": [1, 4]}, "trials"),
        ({"trials": 4, "ranks": [1, 4]}, "ranks"),
    ],
)
def test_ranges_are_checked(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Search(**given)


def test_heads_and_blocks_do_not_go_together() -> None:
    with pytest.raises(ValidationError, match="together with blocks"):
        AdapterCandidate(heads=((0, 1),), blocks=(1,))
    with pytest.raises(ValidationError, match="together with blocks"):
        AdapterCandidate(heads=((0, 1),), search=Search(trials=2, last_blocks=(1, 2)))
    with pytest.raises(ValidationError, match="method dora"):
        AdapterCandidate(heads=((0, 1),), method="dora")
