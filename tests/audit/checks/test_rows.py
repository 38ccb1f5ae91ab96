"""Shape, roles, empty answers, refusals, filler, abuse, guidelines, dates: checks that name a row."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.planted import read
from trimtab.audit.checks import Guideline, Stale, assistant, conduct, dates, replies, settle, shape
from trimtab.audit.findings import Hit, Row, Text
from trimtab.data.rows import Reader
from trimtab.data.shape import of_rows


def answer(text: str, prompt: str = "What is new today?", **more: Any) -> Row:
    return read(0, {"prompt": prompt, "completion": text, **more})


def conversation(*turns: tuple[str, str]) -> Row:
    raw = {"messages": [{"role": role, "content": content} for role, content in turns]}
    reader = Reader(of_rows("x", [(1, raw)], {}))
    example = reader.example("x:1", raw)
    texts = tuple(
        Text(f"messages[{n}].content", content, "answer" if role == "assistant" else "prompt")
        for n, (role, content) in enumerate(turns)
    )
    return Row(0, "x:1", raw, texts, example, "; ".join(reader.problems))


def kinds(hits: Iterable[Hit]) -> list[str]:
    return [hit.kind for hit in hits]


def all_of(row: Row) -> list[str]:
    return kinds(h for check in (shape.broken, shape.roles, replies.empty, replies.short) for h in check(row))


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        ((("user", "a"), ("assistant", "It is so")), []),
        ((("system", "s"), ("user", "a"), ("assistant", "It is so")), []),
        ((("user", "a"), ("assistant", "It is so"), ("user", "b"), ("assistant", "It was so")), []),
        ((("user", "a"), ("user", "b"), ("assistant", "It is so")), ["wrong_roles"]),
        ((("assistant", "Oh my"), ("user", "b"), ("assistant", "It is so")), ["wrong_roles"]),
        ((("user", "a"), ("tool", "b"), ("assistant", "It is so")), ["wrong_roles"]),
        ((("user", "a"), ("system", "b"), ("assistant", "It is so")), ["wrong_roles"]),
        ((("assistant", "It is so"),), ["wrong_roles"]),
        ((("user", "a"), ("assistant", " ")), ["empty_answer"]),
    ],
)
def test_turns(turns: tuple[tuple[str, str], ...], found: list[str]) -> None:
    assert all_of(conversation(*turns)) == found


@pytest.mark.parametrize(
    "text", ["", "  \n", "...", "N/A", "[deleted]", "TBD", "null", "lorem ipsum dolor sit"]
)
def test_an_answer_that_says_nothing(text: str) -> None:
    assert all_of(answer(text)) == ["empty_answer"]


@pytest.mark.parametrize(
    "text", ["It is 5.", "None of them did.", "👍", "+", "是的，可以。", "N/A is what it said"]
)
def test_an_answer_that_says_something(text: str) -> None:
    assert "empty_answer" not in all_of(answer(text))


def test_a_prompt_that_is_blank_is_a_broken_shape() -> None:
    assert all_of(answer("It is so.", prompt=" ")) == ["broken_shape"]


def test_an_answer_of_another_type_is_found_without_its_text() -> None:
    raw = {"prompt": "What?", "completion": None}
    reader = Reader(of_rows("x", [(1, {"prompt": "a", "completion": "b"})], {}))
    assert reader.example("x:1", raw) is None
    row = Row(0, "x:1", raw, (Text("prompt", "What?", "prompt"),), None, reader.problems[0])
    assert all_of(row) == ["empty_answer"]


def test_a_note_never_quotes_the_row() -> None:
    problem = "x:1: broken JSON: Expecting value at column 3, received 'anna@example.org'"
    (hit,) = shape.broken(Row(0, "x:1", {}, problem=problem))
    assert hit.note == "broken JSON: Expecting value at column 3"


def test_one_word_is_a_fault_only_where_answers_are_longer() -> None:
    rows = [answer("Yes")] * 2 + [answer("It is so.")] * 18
    hits = [Hit(h.kind, n, h.span, h.note) for n, row in enumerate(rows) for h in replies.short(row)]
    assert [hit.row for hit in settle(hits, rows)] == [0, 1]
    assert settle(hits, 4) == []
    labels = [Hit("empty_answer", 3, note=replies.PLACEHOLDER), Hit("empty_answer", 2, note="empty")]
    assert settle([*hits, *labels], 4) == labels[1:]


@pytest.mark.parametrize(
    ("text", "refused", "filled"),
    [
        ("I'm sorry, but I can’t help with that.", 1, []),
        ("As an AI language model, I do.", 0, ["self-description"]),
        ("Certainly! Here is a list: one, two.", 0, ["opening"]),
        ("Two and two are four. I hope this helps!", 0, ["closing"]),
        ("We offer rooms. " * 20 + "We cannot provide parking.", 0, []),
        ("Yes, of course, here you are at home.", 0, []),
        ("The parking is free for guests.", 0, []),
    ],
)
def test_other_assistants(text: str, refused: int, filled: list[str]) -> None:
    row = answer(text)
    assert len(list(assistant.refusal(row))) == refused
    assert [hit.span.type for hit in assistant.filler(row) if hit.span] == filled


def test_a_refusal_that_is_wanted_is_none() -> None:
    row = answer("I cannot help with that.", should_refuse=True)
    assert list(assistant.refusal(row)) == []


def test_abuse_is_found_on_both_sides() -> None:
    found = list(conduct.toxicity(answer("You are an idiot.", prompt="Shut up, classic bass player")))
    assert [(h.span.type, h.span.start, h.span.end) for h in found if h.span] == [
        ("prompt", 0, 7),
        ("answer", 11, 16),
    ]


def test_guidelines_are_held_against_answers(tmp_path: Path) -> None:
    file = tmp_path / "guidelines.yaml"
    file.write_text(
        "version: 1\nfallback: Please ask our staff.\nrules:\n"
        "  - {id: no-promise, text: Promise nothing., forbid: {phrases: [guarantee*]}}\n",
        encoding="utf-8",
    )
    check = Guideline.load(file)
    (hit,) = check(answer("We guarantee it.", prompt="Do you guarantee it?"))
    assert (hit.kind, hit.span and hit.span.type, hit.span and hit.span.start) == (
        "guideline",
        "no-promise",
        3,
    )
    assert list(check(answer("We hope so."))) == []


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2021-03-04", (2021, 3, 4)),
        ("2021-03-04T10:00:00Z", (2021, 3, 4)),
        (1614852000, (2021, 3, 4)),
        ("1614852000000", (2021, 3, 4)),
        ("4 March 2021", (2021, 3, 4)),
        ("3/4/2021", (2021, 4, 3)),
        ("soon", None),
        (True, None),
        (float("inf"), None),
        ("31/31/2021", None),
    ],
)
def test_dates(value: object, day: tuple[int, int, int] | None) -> None:
    assert dates.read(value) == (datetime.date(*day) if day else None)


def test_a_row_without_a_date_of_its_own_has_the_day_on_which_it_was_collected() -> None:
    day = datetime.date(2022, 1, 1)
    assert dates.of_row(answer("It is so.", collected="2022-01-01")) == day
    assert dates.of_row(answer("It is so.", date=str(day), collected="2023-01-01")) == day
    assert dates.of_row(answer("It is so.")) is None


def test_rows_before_a_day_are_stale() -> None:
    check = Stale(datetime.date(2022, 1, 1))
    assert kinds(check(answer("It is so.", Date="2021-12-31"))) == ["stale"]
    assert kinds(check(answer("It is so.", Date="2022-01-01"))) == []
    assert kinds(check(answer("It is so."))) == []
