"""Bradley-Terry scores: against the likelihood maximised by a general optimiser, and by simulation."""

import itertools

import numpy as np
import pytest

from tests.reference import win_rate_reference as reference
from trimtab.errors import StatisticsError
from trimtab.stats.rating import bradley_terry

STACKS = ("base", "one", "three", "two")
TRUTH = {"base": 0.0, "one": 0.6, "two": -0.4, "three": 1.1}


def tournament(rng, items=60, per_item=2, ties=0.15):
    """pairs, values and items of judgements between four stacks of the strengths of TRUTH."""
    pairs, values, ids = [], [], []
    for item in range(items):
        for _ in range(per_item):
            first, second = rng.choice(STACKS, 2, replace=False).tolist()
            chance = 1 / (1 + np.exp(TRUTH[second] - TRUTH[first]))
            pairs.append((first, second))
            values.append(0.5 if rng.random() < ties else float(rng.random() < chance))
            ids.append(item)
    return pairs, values, ids


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scores_are_the_likeliest(seed):
    pairs, values, items = tournament(np.random.default_rng(seed))
    wins = np.zeros((4, 4))
    for (first, second), value in zip(pairs, values, strict=True):
        wins[STACKS.index(first), STACKS.index(second)] += value
        wins[STACKS.index(second), STACKS.index(first)] += 1 - value
    found = bradley_terry(pairs, values, items, base="base")
    assert list(found) == ["one", "three", "two"]
    assert [e.value for e in found.values()] == pytest.approx(reference.bradley_terry(wins)[1:], abs=1e-5)
    assert all(e.low < e.value < e.high and e.n == 60 for e in found.values())


def test_the_side_on_which_a_stack_stood_does_not_matter():
    pairs, values, items = tournament(np.random.default_rng(3))
    mirrored = [(second, first) for first, second in pairs], [1 - value for value in values], items
    plain, turned = bradley_terry(pairs, values, items, base="two"), bradley_terry(*mirrored, base="two")
    for stack, estimate in plain.items():
        assert turned[stack].value == pytest.approx(estimate.value, abs=1e-6)


def test_intervals_hold_the_truth_and_count_items_not_judgements():
    rng, held = np.random.default_rng(4), []
    for _ in range(10):
        found = bradley_terry(*tournament(rng, items=80, ties=0.0), base="base")
        held += [e.low <= TRUTH[stack] <= e.high for stack, e in found.items()]
    assert np.mean(held) >= 0.85
    pairs, values, items = tournament(np.random.default_rng(5), per_item=1)
    once = bradley_terry(pairs, values, items, base="base")["one"]
    copies = bradley_terry(pairs * 4, values * 4, items * 4, base="base")["one"]
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=1e-6)


@pytest.mark.parametrize(
    ("pairs", "values", "reason"),
    [
        (
            [("base", "one"), ("two", "three")],
            [0.5, 0.5],
            "no chain of judgements joins base and one to three and two",
        ),
        ([("base", "one"), ("one", "two"), ("two", "base")], [0, 1, 0.5], "one lost to none of the others"),
        ([("base", "one"), ("one", "two"), ("base", "two")], [0.5, 0.5, 1], ""),
        (
            [("base", "one"), ("one", "two"), ("two", "base")],
            [1, 0, 0.5],
            "one won against none of the others",
        ),
    ],
)
def test_scores_that_do_not_exist_say_whose(pairs, values, reason):
    found = bradley_terry(pairs * 40, values * 40, list(range(40 * len(pairs))), base="base")
    assert all(reason in e.undefined and bool(e.undefined) == bool(reason) for e in found.values())


def test_too_few_judgements_to_resample():
    pairs = list(itertools.combinations(("base", "one", "two"), 2)) * 2
    found = bradley_terry(pairs, [1, 0, 1, 0, 1, 0], list(range(6)), base="base")
    assert all("of resamples" in e.undefined for e in found.values())


@pytest.mark.parametrize(
    ("pairs", "values", "items"),
    [
        ([("base", "one")], [1, 0], ["a"]),
        ([("base", "one")], [0.7], ["a"]),
        ([("base", "base")], [1], ["a"]),
        ([("one", "two")], [1], ["a"]),
    ],
)
def test_what_cannot_be_rated_is_refused(pairs, values, items):
    with pytest.raises(StatisticsError):
        bradley_terry(pairs, values, items, base="base")
