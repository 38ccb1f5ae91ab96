"""The survey with a recipe's own pairs, and its way through the run folder to what tuning plans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.probe.layers.test_surveying import blocks
from tests.rungs import made
from trimtab.candidates import SteeringCandidate
from trimtab.errors import DataError
from trimtab.planning import plan_run
from trimtab.probe.layers import ranking
from trimtab.probe.layers.recipe import of_shop
from trimtab.probe.layers.surveying import Settings, survey
from trimtab.records import Progress
from trimtab.run import RunFolder
from trimtab.rungs import advised, contrasts

pytestmark = pytest.mark.usefixtures("cache")


def test_the_recipes_own_pairs_are_surveyed_with_their_groups(tmp_path: Path) -> None:
    told: list[Progress] = []
    shop = made.workshop(tmp_path, seed=3)
    found = of_shop(shop, 10, told.append)
    pairs = contrasts.pairs(shop, SteeringCandidate(most=10))
    assert found == survey(shop.base, pairs.rows, pairs.groups, Settings(most=10, seed=3))
    assert (found.pairs, len(found.blocks)) == (10, 4)
    assert "layers: blocks" in {one.stage for one in told}
    for wrong in (3, 5000):
        with pytest.raises(DataError, match=f"{wrong} pairs, expected 4 to 4096"):
            of_shop(shop, wrong)


def test_rows_of_a_group_stay_together(tmp_path: Path) -> None:
    rows = [{"prompt": f"item {n}", "completion": "fine", "group": f"g{n // 3}"} for n in range(60)]
    (tmp_path / "grouped.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    data = {"examples": str(tmp_path / "grouped.jsonl"), "max_tokens": 96}
    shop = made.workshop(tmp_path, data=data)
    found = of_shop(shop, 12)
    assert found.groups == len({example.group for example in shop.some(12)}) < found.pairs == 12


def test_advice_is_read_back_by_the_rungs(tmp_path: Path) -> None:
    found = blocks(
        probe=[0.5, 0.9, 0.9, 0.7],
        steering=[0.0, 0.3, 0.2, 0.0],
        gradient=[4.0, 1.0, 3.0, 2.0],
        ablation=[0.4, 0.0, 0.3, 0.2],
    )
    base, prepared = made.base(), made.prepared(tmp_path, ladder=["steering", "adapter", "layers"])
    folder = RunFolder.create(tmp_path / "runs", "0123456789")
    folder.write(advised.FILE, ranking.advice(found))
    read = advised.read(folder, base)
    for rung in ranking.SPEAKS:
        advice = getattr(read, rung)
        assert list(advice.candidates) == ranking.candidates(found, rung)
        order = ranking.ranked(found, ranking.SPEAKS[rung])
        assert list(advice.blocks.items()) == [(place.block, place.reason) for place in order]
    plan = plan_run(prepared, base, None, read)
    assert [one["blocks"] for one in plan["candidates"]["steering"]] == [[1], [1], [2], [2]]
    assert plan["candidates"]["layers"][0]["blocks"] == [0]
    assert plan["reasons"]["layers"][0].endswith(ranking.ranked(found, ("gradient", "ablation"))[0].reason)
    assert "gradient of length 4 (1 of 4)" in plan["reasons"]["layers"][0]
