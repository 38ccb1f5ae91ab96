"""Which rungs a recipe begins with, and that what `init` writes is planned and tuned as it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import trimtab
from trimtab import recipe, starter
from trimtab.errors import DataError
from trimtab.starter.ladders import Given, Traits, ladder

GERMAN = "Wir schicken Ihnen das Paket {}, sobald der Laden es hat, und melden uns noch einmal bei Ihnen."


def weights(given: Given = Given(), **traits: bool) -> dict[str, object]:  # noqa: B008 - frozen
    chosen = ladder(given, Traits(**traits))  # type: ignore[arg-type]
    return {d.option.removeprefix("ladder."): d.value for d in chosen if d.option.startswith("ladder.")}


def rows(path: Path, count: int = 80) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = [[f"Wo ist das Paket {n}?", GERMAN.format(n)] for n in range(count)]
        csv.writer(file).writerows([["prompt", "completion"], *lines])
    return path


def test_the_adapter_keeps_most_of_the_error_rate() -> None:
    assert weights() == {"prompt": 1, "decoding": 1, "steering": 1, "adapter": 4}
    everything = weights(Given(documents="docs", guidelines="rules.yaml"))
    assert list(everything) == ["prompt", "context", "decoding", "postprocess", "steering", "adapter"]
    for found in (weights(), everything):
        assert all(
            float(str(found["adapter"])) >= 3 * float(str(w)) for r, w in found.items() if r != "adapter"
        )


def test_a_service_gets_the_light_rungs_only() -> None:
    found = ladder(Given("openai:x@http://a/v1", served=True, embedded=False, documents="docs"), Traits())
    assert {d.option for d in found if d.option.startswith("ladder")} == {
        "ladder.prompt",
        "ladder.context",
        "ladder.decoding",
    }
    assert not any("adapter" in d.option or "steering" in d.option for d in found)


def test_rungs_that_cannot_help_are_left_out() -> None:
    assert "decoding" not in weights(free=False)
    assert "steering" not in weights(free=False)
    assert "decoding" not in weights(answered=False)
    assert "postprocess" in weights(stating=True)
    assert "postprocess" not in weights(stating=True, answered=False)


def test_conversations_get_the_default_prompts() -> None:
    assert not any(d.option == "candidates.prompt" for d in ladder(Given(), Traits(single=False)))


def test_documents_and_guidelines_beside_the_rows_are_found(tmp_path: Path) -> None:
    source = rows(tmp_path / "mail.csv")
    (tmp_path / "docs").mkdir()
    assert "context" not in recipe.load(starter.from_file(source, tmp_path / "a", columns={}).recipe).ladder
    (tmp_path / "docs" / "one.md").write_text("# Pakete\n\nSie kommen bald.", encoding="utf-8")
    (tmp_path / "guidelines.yaml").write_text(
        "rules:\n  - {id: short, text: An answer has at most 40 words., limit: {words: 40}}\n",
        encoding="utf-8",
    )
    started = starter.from_file(source, tmp_path / "b", columns={})
    loaded = recipe.load(started.recipe)
    assert {"context", "postprocess"} <= set(loaded.ladder)
    assert Path(loaded.data.documents).resolve() == tmp_path / "docs"
    assert Path(loaded.guidelines).resolve() == tmp_path / "guidelines.yaml"
    assert {d.reason for d in started.decisions if d.option in ("data.documents", "guidelines")} == {
        "found beside your rows"
    }
    beside = starter.Beside(documents=str(tmp_path / "none"))
    with pytest.raises(DataError):
        starter.from_file(source, tmp_path / "c", columns={}, beside=beside)
    assert not (tmp_path / "c").exists()


def test_a_service_gets_guards_that_it_can_answer(tmp_path: Path) -> None:
    source = rows(tmp_path / "mail.csv")
    beside = starter.Beside(model="openai:tiny@http://127.0.0.1:9/v1")
    loaded = recipe.load(starter.from_file(source, tmp_path / "a", columns={}, beside=beside).recipe)
    assert set(loaded.ladder) == {"prompt", "decoding", "postprocess"}
    assert loaded.guards == ()
    blank = recipe.load(starter.from_nothing(tmp_path / "b", beside=beside).recipe)
    assert {guard.metric for guard in blank.guards} == {"refusal"}


def test_a_recipe_as_written_is_planned_and_tuned(tmp_path: Path, network: Path, cache: Path) -> None:
    source = rows(tmp_path / "mail.csv")
    beside = starter.Beside(model=str(network))
    started = starter.from_file(source, tmp_path / "out", columns={}, beside=beside)
    plan = trimtab.plan(started.recipe)
    rungs = {"prompt", "decoding", "postprocess", "steering", "adapter"}
    assert set(plan["candidates"]) == rungs
    assert set(plan["minutes_by_rung"]) == rungs | {"combined"}
    budgeted = starter.with_minutes(started, 40.2)
    assert recipe.load(budgeted.recipe).budget.minutes == 49
    before = budgeted.recipe.read_text(encoding="utf-8")
    assert "about 40.2 minutes on this machine" in before
    run = trimtab.tune(budgeted.recipe, root=tmp_path / "runs", explore=True)
    tried = {entry["rung"]: entry["outcome"] for entry in run.folder.read("ladder.json")["rungs"]}
    assert rungs <= set(tried)
    assert "skipped: budget" not in tried.values()
    assert budgeted.recipe.read_text(encoding="utf-8") == before
