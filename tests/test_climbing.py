"""Whole ladders on a real, tiny network: combinations, budget, what is recorded and said, how a kill is survived."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests import projects
from tests.kinds import Wider, install
from trimtab import stats
from trimtab.adjust.stack import Stack
from trimtab.recipe import Recipe
from trimtab.recipe import load as load_recipe

ROWS = 150
STRONG = {"method": "blocks", "blocks": [0, 1]}


@pytest.fixture(autouse=True)
def kinds(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder of the test's own, and the two light kinds on their rungs."""
    install(monkeypatch)


def project(folder: Path, network: Path, **changes: Any) -> Recipe:
    """Rows whose answer is "ok", or "ok." where a dot is asked for; tune asks for none, so that training misses it.

    Of five items two are plain, two ask for a dot and one is easy: training alone gets three fifths right, the rule
    alone one fifth, and both together everything.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for n in range(ROWS):
        part = ("tune", "select", "confirm")[n % 3]
        word = "plain" if part == "tune" else ("plain", "dot", "plain", "dot", "easy")[n // 3 % 5]
        rows.append({"prompt": f"{word} {n}", "completion": "ok." if word == "dot" else "ok", "part": part})
    path = projects.written(
        folder,
        network,
        **{
            "goal": {"metric": "exact_match", "min_gain": 0.65, "expected_gain": 0.9},
            "ladder": ["postprocess", "layers"],
            "candidates": {"layers": [STRONG]},
            "training": {"epochs": 8, "batch_size": 4, "learning_rate": 0.01},
            **changes,
        },
    )
    projects.lines(folder / "rows.jsonl", rows)
    found = load_recipe(path)
    return found.model_copy(update={"candidates": Wider(layers=found.candidates.layers)})


def entries(run: Any) -> dict[str, dict[str, Any]]:
    """The rungs of a run's ladder, by name."""
    return {entry["rung"]: entry for entry in run.folder.read("ladder.json")["rungs"]}


def told(run: Any) -> dict[str, Any]:
    """A ladder without the time and memory that it took."""
    found = entries(run)
    for entry in found.values():
        del entry["minutes"]
        for candidate in entry["candidates"]:
            candidate["cost"] = None
    return found


def test_where_no_rung_passes_alone_the_best_two_are_joined(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs")
    found = entries(run)
    assert list(found) == ["postprocess", "layers", "combined"]
    assert [entry["outcome"] for entry in found.values()] == [
        "too small",
        "not better on select",
        "passed",
    ]
    assert [entry["looked"] for entry in found.values()] == [False, False, True]
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert run.verdict.rung == run.folder.read("verdict.json")["rung"] == "combined"
    # Both weights of 1 and its own of 0.5 are left for it.
    assert found["combined"]["alpha"] == pytest.approx(stats.run_alpha(1))
    assert run.verdict.level == pytest.approx(1 - 2 * stats.run_alpha(1))
    stack = Stack.load(run.folder.trial(found["combined"]["chosen"]))
    assert [one.kind for one in stack.adjustments] == ["layers", "postprocess"]
    assert run.verdict.stack == stack.hash == run.stack.hash
    said = [reason for reason in run.verdict.reasons if reason.startswith("smaller rung")]
    assert [text.split(":")[0] for text in said] == ["smaller rung postprocess", "smaller rung layers"]
    page = (run.folder.path / "report.html").read_text(encoding="utf-8")
    assert "the chosen postprocess over the chosen layers" in page


def test_an_entry_holds_what_documents_need(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs")
    for entry in entries(run).values():
        (candidate,) = entry["candidates"]
        assert candidate["chosen"]
        assert candidate["stack"] == entry["chosen"]
        assert entry["minutes"] > 0
        assert {guard["suite"] for guard in entry["guards"]} == {"plain"}
        n = sum(row["part"] == ("confirm" if entry["looked"] else "select") for row in rows(tmp_path))
        assert entry["difference"]["n"] == n
    assert entries(run)["combined"]["difference"]["level"] == run.verdict.level
    assert run.folder.read("ladder.json")["minutes"] >= sum(e["minutes"] for e in entries(run).values())


def rows(folder: Path) -> list[dict[str, Any]]:
    """The data of a project."""
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def test_a_guard_that_a_rung_cannot_touch_is_not_measured(tmp_path: Path, network: Path) -> None:
    run = trimtab.tune(
        project(tmp_path, network, ladder=["prompt", "postprocess", "layers"]), root=tmp_path / "runs"
    )
    built = {name: entry["guards"][0]["by_construction"] for name, entry in entries(run).items()}
    assert built == {"prompt": True, "postprocess": True, "layers": False, "combined": False}
    for name, entry in entries(run).items():
        guards = run.folder.read(f"trials/{entry['chosen']}/guards.json")
        assert bool(guards["scores"]) == (not built[name])
    rung = run.folder.read("ladder.json")["rungs"][0]
    assert rung["guards"][0]["comparison"]["outcome"] == "held"
    assert rung["guards"][0]["comparison"]["difference"]["method"] == "by construction"


def test_a_rung_that_ships_under_a_guard_it_cannot_touch(tmp_path: Path, network: Path) -> None:
    """On confirm too: the rule alone gets a fifth right, which is enough here."""
    goal = {"metric": "exact_match", "min_gain": 0.0, "expected_gain": 0.2}
    run = trimtab.tune(project(tmp_path, network, goal=goal), root=tmp_path / "runs")
    assert list(entries(run)) == ["postprocess"]
    assert run.verdict.rung == "postprocess"
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert run.verdict.guards[0].by_construction
    assert "held by construction" in (run.folder.path / "report.html").read_text(encoding="utf-8")


def test_the_winner_is_compared_with_the_best_prompt(tmp_path: Path, network: Path) -> None:
    goal = {"metric": "exact_match", "min_gain": 0.2, "expected_gain": 0.6}
    run = trimtab.tune(
        project(tmp_path, network, goal=goal, ladder=["prompt", "layers"]), root=tmp_path / "runs"
    )
    assert run.verdict.outcome == "ship", run.verdict.reasons
    beside = run.folder.read("ladder.json")["prompt"]
    assert beside["outcome"] == "better"
    assert beside["threshold"] == 0
    assert beside["difference"]["value"] == pytest.approx(run.verdict.difference.value)
    assert run.verdict.reasons[-1].startswith("beside the best prompt: better than it")


def test_what_would_pass_the_budget_is_skipped_and_says_so(tmp_path: Path, network: Path) -> None:
    """With next to no budget the first rung is tried all the same, the others are not; a kill changes nothing."""
    recipe = project(tmp_path, network, budget={"minutes": 1e-6})
    run = trimtab.tune(recipe, root=tmp_path / "runs")
    found = entries(run)
    assert [entry["outcome"] for entry in found.values()] == ["too small", "skipped: budget"]
    assert found["layers"]["candidates"] == []
    assert found["layers"]["minutes"] > 0
    assert any(reason.startswith("bounded by budget") for reason in run.verdict.reasons)
    assert run.verdict.look == 0
    assert run.verdict.rung == "postprocess"
    (run.folder.path / "verdict.json").unlink()
    assert told(trimtab.tune(recipe, root=tmp_path / "runs")) == found_without_time(found)
    # More budget decides anew, as no look was taken.
    (run.folder.path / "verdict.json").unlink()
    more = project(tmp_path, network, budget={"minutes": 600})
    again = trimtab.tune(more, root=tmp_path / "runs")
    assert again.folder.path == run.folder.path
    assert "combined" in entries(again)


def found_without_time(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Entries as `told` gives them."""
    return {
        name: {key: value for key, value in entry.items() if key != "minutes"}
        | {"candidates": [candidate | {"cost": None} for candidate in entry["candidates"]]}
        for name, entry in found.items()
    }


def test_a_rung_skipped_before_a_look_stays_skipped(tmp_path: Path, network: Path) -> None:
    """Its weight is spent: whatever the budget is now, it is not tried after all."""
    run = trimtab.tune(project(tmp_path, network), root=tmp_path / "runs")
    content = run.folder.read("ladder.json")
    content["rungs"][1] |= {"outcome": "skipped: budget", "candidates": []}
    assert content["rungs"][2]["looked"]
    run.folder.write("ladder.json", content)
    (run.folder.path / "verdict.json").unlink()
    again = trimtab.tune(project(tmp_path, network, budget={"minutes": 600}), root=tmp_path / "runs")
    assert entries(again)["layers"]["outcome"] == "skipped: budget"


def test_exploring_joins_what_does_not_pass_alone_and_takes_no_look(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network)
    run = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    assert list(entries(run)) == ["postprocess", "layers", "combined"]
    assert run.verdict.explored
    assert run.verdict.stack == entries(run)["combined"]["chosen"]
    assert not any(entry["looked"] for entry in entries(run).values())
    assert not (tmp_path / "rows.jsonl.looks.json").exists()
    confirmed = trimtab.tune(recipe, root=tmp_path / "runs")
    assert confirmed.verdict.outcome == "ship"
    assert confirmed.verdict.look == 1


@pytest.mark.parametrize("stop", ["measuring combined-0 on select", "measuring candidate on confirm"])
def test_a_climb_that_was_interrupted_ends_the_same(tmp_path: Path, network: Path, stop: str) -> None:
    whole = trimtab.tune(project(tmp_path / "a", network), root=tmp_path / "a" / "runs")
    recipe = project(tmp_path / "b", network)

    def interrupt(progress: Any) -> None:
        if progress.stage == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trimtab.tune(recipe, root=tmp_path / "b" / "runs", report=interrupt)
    (left,) = (tmp_path / "b" / "runs").glob("*/ladder.json")
    assert [e["outcome"] for e in json.loads(left.read_text())["rungs"]][-1] == "begun"
    resumed = trimtab.tune(recipe, root=tmp_path / "b" / "runs")
    assert told(resumed) == told(whole)
    assert resumed.verdict == whole.verdict


def test_what_falls_short_says_why_and_what_next(tmp_path: Path, network: Path) -> None:
    recipe = project(tmp_path, network, ladder=["postprocess"])
    run = trimtab.tune(recipe, root=tmp_path / "runs")
    assert run.verdict.outcome != "ship"
    said = "\n".join(run.verdict.reasons)
    assert "best so far: rung postprocess" in said
    assert "bounded by ladder" in said
    assert "next: add a rung that changes the network" in said
