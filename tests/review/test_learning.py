"""What can be learned from judgements: nothing of checks, training and repeats; all with its source."""

from __future__ import annotations

from typing import Any

import pytest

from tests.review.stored import BASE, TUNED
from trimtab.records import Message, Share, Side, Vote
from trimtab.review import learning
from trimtab.review.reading import Said


def said(item: str = "a", choice: Side = "left", *, tuned_left: bool = True, **rest: Any) -> Said:
    left, right = (TUNED, BASE) if tuned_left else (BASE, TUNED)
    share: Share = rest.pop("share", "estimate")
    vote = Vote(item, rest.pop("rater", "1"), left, right, choice, 3.0, share, rest.pop("again", False))
    texts = rest.pop("texts", {BASE: "plain", TUNED: "better"})
    given: dict[str, Any] = {"reason": "", "correction": "", "flags": {}, "ratings": {}} | rest
    return Said(vote, 1, (Message("user", f"ask {item}"),), texts, version="1", forgotten=False, **given)


def test_corrections_stand_beside_the_answer_that_they_mend() -> None:
    rows = learning.corrections(
        [said(correction="best"), said("b"), said("c", share="chosen", correction="finest")], TUNED
    )
    assert [(row["example"], row["completion"], row["answer"]) for row in rows] == [
        ("a", "best", "better"),
        ("c", "finest", "better"),
    ]
    assert rows[0]["messages"] == [{"role": "user", "content": "ask a"}]


@pytest.mark.parametrize("share", ["attention", "training"])
def test_checks_and_training_teach_nothing(share: Share) -> None:
    one = said(share=share, correction="best", flags={TUNED: ("harmful",)}, ratings={"short": {TUNED: True}})
    assert learning.corrections([one], TUNED) == []
    assert learning.preferences([one]) == []
    assert learning.flags([one]) == []
    assert learning.ratings([one]) == {}


def test_a_preference_is_what_most_people_say_whatever_the_side() -> None:
    votes = [said(), said(choice="right", tuned_left=False), said(choice="right"), said(choice="tie")]
    (row,) = learning.preferences(votes)
    assert (row["chosen"], row["rejected"], row["votes"]) == ("better", "plain", [2, 1])
    assert row["stacks"] == [TUNED, BASE]


def test_no_preference_where_people_are_split_or_prefer_neither_or_only_repeat() -> None:
    assert learning.preferences([said(), said(choice="right")]) == []
    assert learning.preferences([said(choice="bad")]) == []
    assert learning.preferences([said(again=True)]) == []
    assert learning.preferences([said(texts={BASE: "same", TUNED: "same"})]) == []


def test_flags_name_the_answer_that_was_meant() -> None:
    one = said(flags={BASE: ("wrong fact", "private")}, reason="no such year")
    assert [(row["text"], row["flag"], row["reason"]) for row in learning.flags([one])] == [
        ("plain", "wrong fact", "no such year"),
        ("plain", "private", "no such year"),
    ]


def test_ratings_are_counted_by_rule_and_stack() -> None:
    votes = [
        said(ratings={"short": {TUNED: True, BASE: False}}),
        said("b", ratings={"short": {TUNED: False}}),
    ]
    assert learning.ratings(votes) == {"short": {TUNED: [1, 2], BASE: [0, 1]}}
