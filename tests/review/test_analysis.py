"""What an analysis counts, and what it leaves apart."""

import dataclasses

import numpy as np
import pytest

from trimtab import stats
from trimtab.records import Vote
from trimtab.review.analysis import analyse
from trimtab.review.quality import Rule

BASE, CANDIDATE, THIRD = "base", "new", "old"
PAIR = BASE, CANDIDATE


def votes(items=60, raters=3, per_item=2, seed=0, share=(0.25, 0.6, 0.1, 0.05), pair=PAIR):
    """Votes of a review in which every item is judged by some raters, sides drawn at random."""
    rng = np.random.default_rng(seed)
    found = []
    for item in range(items):
        for rater in rng.choice(raters, per_item, replace=False):
            left, right = pair if rng.random() < 0.5 else pair[::-1]
            said = rng.choice([*pair, "tie", "bad"], p=share)
            side = said if said in ("tie", "bad") else "left" if said == left else "right"
            found.append(Vote(f"i{item}", f"r{rater}", left, right, str(side), seconds=9.0))
    return found


ORDER = [f"i{item}" for item in range(60)]


def test_the_win_rate_is_that_of_the_votes_in_the_order_of_the_review():
    cast = votes()
    found = analyse(cast[::-1], PAIR, ORDER, min_gain=0.02, level=0.9)
    expected = stats.win_rate(
        [v.preference(CANDIDATE) for v in cast], [v.item for v in cast], [v.rater for v in cast],
        level=0.9, threshold=0.02, sequential=60,
    )  # fmt: skip
    assert found.win_rate == expected == found.unruled
    assert found.win_rate.candidate > 0.5
    turned = analyse(cast, PAIR[::-1], ORDER, level=0.9)
    assert turned.win_rate.difference.value == pytest.approx(-expected.difference.value)
    other = analyse(cast, PAIR, ORDER[::-1], min_gain=0.02, level=0.9).win_rate
    assert other.difference.value == pytest.approx(expected.difference.value)
    assert other.difference.high != expected.difference.high


def test_only_first_judgements_of_people_on_items_drawn_for_the_estimate_count():
    cast = votes()
    others = [
        Vote("i0", "r0", *PAIR, "left", again=True),
        Vote("i0", "judge", *PAIR, "left", machine=True),
        Vote("x", "r0", *PAIR, "left", share="attention", expected="left"),
        Vote("y", "r0", *PAIR, "left", share="training", expected="left"),
        *(Vote(f"z{k}", "r0", *PAIR, "left", share="chosen") for k in range(5)),
        Vote("i0", "r0", BASE, THIRD, "left"),
    ]
    plain, more = analyse(cast, PAIR, ORDER), analyse(cast + others, PAIR, ORDER)
    for name in ("win_rate", "unruled", "counts", "agreement", "position", "raters", "more"):
        assert getattr(more, name) == getattr(plain, name), name
    assert plain.chosen.difference.undefined
    assert (more.chosen.candidate, more.chosen.difference.n) == (0.0, 5)


def test_counts_agreement_and_position():
    cast = votes(raters=4)
    found = analyse(cast, PAIR, ORDER)
    assert sum(found.counts.values()) == len(cast) == 120
    assert found.counts["bad"] == sum(v.choice == "bad" for v in cast)
    assert found.raters == 4
    table = np.full((4, 60), np.nan)
    for v in cast:
        table[int(v.rater[1:]), int(v.item[1:])] = v.preference(CANDIDATE)
    assert found.agreement.value == pytest.approx(stats.agreement(table).value)
    chose = [v for v in cast if v.choice in ("left", "right")]
    by_item = {}
    for v in chose:
        by_item.setdefault(v.item, []).append(v.choice == "left")
    assert found.position.value == pytest.approx(np.mean([np.mean(sides) for sides in by_item.values()]))
    assert found.position.low < 0.5 < found.position.high


def test_a_guard_is_held_against_its_margin():
    found = analyse(votes(share=(0.3, 0.3, 0.2, 0.2)), PAIR, ORDER, margin=0.25)
    assert (found.win_rate.outcome, found.win_rate.threshold) == ("held", -0.25)


def test_judgements_still_needed():
    found = analyse(votes(share=(0.4, 0.5, 0.05, 0.05), seed=4), PAIR, ORDER)
    assert found.win_rate.outcome == "inconclusive"
    assert found.more == pytest.approx(2 * found.win_rate.need_n - 120, abs=1)
    assert analyse(votes(share=(0.05, 0.9, 0.03, 0.02)), PAIR, ORDER).more is None


def test_a_rater_who_only_clicks_left_counts_in_one_of_the_two_win_rates():
    cast = [dataclasses.replace(v, choice="left") if v.rater == "r3" else v for v in votes(120, 4)]
    order = [f"i{item}" for item in range(120)]
    found = analyse(cast, PAIR, order)
    assert [d.rater for d in found.decisions] == ["r3"]
    rest = [v for v in cast if v.rater != "r3"]
    assert found.win_rate == analyse(rest, PAIR, order).win_rate
    assert found.unruled != found.win_rate
    assert sum(found.counts.values()) == len(cast)
    strict = analyse(cast, PAIR, order, rule=Rule(position=0.0))
    assert (strict.decisions, strict.win_rate) == ((), found.unruled)


def test_three_stacks_are_rated_and_two_are_not():
    assert analyse(votes(), PAIR, ORDER).scores == {}
    cast = votes() + votes(pair=(BASE, THIRD), seed=1) + votes(pair=(THIRD, CANDIDATE), seed=2)
    found = analyse(cast, PAIR, ORDER)
    assert set(found.scores) == {CANDIDATE, THIRD}
    assert found.scores[CANDIDATE].low > 0
    assert found.win_rate == analyse(votes(), PAIR, ORDER).win_rate


def test_no_votes_are_undefined_and_say_so():
    found = analyse([], PAIR, ORDER)
    assert found.win_rate.outcome == "undefined"
    assert "0 items" in found.win_rate.difference.undefined
    assert found.agreement.undefined
    assert found.position.undefined
    assert (found.raters, found.quality, found.more) == (0, (), None)
