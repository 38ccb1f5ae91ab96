"""A round of the tiny network: what moves, what is learned, what is charged, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import trimtab
from tests.rounds import made
from trimtab import lineage, previous
from trimtab.data.read import read
from trimtab.errors import RunError
from trimtab.prepare import prepare
from trimtab.recipe import load
from trimtab.rounds import begin
from trimtab.run import RunFolder

FRESH = 60


def parts_of(recipe: Path) -> dict[str, str]:
    """The part of each row of a recipe."""
    found = prepare(load(recipe)).parts
    return {example.id: part for part, items in found.items() for example in items}


def test_seen_and_corrected_items_are_tuned_on_and_the_rest_stays(run: RunFolder) -> None:
    before = {row.id: row.part for row in lineage.rows(run)}
    seen, corrected = made.ids(run, "confirm")[:7], made.ids(run, "select")[:3]
    made.review(run, confirm=seen, corrections={name: ["fine"] for name in corrected})
    made.grow(run, FRESH)
    recipe = begin(run.path)
    after = parts_of(recipe)
    moved = {name for name in before if before[name] != after[name]}
    assert moved == {*seen, *corrected}
    assert {after[name] for name in moved} == {"tune"}
    new = [after[name] for name in after if name not in before]
    assert len(new) == FRESH
    assert set(new) == {"tune", "select", "confirm"}


def test_a_changed_seed_or_share_opens_nothing_that_was_shown(run: RunFolder, tmp_path: Path) -> None:
    made.review(run, confirm=made.ids(run, "confirm")[:4])
    content = run.recipe() | {"seed": 7}
    content["data"]["split"] = {"tune": 0.2, "select": 0.2, "confirm": 0.6}
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(content))
    kept = parts_of(begin(run.path, other))
    assert {row.id for row in lineage.rows(run) if row.part == "confirm"} >= {
        name for name, part in kept.items() if part == "confirm"
    }
    # Without the round the same recipe seals rows that were tuned on or shown.
    free = parts_of(other)
    assert any(free[row.id] == "confirm" for row in lineage.rows(run) if row.part in ("tune", "select"))


def test_corrections_are_learned_in_place_of_the_rows_own_answers(run: RunFolder, tmp_path: Path) -> None:
    first, second = made.ids(run, "select")[:2]
    made.review(run, corrections={first: ["fine", "good", "fine"], second: ["yes"]})
    recipe = begin(run.path)
    tune = {example.id: example for example in prepare(load(recipe)).parts["tune"]}
    assert tune[first].references == ("fine", "good")
    assert tune[second].references == ("yes",)
    assert {tune[first].source, tune[second].source} == {"correction"}
    own = {example.id: example for example in read(run.recipe()["data"]["examples"])}
    assert own[first].references == ("ok",)
    beside = tmp_path / "beside.yaml"
    beside.write_text(yaml.safe_dump(run.recipe() | {"round": {"corrections": "beside"}}))
    tune = {example.id: example for example in prepare(load(begin(run.path, beside))).parts["tune"]}
    assert tune[first].references == ("fine", "good", "ok")


def test_a_round_is_a_recipe_with_an_identity_of_its_content(run: RunFolder) -> None:
    (name, *_) = made.ids(run, "select")
    made.review(run, corrections={name: ["fine"]})
    recipe = begin(run.path)
    identity = prepare(load(recipe)).identity
    assert begin(run.path) == recipe
    assert prepare(load(recipe)).identity == identity
    elsewhere = run.path.parent / "elsewhere"
    shutil.copytree(recipe.parent, elsewhere)
    assert prepare(load(elsewhere / "recipe.yaml")).identity == identity
    made.review(run, corrections={name: ["well"]})
    other = begin(run.path)
    assert other != recipe
    assert prepare(load(other)).identity != identity
    # What was written for the first one still is what it was.
    assert prepare(load(recipe)).identity == identity


def test_a_whole_round_and_another_one_after_it(run: RunFolder) -> None:
    seen, corrected = made.ids(run, "confirm")[:6], made.ids(run, "select")[:2]
    made.review(run, confirm=seen, corrections={name: ["fine"] for name in corrected})
    made.grow(run, FRESH)
    second = trimtab.tune(begin(run.path), root=run.path.parent)
    assert second.verdict.look == 2
    assert second.verdict.level > run.verdict().level
    record = second.folder.read("round.json")
    assert record["moved"] == {"shown": 6, "corrected": 2}
    confirm = record["now"]["confirm"]
    assert confirm["before"] == len(made.ids(run, "confirm")) - 6
    assert confirm["fresh"] == record["now"]["new"]["confirm"] > 0
    certified = {row["example"] for row in second.folder.read("certificate.json")["rows"]}
    assert {*seen, *corrected} <= certified
    rows = {row.id: row for row in lineage.rows(second.folder)}
    # The record knows a corrected row by what its data file says.
    assert rows[corrected[0]].content == {row.id: row.content for row in lineage.rows(run)}[corrected[0]]
    assert trimtab.tune(begin(run.path), root=run.path.parent).folder.path == second.folder.path
    later = made.ids(second.folder, "select")[0]
    made.review(second.folder, confirm=made.ids(second.folder, "confirm")[:3], corrections={later: ["well"]})
    third = prepare(load(begin(second.folder.path)))
    assert third.previous is not None
    assert third.previous.facts["number"] == 3
    tune = {example.id: example for example in third.parts["tune"]}
    assert (tune[later].references, tune[corrected[0]].references) == (("well",), ("fine",))
    assert {*seen, *corrected} <= set(tune)


def test_fresh_rows_alone_have_no_look_behind_them(run: RunFolder, tmp_path: Path) -> None:
    made.review(run, confirm=made.ids(run, "confirm")[:4])
    fresh = tmp_path / "fresh.yaml"
    fresh.write_text(yaml.safe_dump(run.recipe() | {"round": {"confirm": "fresh"}}))
    made.grow(run, FRESH)
    kept, alone = trimtab.plan(begin(run.path)), trimtab.plan(begin(run.path, fresh))
    assert any("look 2" in note and "fresh" in note for note in kept["notes"])
    assert not any("look 2" in note for note in alone["notes"])
    assert alone["level"] < kept["level"]
    assert alone["parts"]["confirm"] < kept["parts"]["confirm"]
    assert alone["parts"]["tune"] > kept["parts"]["tune"]


def test_looks_are_known_where_the_data_lie_in_another_file(run: RunFolder, tmp_path: Path) -> None:
    made.review(run, confirm=made.ids(run, "confirm")[:2])
    made.grow(run, FRESH)
    data = Path(run.recipe()["data"]["examples"])
    shutil.copy(data, tmp_path / "grown.jsonl")
    content = run.recipe()
    content["data"]["examples"] = str(tmp_path / "grown.jsonl")
    (tmp_path / "grown.yaml").write_text(yaml.safe_dump(content))
    plan = trimtab.plan(begin(run.path, tmp_path / "grown.yaml"))
    assert any("look 2" in note for note in plan["notes"])


def test_preferences_are_a_file_that_is_read_as_such(run: RunFolder) -> None:
    name = made.ids(run, "select")[0]
    row = {
        "example": name,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Well?"}],
        "chosen": "Yes.",
        "rejected": "No.",
        "votes": 3,
        "stacks": ["a", "base"],
    }
    made.review(run, preferences=[row, {**row, "chosen": "Very well."}])
    found = read(str(begin(run.path).parent / "preferences.jsonl"))
    assert [message.role for message in found[0].messages] == ["system", "user"]
    assert [(one.references, one.fields["rejected"]) for one in found] == [
        (("Yes.",), "No."),
        (("Very well.",), "No."),
    ]


def test_what_cannot_be_learned_from_is_refused(run: RunFolder) -> None:
    with pytest.raises(RunError, match="nobody has reviewed") as caught:
        begin(run.path)
    assert "trimtab review" in caught.value.hint
    sealed, open_ = made.ids(run, "confirm")[0], made.ids(run, "select")[0]
    made.review(run, corrections={open_: ["fine"]})
    row = run.rows("review/corrections.jsonl")[0]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**row, "example": sealed}, "rows of confirm"),
        ({**row, "example": "nobody"}, "rows of none"),
        ({**row, "completion": " "}, "empty corrections"),
        ({"example": open_}, "no messages"),
    ]
    for changed, said in wrong:
        run.write_rows("review/corrections.jsonl", [changed])
        with pytest.raises(RunError, match=said):
            begin(run.path)


def test_rows_that_are_gone_and_runs_without_a_verdict_are_refused(run: RunFolder) -> None:
    made.review(run, confirm=made.ids(run, "confirm")[:2])
    path = Path(run.recipe()["data"]["examples"])
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[1:]))
    with pytest.raises(RunError, match=r"1 rows of .* are gone"):
        begin(run.path)
    (run.path / "verdict.json").unlink()
    with pytest.raises(RunError, match="no verdict"):
        begin(run.path)


def test_a_folder_of_a_round_that_is_missing_or_damaged_is_named(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a folder of a round"):
        previous.read(tmp_path)
    made.review(run)
    folder = begin(run.path).parent
    (folder / previous.ROWS).write_text('{"example": "a"}\n')
    with pytest.raises(RunError, match="damaged"):
        previous.read(folder)


def test_flags_become_rows_and_a_proposed_rule(run: RunFolder) -> None:
    names = made.ids(run, "select")[:4]
    flags = [made.flag(name, f"{n} is simply unbeatable") for n, name in enumerate(names)]
    made.review(run, flags=flags)
    folder = begin(run.path).parent
    rows = [json.loads(line) for line in (folder / "regressions.jsonl").read_text().splitlines()]
    assert [row["rejected"] for row in rows] == [row["text"] for row in flags]
    assert rows[0]["messages"][0]["content"].startswith("item ")
    assert "simply unbeatable" in (folder / "guidelines.proposed.yaml").read_text()
    facts = json.loads((folder / "round.json").read_text())
    assert [row["example"] for row in facts["flagged"]] == sorted(names)
    made.review(run, flags=flags[:2])
    assert not (begin(run.path).parent / "guidelines.proposed.yaml").exists()
