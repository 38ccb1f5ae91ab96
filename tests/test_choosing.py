"""The race in select on a real, tiny network: what is measured, what is recorded, how an interrupted one goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests import projects
from trimtab.adjust.stack import BASE, Stack
from trimtab.choosing import ESTIMATED
from trimtab.model.load import load
from trimtab.prepare import prepare
from trimtab.recipe import load as load_recipe
from trimtab.trials import Scope, run_trial

ROWS = 120
STRONG, WEAK, WEAKER = (
    {"method": "blocks", "blocks": [0, 1], "learning_rate": r} for r in (0.01, 1e-6, 1e-7)
)


pytestmark = pytest.mark.usefixtures("cache")


def project(folder: Path, network: Path, **changes: Any) -> Path:
    """Of three candidates one learns the answer and two learn nothing."""
    mine: dict[str, Any] = {
        "data": {
            "examples": "rows.jsonl",
            "max_tokens": 64,
            "split": {"tune": 0.2, "select": 0.5, "confirm": 0.3},
        },
        "candidates": {"layers": [WEAK, STRONG, WEAKER]},
        "training": {"epochs": 12, "batch_size": 4},
    }
    return projects.written(folder, network, ROWS, **(mine | changes))


def rung(run: Any) -> dict[str, Any]:
    """The only rung of a run's ladder."""
    (only,) = run.folder.read("ladder.json")["rungs"]
    return dict(only)


def items(run: Any, stack: str, name: str = "scores.jsonl") -> set[str]:
    """The items that a stack was measured on."""
    return {row["example"] for row in run.folder.rows(f"trials/{stack}/{name}")}


def comparable(run: Any) -> dict[str, Any]:
    """A rung without the time that it took, and the memory of its training."""
    found = rung(run)
    del found["minutes"]
    for entry in found["candidates"]:
        del entry["cost"]
    return found


def test_who_falls_behind_is_dropped_and_costs_no_more(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs")
    weak, strong, weaker = rung(run)["candidates"]
    select = {row["id"] for row in run.folder.rows("examples.jsonl")}
    half = rung(run)["race"]["looks"][0]
    assert (strong["chosen"], weak["chosen"], weaker["chosen"]) == (True, False, False)
    assert strong["dropped"] is None
    assert items(run, strong["stack"]) == items(run, strong["stack"], "outputs.jsonl") == select
    assert (run.folder.trial(strong["stack"]) / "guards.json").is_file()
    for loser in (weak, weaker):
        drop = loser["dropped"]
        assert (drop["look"], drop["items"], drop["of"]) == (1, half, len(select))
        assert drop["leader"] == strong["stack"]
        assert drop["comparison"]["difference"]["low"] > 0
        assert len(items(run, loser["stack"])) == half < len(select)
        assert items(run, loser["stack"]) == items(run, loser["stack"], "outputs.jsonl")
        assert not (run.folder.trial(loser["stack"]) / "guards.json").exists()
        assert loser["guards"] == []
        assert loser["comparison"]["difference"]["n"] == half
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert run.verdict.stack == strong["stack"]


def test_the_record_says_what_was_spent_and_saved(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs", explore=True)
    found = rung(run)["race"]
    n, half = found["looks"][-1], found["looks"][0]
    assert found["alpha"] == 0.05
    assert found["estimated"] == ESTIMATED
    assert found["rounds"][0]["racing"] == [3, 1]
    assert found["rounds"][0]["level"] == pytest.approx(1 - 2 * 0.05 / 2)
    assert found["items_scored"] == n + 2 * half
    assert found["items_saved"] == 2 * (n - half)
    tokens = {}
    for entry in rung(run)["candidates"]:
        rows = run.folder.rows(f"trials/{entry['stack']}/outputs.jsonl")
        tokens[entry["stack"]] = sum(len(row["logprobs"]) for row in rows)
    _, strong, _ = rung(run)["candidates"]
    guards = run.folder.read(f"trials/{strong['stack']}/guards.json")
    (passages,) = guards["scores"].values()
    assert guards["tokens"] > 20 * len(passages)
    assert found["tokens_spent"] == sum(tokens.values()) + guards["tokens"]
    losers = [tokens[e["stack"]] for e in rung(run)["candidates"] if e["dropped"]]
    estimate = sum(spent / half * (n - half) + guards["tokens"] for spent in losers)
    assert found["tokens_saved"] == round(estimate)


def test_one_candidate_or_few_items_are_measured_in_one_go(tmp_path: Path, network: Path) -> None:
    one = trimtab.tune(
        project(tmp_path / "one", network, candidates={"layers": [STRONG]}),
        root=tmp_path / "runs",
        explore=True,
    )
    assert "one candidate" in rung(one)["race"]["reason"]
    data = {"examples": "rows.jsonl", "max_tokens": 64, "split": {"tune": 0.5, "select": 0.2, "confirm": 0.3}}
    few = trimtab.tune(project(tmp_path / "few", network, data=data), root=tmp_path / "runs", explore=True)
    assert "too few" in rung(few)["race"]["reason"]
    for run in (one, few):
        assert len(rung(run)["race"]["looks"]) == 1
        assert rung(run)["race"]["tokens_saved"] == rung(run)["race"]["items_saved"] == 0
        assert all(entry["dropped"] is None and entry["guards"] for entry in rung(run)["candidates"])


def test_a_goal_read_from_likelihood_is_raced_too(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network, goal={"metric": "nll", "min_gain": 0.1, "expected_gain": 1.0})
    run = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    weak, strong, weaker = rung(run)["candidates"]
    assert strong["chosen"]
    assert weak["dropped"]
    assert weaker["dropped"]
    assert len(items(run, weak["stack"])) == rung(run)["race"]["looks"][0]
    values = [row["value"] for row in run.folder.rows(f"trials/{weak['stack']}/scores.jsonl")]
    assert {row["metric"] for row in run.folder.rows(f"trials/{weak['stack']}/scores.jsonl")} == {"nll"}
    assert all(value > 0 for value in values)
    assert rung(run)["race"]["tokens_saved"] > 0


def test_where_guards_stand_in_the_way_the_dropped_are_taken_up_again(tmp_path: Path, network: Path) -> None:
    """The strong candidate gains most and breaches its guard; who gained less may keep it."""
    asks = [{"text": f"question {n}", "should_refuse": False} for n in range(60)]
    (tmp_path / "asks.jsonl").write_text("".join(json.dumps(r) + "\n" for r in asks), encoding="utf-8")
    (tmp_path / "other.py").write_text(
        "def other(example, text):\n    return float(text.strip() != 'ok')\n\nother.bounds = (0, 1)\n"
    )
    recipe = project(
        tmp_path,
        network,
        guards=[{"suite": "asks.jsonl", "metric": "other.py:other", "margin": 0.1}],
        candidates={"layers": [WEAK, STRONG]},
    )
    run = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    weak, strong = rung(run)["candidates"]
    assert strong["guards"][0]["comparison"]["outcome"] == "breached"
    assert [race["racing"] for race in rung(run)["race"]["rounds"]] == [[2, 1], [1]]
    assert weak["dropped"] is None
    assert weak["guards"][0]["comparison"]["difference"]["value"] == 0
    assert len(items(run, weak["stack"])) == rung(run)["race"]["looks"][-1]
    assert rung(run)["race"]["tokens_saved"] == 0


@pytest.mark.parametrize("stop", ["layers-1", "layers-2"])
def test_a_race_that_was_interrupted_ends_the_same(tmp_path: Path, network: Path, stop: str) -> None:
    whole = trimtab.tune(project(tmp_path / "a", network), root=tmp_path / "a" / "runs")
    recipe = project(tmp_path / "b", network)
    stages: list[str] = []

    def interrupt(progress: Any) -> None:
        stages.append(progress.stage)
        if progress.stage == f"measuring {stop} on select":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trimtab.tune(recipe, root=tmp_path / "b" / "runs", report=interrupt)
    assert "measuring layers-0 on select" in stages
    (scored,) = (tmp_path / "b" / "runs").glob(f"*/trials/{rung(whole)['candidates'][0]['stack']}")
    assert (scored / "scores.jsonl").is_file()
    again: list[str] = []
    resumed = trimtab.tune(recipe, root=tmp_path / "b" / "runs", report=lambda p: again.append(p.stage))
    assert comparable(resumed) == comparable(whole)
    assert resumed.verdict.difference == whole.verdict.difference
    # What was measured before is found again: the first candidate has nothing left to do.
    assert not any(stage.endswith("layers-0 on select") for stage in again)
    for entry in rung(whole)["candidates"]:
        for name in ("outputs.jsonl", "scores.jsonl"):
            files = [run.folder.trial(entry["stack"]) / name for run in (whole, resumed)]
            assert files[0].read_bytes() == files[1].read_bytes()


def test_a_kill_between_two_files_changes_nothing(tmp_path: Path, network: Path) -> None:
    """The scores are written last: answers and guards without them are measured again."""
    recipe = project(tmp_path, network)
    explored = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    before = comparable(explored)
    for entry in rung(explored)["candidates"]:
        place = explored.folder.trial(entry["stack"])
        (place / "scores.jsonl").unlink()
    assert comparable(trimtab.tune(recipe, root=tmp_path / "runs", explore=True)) == before


@pytest.mark.parametrize(
    ("metric", "sampling"),
    [
        ("exact_match", {"max_new_tokens": 4}),
        ("chrf", {"max_new_tokens": 6, "temperature": 0.8, "seeds": 2}),
        ("nll", {"max_new_tokens": 4}),
    ],
)
def test_scores_do_not_depend_on_what_is_measured_together(
    tmp_path: Path, network: Path, metric: str, sampling: dict[str, Any]
) -> None:
    goal = {"metric": metric, "min_gain": 0.1, "expected_gain": 1.0}
    prepared = prepare(load_recipe(project(tmp_path, network, goal=goal, sampling=sampling)))
    base = load(str(network), dtype="float32")
    examples = prepared.parts["select"]
    whole = run_trial(prepared, base, Stack(), Scope("select", examples), None, BASE)
    parts = [
        run_trial(prepared, base, Stack(), Scope("select", examples[at::3], at == 2), None, BASE)
        for at in range(3)
    ]
    texts = {(o.example, o.seed): o.text for part in parts for o in part.outputs}
    scores = {(s.example, s.metric, s.seed): s.value for part in parts for s in part.target}
    assert {(o.example, o.seed): o.text for o in whole.outputs} == texts
    assert {(s.example, s.metric, s.seed): s.value for s in whole.target} == pytest.approx(scores, rel=1e-5)
    assert [bool(part.guards) for part in parts] == [False, False, True]
    assert len(scores) == len(whole.target)
