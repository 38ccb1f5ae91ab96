"""The survey on a planted network, its figures against states by transformers, and what follows from it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from tests.adjust import made
from tests.probe.layers import planted
from tests.probe.test_linear import primal
from trimtab.adjust.stack import Stack
from trimtab.adjust.steering import Push, Steering
from trimtab.candidates import AdapterCandidate, LayersCandidate, SteeringCandidate
from trimtab.errors import DataError
from trimtab.probe import linear
from trimtab.probe.layers import ranking, shown, surveying
from trimtab.probe.layers.surveying import MEASURES, Block, Blocks, Settings
from trimtab.records import NAN, Estimate, Progress


@pytest.mark.parametrize(("block", "seed"), [(1, 1), (3, 0), (4, 2), (6, 1)])
def test_a_planted_block_is_found(block: int, seed: int) -> None:
    base, ways = planted.base(seed=seed)
    with planted.planted(base, ways, block):
        found = surveying.survey(base, planted.pairs(24, seed=seed))
    assert abs(ranking.ranked(found)[0].block - block) <= 2
    assert [one.blocks for one in ranking.candidates(found, "steering", 1)] == [(block,)]
    below, at = found.blocks[block - 1], found.blocks[block]
    assert at.probe.value == 1.0 > below.probe.value
    assert at.steering.low > below.steering.high
    # Without the plant, no direction of that block does as much.
    bare = surveying.survey(base, planted.pairs(24, seed=seed))
    assert bare.blocks[block].steering.high < at.steering.low


def test_probes_read_the_states_that_transformers_gives() -> None:
    base, pairs = made.base(num_hidden_layers=3, initializer_range=0.3), made.contrasts(24)
    groups = [f"g{number // 2}" for number in range(24)]
    settings = Settings(folds=4, seed=2)
    told: list[Progress] = []
    found = surveying.survey(base, pairs, groups, settings, report=told.append)
    fold = linear.folds(groups, 4, 2)
    for block in (0, 1):
        sides = [
            _means(base, [getattr(pair, side) for pair in pairs], block) for side in ("positive", "negative")
        ]
        right = 0.0
        for held in range(4):
            rest = fold != held
            known, labels = np.concatenate([s[rest] for s in sides]), np.repeat([1.0, -1.0], int(rest.sum()))
            one, two = (primal(known, labels, side[~rest], settings.penalty) for side in sides)
            right += float((one > 0).sum() + (two < 0).sum())
        assert found.blocks[block].probe.value == pytest.approx(right / 48)
    assert (found.pairs, found.groups, found.given) == (24, 12, 24)
    assert {one.stage for one in told} == {"layers: reading pairs", "layers: gradients", "layers: blocks"}


def _means(base: surveying.Base, rows: list[surveying.activations.TokenRow], block: int) -> np.ndarray:
    found = []
    for row in rows:
        with torch.no_grad():
            states = base.network(torch.from_numpy(row.ids)[None], output_hidden_states=True).hidden_states
        found.append(states[block + 1][0][torch.from_numpy(row.supervised)].double().mean(dim=0).numpy())
    return np.stack(found)


def test_an_attached_model_is_looked_at_as_it_is() -> None:
    base, pairs = made.base(initializer_range=0.3), made.contrasts(8)
    way = torch.nn.functional.normalize(torch.ones(32), dim=0)
    one = Steering({1: way}, {1: Push(2.0)}, "add", "mean", 1, base.fingerprint, 1.0)
    plain = surveying.survey(base, pairs)
    with Stack((one,)).attach(base) as model:
        found = surveying.survey(model, pairs)
    assert found.margin.value != pytest.approx(plain.margin.value, abs=1e-3)
    assert found.blocks[1].gradient.value != pytest.approx(plain.blocks[1].gradient.value, abs=1e-3)
    assert surveying.survey(base, pairs) == plain


def test_many_pairs_are_drawn_from_and_few_are_refused() -> None:
    base, pairs = made.base(), made.contrasts(12)
    found = surveying.survey(base, pairs, settings=Settings(most=6))
    assert (found.pairs, found.given) == (6, 12)
    with pytest.raises(DataError, match="3 pairs"):
        surveying.survey(base, pairs[:3])
    with pytest.raises(DataError, match="2 groups for 12"):
        surveying.survey(base, pairs, ["a", "b"])
    with pytest.raises(DataError, match=r"pairs \[1\]"):
        surveying.survey(
            base, [pairs[0], dataclasses.replace(pairs[1], negative=pairs[1].positive), *pairs[2:]]
        )


def blocks(**values: list[float]) -> Blocks:
    """A survey of given values, each give or take 0.1; nan is undefined."""

    def estimate(value: float) -> Estimate:
        why = "too few" if value != value else ""
        return Estimate(value, value - 0.1, value + 0.1, 0.95, 9, "t", why)

    count = len(next(iter(values.values())))
    rows = [
        Block(place, *(estimate(values.get(name, [0.0] * count)[place]) for name in (*MEASURES, "loss")))
        for place in range(count)
    ]
    return Blocks(tuple(rows), estimate(0.5), 9, 9, 9, Settings())


def test_the_order_is_that_of_mean_places() -> None:
    found = blocks(
        probe=[0.5, 0.9, 0.9, 0.7],
        steering=[0.0, 0.3, 0.2, NAN],
        gradient=[4.0, 1.0, 3.0, 2.0],
        ablation=[0.4, 0.0, 0.3, 0.2],
        loss=[5.0, 0.0, 0.1, 0.2],
    )
    order = ranking.ranked(found)
    assert [(place.block, place.mean_rank) for place in order] == [(2, 2.0), (0, 2.375), (1, 2.5), (3, 3.125)]
    assert order[0].ranks == {"probe": 2, "steering": 2, "gradient": 2, "ablation": 2}
    assert "a probe is right for 90% (2 of 4)" in order[0].reason
    assert order[1].ranks == {"probe": 4, "steering": 3.5, "gradient": 1, "ablation": 1}
    assert "all text is spoilt (+5" in order[1].reason
    assert "which may be chance" in order[1].reason
    assert "steering undefined (too few)" in order[3].reason
    steering = [SteeringCandidate(blocks=(number,), strength=0.1) for number in (1, 2)]
    assert ranking.candidates(found, "steering") == steering
    assert ranking.candidates(found, "steering", 1) == steering[:1]
    assert ranking.candidates(found, "adapter", 2) == [AdapterCandidate(blocks=(0, 2))]
    assert ranking.candidates(found, "layers") == [LayersCandidate(blocks=(0,))]


def test_no_block_is_steered_whose_effect_may_be_none() -> None:
    assert ranking.candidates(blocks(probe=[0.9, 0.9], steering=[0.05, -0.4]), "steering") == []


def test_drawings_tables_and_values_agree() -> None:
    found = blocks(probe=[0.5, 0.9], steering=[0.0, NAN], gradient=[4.0, 1.0], ablation=[0.4, 0.0])
    drawn = {picture.name: picture.drawn() for picture in shown.pictures(found)}
    assert list(drawn) == [f"layers-{name}" for name in (*MEASURES, "loss")]
    assert "+0.90" in drawn["layers-probe"]
    assert drawn["layers-steering"] == ""
    section = shown.section(found)
    assert [row[0] for row in section.tables[1].rows] == ["0", "1"]
    assert section.tables[1].rows[1][2] == "undefined (too few)"
    data = json.loads(json.dumps(shown.to_json(found), allow_nan=False))
    assert data["blocks"][1]["probe"]["value"] == 0.9
    assert data["blocks"][1]["steering"]["value"] is None
    assert data["order"][0]["block"] == ranking.ranked(found)[0].block
