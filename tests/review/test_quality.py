"""Quality of raters and the rule: what each figure counts, and that the rule does not lean to a stack."""

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from tests.simulated import ACCURATE, allowance, bench
from trimtab.records import Vote
from trimtab.review.quality import RULE, Rule, apply, assess


def vote(item, rater, choice, left="a", right="b", **more):
    return Vote(item, rater, left, right, choice, **more)


def of(votes, rater="ann"):
    return next(quality for quality in assess(votes) if quality.rater == rater)


def test_consensus_is_what_most_of_the_others_preferred():
    votes = [
        vote("1", "ann", "left"), vote("1", "bob", "right", "b", "a"), vote("1", "cid", "right"),
        vote("1", "dan", "left"),  # the others: a, b, a
        vote("2", "ann", "left"), vote("2", "bob", "right"), vote("2", "cid", "tie"),  # no majority
        vote("3", "ann", "tie"), vote("3", "bob", "bad"),  # neither, both
        vote("4", "ann", "left"), vote("4", "bob", "right"),
        vote("5", "ann", "left"),  # nobody else
    ]  # fmt: skip
    found = of(votes)
    assert (found.consensus.value, found.consensus.n) == (pytest.approx(2 / 3), 3)
    assert (found.consensus.low, found.consensus.high) == pytest.approx(
        proportion_confint(2, 3, method="wilson")
    )
    # Own: a twice, neither once; the others': a, b, neither.
    assert found.chance == pytest.approx((2 * 1 + 1 * 1) / 9)
    assert found.n == 5


def test_judging_again_with_sides_swapped_is_consistent_where_the_stack_is_the_same():
    votes = [
        vote("1", "ann", "left"), vote("1", "ann", "right", "b", "a", again=True),
        vote("2", "ann", "left"), vote("2", "ann", "left", "b", "a", again=True),
        vote("3", "ann", "tie"), vote("3", "ann", "bad", "b", "a", again=True),
    ]  # fmt: skip
    found = of(votes)
    assert (found.consistency.value, found.consistency.n, found.n) == (pytest.approx(2 / 3), 3, 3)
    assert found.left.n == 2


def test_attention_position_and_seconds():
    votes = [vote(str(k), "ann", "left" if k < 9 else "tie", seconds=float(k)) for k in range(11)]
    votes += [
        vote(f"a{k}", "ann", "left", share="attention", expected="left" if k else "right") for k in range(4)
    ]
    found = of(votes)
    assert (found.attention.value, found.attention.n) == (0.75, 4)
    assert (found.left.value, found.left.n) == (1.0, 9)
    assert found.left_p == pytest.approx(2 * 0.5**9)
    assert found.seconds == 5.0
    both = assess([*votes, *(vote(str(k), "bob", "left" if k % 2 else "right") for k in range(8))])
    assert both[0].left_p == pytest.approx(4 * 0.5**9)


def test_machines_have_no_quality_and_are_no_consensus():
    votes = [vote("1", "ann", "left"), vote("1", "judge", "right", machine=True)]
    assert [quality.rater for quality in assess(votes)] == ["ann"]
    assert of(votes).consensus.undefined
    assert math.isnan(of(votes).chance)
    assert apply(votes)[0] == [(each, 1.0) for each in votes]


def test_each_part_of_the_rule_names_its_figure():
    careless = [vote(f"a{k}", "ann", "left", share="attention", expected="right") for k in range(6)]
    leaning = [vote(str(k), "bob", "left", *(("a", "b") if k % 2 else ("b", "a"))) for k in range(40)]
    votes = [*careless, *leaning]
    kept, decisions = apply(votes)
    assert [(d.rater, d.weight) for d in decisions] == [("ann", 0.0), ("bob", 0.0)]
    assert "attention items right 0.00 [0.00, 0.39] of 6" in decisions[0].figure
    assert "below 0.7" in decisions[0].rule
    assert "left chosen 1.00" in decisions[1].figure
    assert kept == []


def test_who_disagrees_item_by_item_is_found_where_two_others_agree():
    rng = np.random.default_rng(0)
    votes = []
    for k in range(60):
        better, pair = rng.choice(["left", "right"]), rng.permutation(["a", "b"])
        for who in ("ann", "bob", "cid"):
            side = better if who != "cid" else {"left": "right", "right": "left"}[better]
            votes.append(vote(str(k), who, side, *pair))
    kept, decisions = apply(votes)
    assert [d.rater for d in decisions] == ["cid"]
    assert "agreement with the others 0.00" in decisions[0].figure
    assert len(kept) == 120
    assert apply(votes, Rule(consensus=False))[1] == []
    assert apply([v for v in votes if v.rater != "bob"])[1] == []


def test_a_weight_between_keeps_the_votes():
    votes = [vote(f"a{k}", "ann", "left", share="attention", expected="right") for k in range(6)]
    kept, decisions = apply([*votes, vote("1", "bob", "left")], Rule(weight=0.25))
    assert [weight for _, weight in kept] == [0.25] * 6 + [1.0]
    assert decisions[0].weight == 0.25


def test_somebody_of_another_taste_stays():
    """Four like a better, one b, on every item as strongly: nobody agrees with others less than chance says."""
    rng = np.random.default_rng(0)
    votes = [
        vote(str(k), who, "left" if (rng.random() < (0.1 if who == "eve" else 0.85)) == straight else "right",
             *(("a", "b") if straight else ("b", "a")))
        for k in range(80)
        for who in ("ann", "bob", "cid", "dan", "eve")
        for straight in [bool(rng.random() < 0.5)]
    ]  # fmt: skip
    assert of(votes, "eve").consensus.high < 0.5
    assert apply(votes)[1] == []


MIXED = ("accurate", "accurate", "accurate", "noisy", "left", "random")


def test_bad_raters_are_found_and_good_ones_are_not():
    found = bench.rule(bench.World(150, MIXED, 3, 0.15), 60, seed=1)
    assert found.left_out["left"] > 0.6
    assert found.left_out["random"] > 0.3
    assert found.left_out["accurate"] < 0.03
    assert found.left_out["noisy"] < 0.1


@pytest.mark.parametrize("kinds", [MIXED, ACCURATE * 5], ids=["mixed", "accurate"])
def test_the_rule_does_not_lean_to_a_stack(kinds):
    """No difference on average, but strong tastes: leaving raters out shifts nothing and finds no false gains."""
    found = bench.rule(bench.World(100, kinds, 3, 0.3), 100, seed=2)
    assert abs(found.bias[1]) < 3 * found.error
    assert found.false[1] <= 0.025 + 1.5 * allowance(0.025, 100)


def test_the_default_rule_leaves_out():
    assert Rule() == RULE
    assert RULE.weight == 0
