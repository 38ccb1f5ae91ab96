"""A probe of a recipe and of a run of the tiny network: what is made, kept, shown and refused."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path

import pytest

import trimtab
from tests import projects
from trimtab.document import probed
from trimtab.errors import UserError
from trimtab.probe.attribution.attributing import METHODS
from trimtab.probe.attribution.targets import Answer, Contrast, Tone
from trimtab.probe.parts import Wanted, target
from trimtab.probe.probing import probe
from trimtab.records import Example, Message, Output, Progress
from trimtab.run import RunFolder

FEW = Wanted(prompts=6, settings=39, tokens=4, items=4, pairs=12)
GOAL = {"metric": "chrf", "min_gain": 2.0, "expected_gain": 20.0}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, network: Path) -> Path:
    folder = tmp_path_factory.mktemp("probed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        recipe = projects.written(folder, network, goal=GOAL)
        trimtab.tune(recipe, root=folder / "runs")
    return folder


@pytest.fixture(autouse=True)
def own_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_CACHE", str(home / "cache"))


def the_run(home: Path) -> Path:
    (path,) = (home / "runs").iterdir()
    return path


def test_a_recipe_is_looked_at_before_it_is_tuned(home: Path, tmp_path: Path) -> None:
    found = probe(home / "recipe.yaml", root=tmp_path, parts=("sensitivity", "layers"), wanted=FEW)
    assert (found.stack, list(found.sections)) == ("base", ["sensitivity", "layers"])
    assert found.page == found.folder / "probe.html"
    html = found.page.read_text(encoding="utf-8")
    assert html.count('role="img"') == len(list((found.folder / "pictures").iterdir())) > 5
    advice = json.loads((found.folder / "layers.json").read_text(encoding="utf-8"))
    assert set(advice) >= {"steering", "adapter", "layers"}
    run = trimtab.tune(home / "recipe.yaml", root=tmp_path)
    assert run.folder.path == found.folder


def test_a_run_is_looked_at_whole_and_its_report_shows_it(home: Path) -> None:
    found = probe(the_run(home), wanted=FEW)
    assert found.left_out == {}
    assert list(found.sections) == list(probed.LINKS)
    html = found.page.read_text(encoding="utf-8")
    assert found.page.name == "report.html"
    assert len(html.encode()) < 3_000_000
    whose = {name: section.said[-1] for name, section in found.sections.items()}
    stack = f"Looked at: the stack {found.stack}."
    assert whose.pop("layers") == "Looked at: the base model."
    assert whose.pop("tradeoff") == "Looked at: every trial of the run."
    assert set(whose.values()) == {stack}
    for name, section in found.sections.items():
        assert f'<section id="{name}"' in html
        assert all(picture.drawn() in html for picture in section.pictures)
        json.dumps(section.data, allow_nan=False)
    space = found.sections["space"].data
    # Every answer changed, all in one way; the weights changed, and with them the states of prompts.
    assert space["answers"]["probe"]["low"] > 0.5
    assert space["states"]["shift"]["low"] > 0
    fates = {fate["fate"] for fate in found.sections["deviations"].data["fates"]}
    assert fates == {"solved"}
    units = [one["unit"] for one in found.sections["attribution"].data["items"]]
    assert units.count("word") == 3 * len(METHODS) < units.count("section")


def test_the_same_probe_is_not_made_twice_and_goes_on_where_it_was_stopped(
    home: Path, tmp_path: Path
) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage.startswith("layers"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        probe(home / "recipe.yaml", root=tmp_path, wanted=FEW, parts=("sensitivity", "layers"), report=stop)
    (folder,) = tmp_path.iterdir()
    kept = probed.kept(folder := RunFolder(folder))
    assert list(kept) == ["sensitivity"]
    kept["sensitivity"]["section"]["title"] = "As it was kept"
    probed.keep(folder, "sensitivity", kept["sensitivity"])
    found = probe(folder.path, wanted=FEW, parts=("sensitivity", "layers"))
    assert found.sections["sensitivity"].title == "As it was kept"
    assert "layers" in found.sections
    more = probe(folder.path, wanted=dataclasses.replace(FEW, prompts=7), parts=("sensitivity",))
    assert more.sections["sensitivity"].title != "As it was kept"


def test_one_word_of_one_item_can_be_asked_for(home: Path) -> None:
    item = json.loads((the_run(home) / "examples.jsonl").read_text(encoding="utf-8").split("\n")[0])["id"]
    wanted = Wanted(item=item, word="ok")
    found = probe(the_run(home), parts=("attribution",), wanted=wanted).sections["attribution"].data
    assert {one["example"] for one in found["items"]} == {item}
    assert all("“ok”" in one["target"] for one in found["items"])


def test_what_is_explained_is_what_was_asked_for() -> None:
    example = Example((Message("user", "How?"),), ("Well.",), id="a")
    said = {"a": Output("a", 0, "Very well, thanks."), "b": Output("b", 0, "So", finish="length")}
    before = {"a": Output("a", 0, "Badly.")}
    asked = functools.partial(target, example=example, said=said, before=before)
    assert asked(Wanted()) == Answer("Very well, thanks.")
    assert asked(Wanted(why="reference")) == Contrast("Very well, thanks.", "Well.")
    assert asked(Wanted(why="base")) == Contrast("Very well, thanks.", "Badly.")
    assert asked(Wanted(word="thanks")) == Answer("Very well, thanks.", 11, 17)
    assert asked(Wanted(word="sorry")) is None
    assert asked(Wanted(tone=("kind",))) == Tone(("kind",), "Very well, thanks.")
    cut = dataclasses.replace(example, id="b")
    assert target(Wanted(), cut, said, before) == Answer("So", end=2)
    assert target(Wanted(), dataclasses.replace(example, id="c"), said, before) is None


def test_failures_of_two_runs_are_compared(home: Path, tmp_path: Path, network: Path) -> None:
    recipe = projects.written(tmp_path, network, goal=GOAL, training={"epochs": 0.1, "batch_size": 4})
    worse = trimtab.tune(recipe, root=tmp_path / "runs", explore=True).folder.path
    stack = next(path.parent.name for path in worse.glob("trials/*/stack.json"))
    found = (
        probe(worse, parts=("deviations",), stack=stack, against=the_run(home)).sections["deviations"].data
    )
    assert {fate["fate"] for fate in found["fates"]} == {"new"}


def test_what_cannot_be_is_refused_or_left_out(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no part sense"):
        probe(the_run(home), parts=("sense",))
    with pytest.raises(UserError, match="nothing was changed yet"):
        probe(home / "recipe.yaml", root=tmp_path, parts=("space",))
    with pytest.raises(UserError, match="no stack"):
        probe(the_run(home), stack="nothing")
    with pytest.raises(UserError, match="not in select"):
        probe(the_run(home), parts=("attribution",), wanted=Wanted(item="nobody"))
