"""What a survey of blocks advises changes what is planned, with its reason in the record; a damaged one is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import trimtab
from tests.rungs import made
from tests.tiny import tiny_tokenizer
from trimtab import planning
from trimtab import recipe as recipes
from trimtab.errors import RunError
from trimtab.planning import plan_run
from trimtab.prepare import prepare
from trimtab.records import Progress
from trimtab.run import RunFolder
from trimtab.rungs import advised, steering, training

pytestmark = pytest.mark.usefixtures("cache")

LADDER = ["steering", "adapter", "layers"]
# Of blocks whose order differs by rung; the best ones are none that would be tried anyway.
USED = {"0": "gradient of length 4 (1 of 4)", "1": "gradient of length 3 (2 of 4)", "3": "c", "2": "d"}
ADVICE: dict[str, Any] = {
    "steering": {
        "candidates": [{"blocks": [3], "strength": 0.1, "method": "mean"}],
        "blocks": {"3": "a probe is right for 90% (1 of 4)", "2": "b", "1": "c", "0": "d"},
    },
    "adapter": {"candidates": [{"blocks": [0, 1]}], "blocks": USED},
    "layers": {"candidates": [{"blocks": [0]}], "blocks": USED},
}


def folder(root: Path, content: Any = ADVICE) -> RunFolder:
    """A run folder in which a survey left its advice."""
    found = RunFolder.create(root, "0123456789")
    found.write(advised.FILE, content)
    return found


def test_advice_changes_what_is_planned_and_says_why(tmp_path: Path) -> None:
    told: list[Progress] = []
    base, prepared = made.base(), made.prepared(tmp_path, ladder=LADDER, budget={"minutes": 1000})
    plain = plan_run(prepared, base)
    plan = plan_run(prepared, base, told.append, advised.read(folder(tmp_path / "runs"), base))
    found = plan["candidates"]
    assert [(one["blocks"], one["strength"]) for one in found["steering"]] == [
        ([3], strength) for strength in steering.STRENGTHS
    ]
    assert [one["blocks"] for one in found["adapter"]] == [[0, 1], []]
    assert [(one["blocks"], one["learning_rate"]) for one in found["layers"]] == [([0], 1e-4)]
    why = "by the survey of blocks, block 3: a probe is right for 90% (1 of 4)"
    assert plan["reasons"] == {
        "steering": [why, why],
        "adapter": [
            "by the survey of blocks, 2 blocks, the best of which is 0: gradient of length 4 (1 of 4)",
            "",
        ],
        "layers": ["by the survey of blocks, block 0: gradient of length 4 (1 of 4)"],
    }
    shown = [(one.stage, one.facts["why"]) for one in told if one.stage.startswith("advised")]
    assert shown == [(f"advised for {rung}", plan["reasons"][rung][0]) for rung in LADDER]
    # Without a survey nothing is different, and nothing is said of one.
    assert "reasons" not in plain
    assert [one["blocks"] for one in plain["candidates"]["adapter"]] == [[-1], []]
    assert [(one["blocks"], one["learning_rate"]) for one in plain["candidates"]["layers"]] == [([], 1e-4)]
    assert {tuple(one["blocks"]) for one in plain["candidates"]["steering"]} == {(1,), (2,)}


def test_the_reason_stays_where_augmentation_is_tried_with_and_without(tmp_path: Path) -> None:
    base = made.base()
    prepared = made.prepared(tmp_path, ladder=["layers"], augment=[{"kind": "noise"}])
    plan = plan_run(prepared, base, None, advised.read(folder(tmp_path / "runs"), base))
    assert [one["augment"] for one in plan["candidates"]["layers"]] == [True, False]
    assert len(plan["reasons"]["layers"]) == 2
    assert len(set(plan["reasons"]["layers"])) == 1


def test_no_file_is_no_advice(tmp_path: Path) -> None:
    base = made.base()
    nothing = advised.read(RunFolder.create(tmp_path / "runs", "0123456789"), base)
    assert nothing == advised.Advised()
    prepared = made.prepared(tmp_path, ladder=LADDER)
    plain, empty = plan_run(prepared, base), plan_run(prepared, base, None, nothing)
    assert plain["candidates"] == empty["candidates"]
    assert "reasons" not in empty


def test_candidates_that_the_recipe_names_stay_and_are_not_explained(tmp_path: Path) -> None:
    base = made.base()
    own = {"layers": [{"blocks": [0]}], "steering": [{"blocks": [1]}]}
    prepared = made.prepared(tmp_path, ladder=["steering", "layers"], candidates=own)
    plan = plan_run(prepared, base, None, advised.read(folder(tmp_path / "runs"), base))
    assert [one["blocks"] for one in plan["candidates"]["layers"]] == [[0]]
    assert [one["blocks"] for one in plan["candidates"]["steering"]] == [[1]]
    assert "reasons" not in plan


def test_where_no_block_is_worth_steering_the_usual_are_tried_and_the_plan_says_so(tmp_path: Path) -> None:
    base, prepared = made.base(), made.prepared(tmp_path, ladder=["steering"])
    none = {**ADVICE, "steering": {**ADVICE["steering"], "candidates": []}}
    plan = plan_run(prepared, base, None, advised.read(folder(tmp_path / "runs", none), base))
    assert plan["candidates"] == plan_run(prepared, base)["candidates"]
    assert [note for note in plan["notes"] if note.startswith("steering: the survey of blocks found none")]


def test_low_blocks_take_the_time_of_all_that_lies_above_them(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path, training={"epochs": 2, "batch_size": 8})
    shares = [training.share(shop, blocks) for blocks in ((3,), (-2,), (2, 0), ())]
    assert shares == [0.25, 0.5, 1.0, 1.0]
    first, again = training.passes(0.25)
    assert (first, again) == (training.LAST_THIRD, training.LAST_THIRD_AGAIN)
    assert training.passes(1.0) == pytest.approx((training.UPDATE, training.UPDATE))
    assert training.LAST_THIRD < training.passes(0.5)[0] < training.UPDATE
    # 2 epochs of either candidate: 2 * (1.6 + 2.8) where the small one is the last block, 2 * 5.6 from the first on.
    options: dict[str, Any] = {"ladder": ["adapter"], "training": {"epochs": 2}, "budget": {"minutes": 1}}
    base, prepared = made.base(), made.prepared(tmp_path / "p", **options)
    for speed, plain, low in ((30 / 10, 2, 1), (30 / 12, 2, 2)):
        work = planning.Workshop(prepared, base, tmp_path, None)
        other = planning.Workshop(
            prepared, base, tmp_path, None, advised.read(folder(tmp_path / f"r{speed}"), base)
        )
        counts = [
            len(planning._candidates(one, "adapter", planning.Speed(1e-3, 1e-2, speed)))
            for one in (work, other)
        ]
        assert counts == [plain, low]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "damaged"),
        ("[1, 2]", "damaged"),
        ({"steering": {"candidates": [{"blocks": [1]}], "blocks": {"1": "a"}}}, "a survey of 1 blocks"),
        ({"steering": {"candidates": [{"blocks": [1]}], "blocks": {"0": "a"}}}, "blocks that have a reason"),
        ({"steering": {"candidates": [{}], "blocks": {"0": "a"}}}, "blocks that have a reason"),
        ({"layers": {"candidates": [{"blocks": ["x"]}], "blocks": {}}}, "layers.candidates.0.blocks.0"),
        ({"adapter": {"candidates": [{"block": [1]}], "blocks": {"1": "a"}}}, "did you mean blocks?"),
        ({"layers": {"candidates": [], "blocks": {"-1": "a"}}}, "greater than or equal to 0"),
        ({"embedding": {"candidates": [], "blocks": {}}}, "embedding: unknown key"),
    ],
)
def test_a_damaged_survey_is_named_with_what_to_do(tmp_path: Path, content: Any, said: str) -> None:
    run = RunFolder.create(tmp_path, "0123456789")
    text = content if isinstance(content, str) else json.dumps(content)
    run.write_text(advised.FILE, text)
    with pytest.raises(RunError, match=r"layers\.json") as found:
        advised.read(run, made.base())
    assert said in found.value.message
    assert "trimtab probe RECIPE --only layers" in found.value.hint


def test_a_run_tries_what_was_advised_and_its_page_says_why(tmp_path: Path) -> None:
    made.prepared(tmp_path)
    network = tmp_path / "network"
    made.base().network.save_pretrained(network)
    tiny_tokenizer().save_pretrained(network)
    recipe = {
        "model": str(network),
        "data": {"examples": "rows.jsonl", "max_tokens": 96},
        "goal": {"metric": "chrf"},
        "sampling": {"max_new_tokens": 8},
        "training": {"epochs": 1, "batch_size": 8},
        "ladder": ["steering", "layers"],
    }
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    root = tmp_path / "runs"
    RunFolder.create(root, prepare(recipes.load(file)).identity).write(advised.FILE, ADVICE)
    run = trimtab.tune(file, root=root, explore=True)
    plan = run.folder.read("plan.json")
    entries = [entry for rung in run.folder.read("ladder.json")["rungs"] for entry in rung["candidates"]]
    reasons = [*plan["reasons"]["steering"], *plan["reasons"]["layers"]]
    assert [entry.get("reason") for entry in entries[:3]] == reasons
    assert "blocks 3" in entries[0]["name"]
    page = (run.folder.path / "report.html").read_text(encoding="utf-8")
    assert page.count("by the survey of blocks, block 3: a probe is right for 90% (1 of 4)") == 2
    assert "by the survey of blocks, block 0: gradient of length 4 (1 of 4)" in page
    # What was planned is kept, whatever is advised later.
    run.folder.write(advised.FILE, {"steering": "nothing"})
    (run.folder.path / "verdict.json").unlink()
    assert trimtab.tune(file, root=root, explore=True).folder.read("plan.json") == plan
