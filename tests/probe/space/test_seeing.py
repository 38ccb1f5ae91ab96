"""Maps on the same axes, their drawings, and hidden states of a tiny network before and after."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from trimtab.adjust.prompt import Prompt, Wording
from trimtab.adjust.stack import Stack
from trimtab.document import clouds
from trimtab.errors import MissingPart, StatisticsError
from trimtab.model.load import wrap
from trimtab.probe.space import maps, seeing
from trimtab.probe.space.states import states
from trimtab.records import Example, Message


def test_pca_is_that_of_scikit_learn() -> None:
    points = np.random.default_rng(0).normal(size=(50, 7)) * np.arange(1, 8)
    shown, shares = maps.pca(points)
    other = PCA(2).fit(points)
    assert np.abs(shown) == pytest.approx(np.abs(other.transform(points)))
    assert shares == pytest.approx(tuple(other.explained_variance_ratio_))
    assert maps.pca(np.ones((5, 3)))[1] == (0, 0)


def test_before_and_after_are_drawn_on_the_same_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "LIBRARIES", {"umap": "no_such_library", "tsne": "no_such_library"})
    rng = np.random.default_rng(0)
    before = rng.normal(size=(40, 6))
    after = before + 4 * np.eye(6)[0]
    labels = {"suite": (["a"] * 40, ["a"] * 40), "verdict": (["fails"] * 40, ["passes"] * 40)}
    found = seeing.space("answers", [str(i) for i in range(40)], before, after, labels)
    assert [one.method for one in found.maps] == ["pca"]
    assert found.left_out == ("umap", "tsne")
    assert "Not drawn: tsne, umap" in " ".join(seeing.section([found]).said)
    assert found.shift.value == pytest.approx(4)
    assert found.probe.low > 0.8
    moved = found.maps[0].shown[40:] - found.maps[0].shown[:40]
    assert np.linalg.norm(moved, axis=1) == pytest.approx(np.linalg.norm(moved[0]))
    drawn = {picture.name: picture.drawn() for picture in seeing.pictures(found)}
    text = drawn["space-answers-pca-verdict"]
    assert text.count("<use") == 80 + 2
    assert all(clouds.SHAPES[kind] in text and f"kind-{kind}" in text for kind in (0, 1))
    assert json.loads(json.dumps(seeing.values(found)))["shift"]["n"] == 40
    with pytest.raises(MissingPart, match="not installed"):
        maps.drawn("umap", before)
    with pytest.raises(StatisticsError, match="labels"):
        seeing.space("answers", ["a"], before, after, labels)


def test_tsne_keeps_two_groups_apart() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(20, 5)), rng.normal(size=(20, 5)) + 9])
    shown = maps.drawn("tsne", points)
    assert np.array_equal(shown, maps.drawn("tsne", points))
    near = np.linalg.norm(shown[:, None] - shown, axis=2) + 1e9 * np.eye(40)
    assert ((near.argmin(axis=1) < 20) == (np.arange(40) < 20)).all()


def test_states_are_those_of_the_network_and_move_with_an_adjustment(model: Any, tokenizer: Any) -> None:
    base = wrap(model, tokenizer)
    examples = [Example((Message("user", f"item {n}"),), id=str(n)) for n in range(3)]
    found = states(base, examples)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "item 1"}], add_generation_prompt=True, return_dict=False
    )
    with torch.no_grad():
        read = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    assert found[1, 0] == pytest.approx(read[1][0, -1].numpy(), abs=1e-5)
    with Stack().attach(base) as plain:
        assert states(plain, examples) == pytest.approx(found)
    with Stack((Prompt(Wording("Be brief.")),)).attach(base) as adjusted:
        assert not np.allclose(states(adjusted, examples), found, atol=1e-3)


def test_umap_keeps_two_groups_apart() -> None:
    pytest.importorskip("umap")
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(20, 5)), rng.normal(size=(20, 5)) + 9])
    shown = maps.drawn("umap", points)
    near = np.linalg.norm(shown[:, None] - shown, axis=2) + 1e9 * np.eye(40)
    assert ((near.argmin(axis=1) < 20) == (np.arange(40) < 20)).all()
