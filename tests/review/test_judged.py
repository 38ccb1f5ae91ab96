"""A judge held against people: agreement by hand, and a win rate that never stands without it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from trimtab import stats
from trimtab.errors import StatisticsError
from trimtab.records import NAN, Estimate, Side, Vote, plain
from trimtab.review.judged import NOT_YET, Judged, judged, majority

PAIR = ("base", "new")
CONSISTENT = stats.wilson(9, 10)
SIDES: dict[str, Side] = {"n": "right", "b": "left", "t": "tie", "x": "bad"}
TIMES = 40


def said(rater: str, choices: str, **more: object) -> list[Vote]:
    """One letter an item: n the new one, b the base, t a tie, x both bad, a space for none; sides in turn."""
    votes = []
    for number, letter in enumerate(choices):
        if letter == " ":
            continue
        side = SIDES[letter]
        left, right = PAIR
        if number % 2 and side in ("left", "right"):
            left, right = right, left
            side = "left" if side == "right" else "right"
        votes.append(Vote(str(number), rater, left, right, side, **more))  # type: ignore[arg-type]
    return votes


def machine(choices: str) -> list[Vote]:
    return said("m", choices, machine=True)


def held(people: list[Vote], told: list[Vote], **more: object) -> Judged:
    return judged(people, told, stacks=PAIR, consistent=CONSISTENT, **more)  # type: ignore[arg-type]


def test_agreement_counted_by_hand() -> None:
    people = said("1", "nnbtn ") + said("2", "nbbxb ") + said("3", "n btt ")
    # Most people named:    n, neither, b, neither, neither; the judge names n, b, b, neither, n; item 5 nobody saw.
    found = held(people, machine("nbbtnn"))
    assert (found.agreement.value, found.agreement.n) == (pytest.approx(3 / 5), 5)
    own = stats.agreement([[1, 0, 0, 0.5, 1], [1, 0.5, 0, 0.5, 0.5]])
    assert (found.alpha.value, found.alpha.low) == (own.value, own.low)
    # One with the others: all, none, all, all (bad is neither), and of n, b, t the tie, which the other two leave.
    assert found.people.value == pytest.approx((1 + 0 + 1 + 1 + 1 / 3) / 5)
    table = [[1, 1, 0, 0.5, 1], [1, 0, 0, 0.5, 0], [1, NAN, 0, 0.5, 0.5]]
    assert found.people_alpha == stats.agreement(table)
    assert (found.judge, found.consistent) == ("m", CONSISTENT)


def test_the_majority_of_an_item() -> None:
    assert [majority(v) for v in ((1, 1, 0), (0,), (1, 0), (1, 0.5), (1, 1, 0, 0, 0.5))] == [
        1,
        0,
        0.5,
        0.5,
        0.5,
    ]


def test_only_the_first_votes_of_the_estimate_on_this_pair_count() -> None:
    people = said("1", "nnbb")
    noise = [
        *said("2", "bbnn", share="chosen"),
        *said("2", "bbnn", share="attention", expected="left"),
        *said("1", "bbnn", again=True),
        *[dataclasses.replace(vote, left="third") for vote in said("3", "bbnn") if vote.left == "base"],
        *machine("bbnn"),
    ]
    assert held(people + noise, machine("nnbb")) == held(people, machine("nnbb"))


def test_no_win_rate_without_people() -> None:
    found = held([], machine("nnbt"))
    for estimate in (found.agreement, found.alone, found.corrected):
        assert estimate.undefined == NOT_YET
        assert math.isnan(estimate.value)
    assert str(found) == f"m: {NOT_YET}"
    elsewhere = held(said("1", "    n"), machine("nnbt"))
    assert elsewhere.corrected.undefined == NOT_YET
    told = Estimate(0.7, 0.6, 0.8, 0.95, 40, "made up")
    for name in ("alone", "corrected"):
        with pytest.raises(StatisticsError, match="agreement with people is undefined"):
            dataclasses.replace(found, **{name: told})


def test_a_score_says_its_agreement_first() -> None:
    found = held(said("1", "nnbt" * 5), machine("nnbb" * 10))
    text = str(found)
    assert text.index("agrees with people") < text.index("corrected") < text.index("no measurement")
    assert plain(found)["agreement"]["value"] == 0.75
    assert "not what people prefer" in found.alone.method


def test_the_corrected_win_rate_is_that_of_predicted_mean() -> None:
    people = said("1", "nnbtn" * 6) + said("2", "nbbtn" * 6)
    told = machine("nnbbn" * 20)
    found = held(people, told)
    labels = [1, 0.5, 0, 0.5, 1] * 6
    values = [1, 1, 0, 0, 1] * 20
    expected = stats.predicted_mean(labels, values[:30], values[30:])
    assert (found.corrected.value, found.corrected.low, found.corrected.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert "weighted" in found.corrected.method
    assert found.alone.value == pytest.approx(0.6)


def test_items_without_a_verdict_count_as_ties_of_the_judge_on_both_sides() -> None:
    """Left out, they would bend the correction: here the judge has no verdict on most that people find worse."""
    rng = np.random.default_rng(4)
    values = []
    for _ in range(TIMES):
        truth = rng.uniform(size=120) < 0.6
        silent = ~truth & (rng.uniform(size=120) < 0.6)
        told = machine(
            "".join(" " if off else "n" if win else "b" for win, off in zip(truth, silent, strict=True))
        )
        people = said("1", "".join("n" if win else "b" for win in truth[:40]))
        quiet = [str(place) for place in np.flatnonzero(silent)]
        found = held(people, told, silent=quiet)
        assert found.silent == len(quiet)
        values.append((found.corrected.value, found.alone.value))
    corrected, alone = np.mean(values, axis=0)
    assert abs(corrected - 0.6) < 0.035
    assert alone > 0.7


def test_votes_that_are_not_of_one_judge_are_refused() -> None:
    people = said("1", "nnbt")
    for told in ([], people, machine("nn") + said("other", "bb", machine=True), machine("nn") + people):
        with pytest.raises(StatisticsError, match=r"votes of [012] raters, of whom"):
            held(people, told)
    with pytest.raises(StatisticsError, match="no votes on the stacks"):
        judged(people, machine("nn"), stacks=("base", "third"), consistent=CONSISTENT)
