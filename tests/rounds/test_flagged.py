"""What people flagged: phrases that recur, the rule that is proposed, and answers that come again."""

from __future__ import annotations

import datetime

import yaml

from tests.rounds.made import flag
from trimtab.guidelines import compiled, parse
from trimtab.language import phrases
from trimtab.rounds.flagged import came_again, propose, recurring, regressions

TODAY = datetime.date(2026, 11, 30)
FLAGGED = [
    "You will never regret it. The lamp has two lights.",
    "A lamp, and you will never regret it!",
    "Buy it: YOU WILL NEVER  regret it, says the maker of the lamp.",
    "The lamp weighs 2 kg, guaranteed for life.",
]
GOOD = ["The lamp has two lights.", "It is said that you will see. The maker guarantees it for two years."]


def test_the_longest_phrase_of_most_texts_is_found_and_good_words_are_not() -> None:
    assert recurring(FLAGGED, GOOD) == {"you will never regret it": 3}
    assert recurring(FLAGGED[:2], GOOD) == {}
    assert recurring(FLAGGED, [*GOOD, "You will never regret it."]) == {}


def test_a_phrase_is_one_that_guidelines_find_again() -> None:
    texts = [f"Well-made, {n}." for n in "abc"] + [f"Truly {n} un\nbeatable  value" for n in "def"]
    found = recurring(texts, [])
    assert found == {"well-made": 3, "un beatable value": 3}
    for phrase in found:
        pattern = phrases.pattern([phrase])
        assert pattern is not None
        assert sum(bool(phrases.find(pattern, text)) for text in texts) == 3


def test_a_rule_is_proposed_that_holds_and_private_flags_stay_out() -> None:
    flags = [flag(f"i{n}", text) for n, text in enumerate(FLAGGED)]
    flags += [flag(f"p{n}", f"{text} Anna Example lives here.", "private") for n, text in enumerate(FLAGGED)]
    proposal = propose(flags, GOOD, None, TODAY)
    assert sum(proposal.phrases.values()) == 3
    assert "Anna" not in proposal.text
    rules = parse(yaml.safe_load(proposal.text))
    (check,) = compiled(rules).content
    assert all(check.find(text) for text in FLAGGED[:3])
    assert not any(check.find(text) for text in GOOD)
    assert any("no good example" in remark for remark in proposal.remarks)


def test_several_flags_of_one_item_are_one_witness() -> None:
    flags = [flag("i0", text) for text in FLAGGED[:3]]
    assert propose(flags, GOOD, None, TODAY).text == ""


def test_a_proposal_is_held_against_the_rules_that_there_are() -> None:
    known = parse(
        {
            "rules": [
                {
                    "id": "promise",
                    "text": "Say so.",
                    "require": {"phrases": ["you will never regret it"], "add": "You will never regret it."},
                }
            ]
        }
    )
    flags = [flag(f"i{n}", text) for n, text in enumerate(FLAGGED)]
    remarks = propose(flags, GOOD, known, TODAY).remarks
    assert any(remark.startswith("error: promise") for remark in remarks), remarks


def test_flagged_answers_are_rows_and_are_known_again() -> None:
    (row,) = regressions([flag("a", "So  it is.")], {"a": [{"role": "user", "content": "Is it?"}]})
    assert row["messages"] == [{"role": "user", "content": "Is it?"}]
    assert came_again(row["rejected"], "Well, so it is. And more.")
    assert not came_again(row["rejected"], "So it was.")
    assert not came_again("  ", "anything")
