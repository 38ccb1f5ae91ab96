"""Content rules: the strict file, and the checks compiled from it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trimtab.errors import GuidelinesError
from trimtab.guidelines import Compiled, Guidelines, compiled, load, parse, patterns

NO_PRAISE = {"id": "praise", "text": "No praise.", "forbid": {"phrases": ["amazing", "wow", "must-have*"]}}
EVERYTHING: list[dict[str, Any]] = [
    NO_PRAISE,
    {
        "id": "start",
        "text": "No chatter at the beginning.",
        "forbid": {"phrases": ["sure", "here is"], "where": "opening", "remove": "sentence"},
    },
    {"id": "shout", "text": "No shouting.", "forbid": {"pattern": "!{2,}", "remove": "sentence"}},
    {
        "id": "use",
        "text": "Say use.",
        "replace": {"phrases": {"utilis*": "use", "e-mail": "email", "ai": "AI"}},
    },
    {
        "id": "dose",
        "text": "No doses.",
        "reject": {"pattern": r"\b\d+ ?mg\b", "fallback": "Please ask a doctor."},
    },
    {"id": "short", "text": "At most 30 words.", "limit": {"words": 30}},
    {
        "id": "contact",
        "text": "Name the contact.",
        "require": {"pattern": "contact us", "add": "Contact us."},
    },
    {"id": "machine", "text": "Say who wrote it.", "disclose": {"sentence": "Written by a machine."}},
]


def rules(*given_: dict[str, Any], **more: Any) -> Compiled:
    return compiled(parse({"rules": list(given_), **more}))


def one(**check: Any) -> Compiled:
    return rules({"id": "rule", "text": "A rule.", **check})


def refused(content: dict[str, Any]) -> str:
    with pytest.raises(GuidelinesError) as raised:
        compiled(parse(content, name="guidelines.yaml"), name="guidelines.yaml")
    assert raised.value.exit_code == 2
    return raised.value.message


def test_all_problems_are_named_at_once() -> None:
    message = refused(
        {
            "dat": "2026-01-01",
            "review_by": "soon",
            "rules": [
                {"id": "Bad Id", "text": "x", "limit": {"word": 3}},
                {"id": "b", "text": "x"},
                {"id": "c", "text": "x", "forbid": {"phrases": ["a"]}, "limit": {"words": 1}},
                {"id": "d", "text": "x", "forbid": {}},
                {"id": "e", "text": "x", "forbid": {"pattern": "(a+)+"}},
            ],
        }
    )
    for line in (
        "- dat: unknown key; did you mean date?",
        "- review_by: ",
        "- rules.0.id: ",
        "- rules.0.limit.word: unknown key; did you mean words?",
        "- rules.1: exactly one of forbid, replace, require, limit, reject, disclose; there is none",
        "- rules.2: exactly one of forbid, replace, require, limit, reject, disclose; there are forbid, limit",
        "- rules.3.forbid: give phrases, a pattern, or both",
        "- rules.4.forbid.pattern: a repeat without end inside another",
    ):
        assert sum(found.startswith(line) for found in message.splitlines()) == 1, line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"rules": [NO_PRAISE, NO_PRAISE]}, "rules with the same id: praise"),
        ({"date": "2026-02-01", "review_by": "2026-01-01"}, "lies before date"),
        (
            {"rules": [NO_PRAISE, {"id": "b", "text": "x", "disclose": {"sentence": "Wow, a machine."}}]},
            "b: inserts 'Wow, a machine.', but praise says 'Wow'",
        ),
        ({"rules": [NO_PRAISE], "fallback": "Amazing."}, "fallback: inserts 'Amazing.'"),
        (
            {"rules": [{"id": "b", "text": "x", "replace": {"phrases": {"a": "b", "b": "a"}}}]},
            "b: inserts 'b', but b says 'b', not 'a'",
        ),
        (
            {"rules": [{"id": "b", "text": "x", "replace": {"phrases": {"A  b": "c", "a B": "d"}}}]},
            "given twice",
        ),
        (
            {"rules": [{"id": "b", "text": "x", "require": {"phrases": ["tea"], "add": "Milk."}}]},
            "b: adds 'Milk.', in which it does not find",
        ),
        ({"rules": [NO_PRAISE | {"good": ["Wow."]}]}, "praise: good.0 breaks it: says 'Wow'"),
        ({"rules": [NO_PRAISE | {"bad": ["Tea."]}]}, "praise: bad.0 keeps it: 'Tea.'"),
        ({"rules": [{"id": "b", "text": "x", "forbid": {"pattern": "a*"}}]}, "matches the empty text"),
        ({"rules": [{"id": "b", "text": "x", "forbid": {"pattern": "(a"}}]}, "not a regular expression"),
        ({"rules": [{"id": "b", "text": "x", "forbid": {"pattern": "a" * 400}}]}, "at most 300 characters"),
    ],
)
def test_what_cannot_work_is_refused(content: dict[str, Any], said: str) -> None:
    assert said in refused(content)


def test_a_file_is_read_with_its_dates(tmp_path: Path) -> None:
    path = tmp_path / "guidelines.yaml"
    path.write_text("version: 2\ndate: 2026-11-25\naudience: All.\n" + yaml.safe_dump({"rules": EVERYTHING}))
    found = load(path).guidelines
    assert (found.version, str(found.date), found.audience, len(found.rules)) == (
        "2",
        "2026-11-25",
        "All.",
        8,
    )
    assert Guidelines.model_validate(found.model_dump(mode="json")) == found
    assert [rule.id for rule in found.only(("short", "praise")).rules] == ["praise", "short"]
    with pytest.raises(GuidelinesError, match="no such file"):
        load(tmp_path / "none.yaml")
    path.write_text("rules: {")
    with pytest.raises(GuidelinesError, match="not valid YAML"):
        load(path)


@pytest.mark.parametrize(
    ("check", "text", "edited"),
    [
        ({"forbid": {"phrases": ["wow"]}}, "It boils. WOW! It sings.", "It boils. It sings."),
        ({"forbid": {"phrases": ["wow"], "remove": "sentence"}}, "It boils. So wow. Yes.", "It boils. Yes."),
        ({"forbid": {"phrases": ["a b"]}}, "x a a b b y", "x y"),
        ({"forbid": {"phrases": ["sure"], "where": "opening"}}, "Sure! I am sure.", "I am sure."),
        ({"forbid": {"pattern": r"\[\d\]"}}, "It boils [1] water [2].", "It boils water."),
        (
            {"replace": {"phrases": {"utilise": "use"}}},
            "Utilise it. UTILISE it, utilise.",
            "Use it. USE it, use.",
        ),
        ({"replace": {"phrases": {"kettle": "iPot"}}}, "The kettle.", "The iPot."),
        ({"replace": {"phrases": {"act now": ""}}}, "Act-now, buy it.", "Buy it."),
        ({"require": {"phrases": ["tea"], "add": "It makes tea."}}, "A pot.", "A pot. It makes tea."),
        ({"require": {"phrases": ["tea"], "add": "Tea:", "place": "start"}}, "A pot.", "Tea: A pot."),
        ({"require": {"phrases": ["tea"]}}, "A pot. ", "A pot. "),
        ({"limit": {"sentences": 1}}, "One. Two. Three.", "One."),
        ({"reject": {"phrases": ["pills"], "fallback": "Ask."}}, "Take pills.", "Ask."),
        ({"disclose": {"sentence": "By a machine."}}, "A\nb", "A\nb\n\nBy a machine."),
        ({"disclose": {"sentence": "By a machine."}}, "", "By a machine."),
    ],
)
def test_every_kind_of_check_finds_and_mends(check: dict[str, Any], text: str, edited: str) -> None:
    found = one(**check)
    result, fired = found.apply(text)
    assert result == edited
    assert fired == (("rule",) if edited != text else ())
    assert {finding.rule for finding in found.check(text)} == {"rule"}
    assert found.apply(edited) == (edited, ())
    if edited != text:
        assert found.check(edited) == []


def test_findings_say_where_and_what() -> None:
    found = rules(*EVERYTHING)
    text = "Wow, an e-mail.\n\nContact us.\n\nWritten by a machine."
    findings = found.check(text)
    assert [(f.rule, text[f.start : f.end]) for f in findings] == [("praise", "Wow"), ("use", "e-mail")]
    assert findings[1].what == "says 'e-mail', not 'email'"
    missing = found.check("Tea.")
    assert [(f.rule, f.start, f.end) for f in missing] == [("contact", 4, 4), ("machine", 4, 4)]
    assert "misses 'Contact us.'" in missing[0].what


def test_what_was_added_counts_neither_as_said_nor_towards_the_length() -> None:
    found = rules(
        {"id": "short", "text": "x", "limit": {"words": 2}},
        {"id": "start", "text": "x", "disclose": {"sentence": "By a machine:", "place": "start"}},
        {"id": "end", "text": "x", "disclose": {"sentence": "Ask us for more."}},
    )
    text, fired = found.apply("One two three.")
    assert text == "By a machine: One two… Ask us for more."
    assert fired == ("short", "start", "end")
    assert found.check(text) == []
    assert found.apply(text) == (text, ())


def test_rules_that_fire_are_named_in_their_order() -> None:
    text, fired = rules(*EVERYTHING).apply("Sure, well. Here is an amazing ai. Wow: stop!! Utilise it.")
    assert text == "Use it. Contact us. Written by a machine."
    assert fired == ("praise", "start", "shout", "use", "contact", "machine")


def test_an_answer_of_which_nothing_is_left_is_answered_with_the_fallback() -> None:
    assert rules(NO_PRAISE, fallback="No answer.").apply("Wow!") == ("No answer.", ("praise",))
    assert rules(NO_PRAISE).apply("Wow!") == ("", ("praise",))
    assert rules(NO_PRAISE, fallback="No answer.").apply("") == ("", ())


def test_a_text_on_which_rules_do_not_settle_is_answered_with_the_fallback() -> None:
    found = rules(
        {"id": "grow", "text": "x", "replace": {"phrases": {"b a": "a a b b"}}}, fallback="No answer."
    )
    text, fired = found.apply("b b b b a a a a")
    assert (text, fired) == ("No answer.", ("grow",))
    assert found.apply(text) == (text, ())


PIECES = [
    "wow", "Amazing", "sure", "Here is", "utilise", "e-mail", "Ai", "12 mg", "must-haves", "!!", ". ", " ", "\n",
    "\n\n", "- ", "1. ", "tea", "kettle,", "Contact us.", "Written by a machine.", "Please ask a doctor.", "a", "an",
    "’", "é", "水。", "🧀", "\u200b", "\u0301", "ﬁ", "(", ")",
]  # fmt: skip
TEXTS = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)
TEXTS |= st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@given(TEXTS, st.sets(st.sampled_from(range(len(EVERYTHING)))))
def test_applying_twice_changes_nothing_more(text: str, chosen: set[int]) -> None:
    found = rules(*(EVERYTHING[number] for number in sorted(chosen)))
    edited, fired = found.apply(text)
    assert found.apply(edited) == (edited, ())
    assert bool(fired) == (edited != text) or edited == text
    if not fired:
        assert edited == text
    if not found.check(text):
        assert edited == text


@given(TEXTS)
def test_nothing_is_left_to_find_where_there_was_an_edit(text: str) -> None:
    found = rules(*EVERYTHING)
    assert found.check(found.apply(text)[0]) == []


def test_dirty_strings_and_real_text_neither_crash_nor_unsettle(public_data: Path) -> None:
    found = rules(*EVERYTHING)
    for text in json.loads((public_data / "dirty_strings" / "blns.json").read_text(encoding="utf-8")):
        for whole in (text, f"Sure! {text} is amazing", text * 20):
            edited, _ = found.apply(whole)
            assert found.apply(edited) == (edited, ())
            assert found.check(edited) == []


@pytest.mark.parametrize(
    "piece", ["wow ", "a b ", "utilise e-mail ", "x", "!! ", "ﬁ’ ", "\n", "sure. ", "Written by a machine. "]
)
def test_time_is_bounded_for_very_long_texts(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    found = rules(*EVERYTHING)
    started = time.process_time()
    edited, _ = found.apply(text)
    assert found.apply(edited) == (edited, ())
    assert time.process_time() - started < 6


@pytest.mark.parametrize("pattern", ["(a+)+", "(?:a*)*b", "((ab)*c)*", "(a|b+)+", "(a{2,})*", r"(\w+\s?)*x"])
def test_repeats_inside_repeats_are_refused(pattern: str) -> None:
    assert patterns.nested(pattern)
    assert "inside another" in patterns.problem(pattern)


@pytest.mark.parametrize(
    "pattern", ["a+b+", r"(?:\d{1,3},?){1,9}", r"\(a+\)+", "[(a+)+]+", "(a+)?b", r"[^\]*]+x"]
)
def test_other_repeats_are_let_through(pattern: str) -> None:
    assert not patterns.nested(pattern)
    assert patterns.problem(pattern) == ""


def test_a_pattern_that_takes_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    found = one(forbid={"pattern": "(a|a){1,60}(b|b){1,60}c"})
    started = time.monotonic()
    with pytest.raises(
        GuidelinesError, match=r"rule rule: the pattern .* took longer than 0\.05 s"
    ) as raised:
        found.apply("a" * 60 + "b" * 60)
    assert time.monotonic() - started < 5
    assert "list phrases" in raised.value.hint
