"""The verdict in plain sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.document import made
from trimtab.document.record import Record, read
from trimtab.document.words import guard_sentence, guard_word, headline, meaning, needs, next_step, opened
from trimtab.records import Verdict


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return read(made.folder(tmp_path))


def other(record: Record, verdict: Verdict | str) -> Record:
    return replace(record, verdict=made.verdict(verdict) if isinstance(verdict, str) else verdict)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (
            "ship",
            "chrF rose from 31.2 to 62.4, shown to be more than the smallest gain worth having (2), "
            "and all 3 guards held",
        ),
        ("breached", "chrF rose from 31.2 to 62.4, but general-english got worse by more than was allowed"),
        (
            "small",
            "chrF gained +0.71 (−0.18 to +1.61), shown not to be above the smallest gain worth having (2)",
        ),
        (
            "inconclusive",
            "chrF gained +3.1 (+0.6 to +5.6), which leaves open whether it is above the smallest gain "
            "worth having (2); about 212 more items would decide",
        ),
        (
            "open guard",
            "chrF rose from 31.2 to 62.4, but general-english could not be shown to be unharmed; "
            "about 183 more items to general-english would decide",
        ),
        ("explored", "no look at confirm was taken; on select, chrF rose from 30.9 to 63.7"),
        ("no look", "on select, chrF rose from 30.9 to 31.8, which is not enough to take a look at confirm"),
        (
            "review",
            "chrF rose from 31.2 to 62.4, and all 3 guards held; human review is required and has not taken place",
        ),
        ("undefined", "the change of chrF is undefined (1 items; an interval needs at least 2)"),
    ],
)
def test_one_sentence_says_what_came_out(record: Record, kind: str, sentence: str) -> None:
    assert headline(other(record, kind)) == sentence


@pytest.mark.parametrize(
    ("kind", "start"),
    [
        ("ship", f"Put the adjustment in trials/{made.STACK} to use"),
        ("breached", "Keep the base model. Try a lower learning rate"),
        ("small", "Keep the base model. More items would not change this answer"),
        (
            "inconclusive",
            "Add about 212 more items to confirm, which receives 30% of new examples, then tune again.",
        ),
        ("open guard", "Add about 183 more items to general-english, then tune again."),
        ("explored", "When the figures are what you want, give the same command without --explore"),
        ("no look", "Keep the base model. Look at the worst outputs"),
        ("review", "Let people judge, which the recipe asks for: trimtab review"),
        ("undefined", "Mend what left a difference undefined"),
    ],
)
def test_the_next_step_fits_the_verdict(record: Record, kind: str, start: str) -> None:
    assert next_step(other(record, kind)).startswith(start)


def test_need_n_counts_items_in_all_and_is_shown_as_items_more(record: Record) -> None:
    assert needs(other(record, "inconclusive")) == [f"about {286 - 74} more items"]
    assert needs(other(record, "ship")) == []


def test_an_inconclusive_run_that_more_items_would_not_decide(record: Record) -> None:
    verdict = made.verdict("inconclusive")
    assert verdict.target is not None
    found = other(record, replace(verdict, need_n=None, target=replace(verdict.target, need_n=None)))
    assert needs(found) == []
    assert "would decide" not in headline(found)
    assert next_step(found).startswith("More items alone are not expected to decide.")


def test_a_worse_target(record: Record) -> None:
    verdict = made.verdict("small")
    assert verdict.target is not None
    target = replace(verdict.target, outcome="worse", baseline=40.0, candidate=31.0)
    assert headline(other(record, replace(verdict, target=target))) == (
        "chrF fell from 40.00 to 31.00: the tuned model is worse than the base model"
    )


def test_without_a_target_the_first_reason_speaks(record: Record) -> None:
    verdict = replace(
        made.verdict("small"), target=None, guards=(), reasons=("no candidate was better on select.",)
    )
    assert headline(other(record, verdict)) == "no candidate was better on select"


def test_the_chance_of_a_false_ship_is_that_of_the_level(record: Record) -> None:
    assert "at most 1.75% of the time" in meaning(record)


def test_exploring_is_never_called_proven(record: Record) -> None:
    assert "No look at confirm was taken, so nothing is proven yet" in meaning(other(record, "explored"))


def test_where_lower_is_better_scores_have_their_own_sign(record: Record) -> None:
    verdict = made.verdict("ship")
    assert verdict.target is not None
    turned = replace(verdict.target, baseline=-62.422672, candidate=-31.184205)
    lower = replace(
        record, verdict=replace(verdict, target=turned), provenance={"goal": {"direction": "lower"}}
    )
    assert headline(lower).startswith("chrF fell from 62.4 to 31.2,")


def test_guards_in_words() -> None:
    held, breached, unsure = (made.guard(kind) for kind in ("held", "breached", "inconclusive"))
    assert [guard_word(g) for g in (held, breached, unsure)] == ["held", "breached", "inconclusive"]
    assert guard_sentence(held) == "At worst a loss of 0.0217; up to 0.05 was allowed."
    assert guard_sentence(breached) == "At best a loss of 0.115; only 0.05 was allowed."
    assert guard_sentence(unsure) == (
        "The interval (−0.068 to −0.018) reaches beyond the allowed loss of 0.05; "
        "about 183 more items would decide."
    )
    assert "would decide" not in guard_sentence(unsure, looked=False)
    untouched = made.guard("held", by_construction=True)
    assert guard_word(untouched) == "held by construction"
    assert "cannot touch it" in guard_sentence(untouched)


def test_an_undefined_guard_says_why() -> None:
    guard = made.guard("inconclusive")
    nothing = replace(guard.comparison.difference, undefined="no variation")
    found = replace(guard, comparison=replace(guard.comparison, difference=nothing))
    assert guard_word(found) == "undefined"
    assert "undefined (no variation)" in guard_sentence(found)


def test_sentences_open_with_a_capital_but_names_keep_theirs() -> None:
    assert opened("the change") == "The change"
    assert opened("chrF rose") == "chrF rose"


def test_without_a_look_the_climb_says_what_to_try_next(record: Record) -> None:
    verdict = made.verdict("no look")
    said = (
        *verdict.reasons,
        "bounded by budget: not tried: layers",
        "next: raise budget.minutes by about 12",
    )
    found = other(record, replace(verdict, reasons=said))
    assert next_step(found) == "Keep the base model. Raise budget.minutes by about 12."
