"""Which section each part of a prompt is of, and what is left when parts are taken out."""

from __future__ import annotations

import pytest

from tests.tiny import tiny_tokenizer
from trimtab.adjust.exemplars import Exemplar, Exemplars
from trimtab.adjust.prompt import Prompt, Wording
from trimtab.errors import ModelError
from trimtab.probe.attribution.prompt import sectioned
from trimtab.probe.attribution.tokens import render
from trimtab.records import Message

ASKED = (Message("system", "Own."), Message("user", "Why?"))
SHOWN = Exemplars((Exemplar("How?", "So.", "1", "g"),), {})


def sections(prompt_of: Prompt) -> dict[str, str]:
    return {one.section: one.text for one in sectioned(ASKED, (prompt_of,)).features("section")}


def test_sections_come_from_what_each_adjustment_put_there() -> None:
    wording = Wording(instruction="Do.", prefix="Hey", exemplars=1)
    found = sections(Prompt(wording, SHOWN))
    assert found["system"] == "Own."
    assert found["question"] == "Why?"
    assert found["instruction"].split() == ["Do.", "Hey"]
    assert "So." in found["exemplars"]
    written = sections(Prompt(Wording(exemplars=1, show="text"), SHOWN))
    assert written["exemplars"] == "Question: How?\nAnswer: So.\n\n"
    assert written["question"] == "Why?"


def test_instructions_of_the_items_own_can_be_named() -> None:
    (message,) = (Message("user", "Be brief. Why?"),)
    found = sectioned((message,), instructions=("Be brief.",)).features("section")
    assert [(one.section, one.text) for one in found] == [("instruction", "Be brief."), ("question", " Why?")]


def test_features_cover_every_character_once() -> None:
    messages = (
        Message("user", "  One two. Three!\n- four\n"),
        Message("assistant", "…"),
        Message("user", "x"),
    )
    prompt = sectioned(messages)
    for unit in ("word", "sentence", "section"):
        seen = [
            (piece.turn, place)
            for one in prompt.features(unit)
            for piece in one.pieces
            for place in range(piece.start, piece.end)
        ]
        assert sorted(seen) == [(t, k) for t, m in enumerate(messages) for k in range(len(m.content))]


def test_an_emptied_pair_goes_and_an_emptied_turn_stays() -> None:
    pair = (Message("user", "How?"), Message("assistant", "So."))
    prompt = sectioned((*pair, *ASKED[1:]))
    exemplars, question = prompt.features("section")
    assert prompt.without([exemplars]) == ASKED[1:]
    assert prompt.without([question]) == (*pair, Message("user", ""))


def test_tokens_are_of_the_turn_that_holds_them() -> None:
    # The role's own name stands in the template before a turn that says the same.
    messages = (Message("system", "user"), Message("user", "user x"))
    prompt, tokenizer = sectioned(messages), tiny_tokenizer()
    rendered = render(tokenizer, messages)
    owners = rendered.owners(prompt.features("word"))
    for number, one in enumerate(prompt.features("word")):
        assert tokenizer.decode(rendered.ids[owners == number]) == one.text


def test_a_template_that_strips_is_followed_and_one_that_rewrites_is_refused() -> None:
    stripping = tiny_tokenizer("{% for m in messages %}[{{ m['content'] | trim }}]{% endfor %}")
    messages = (Message("user", "  ab c "),)
    rendered = render(stripping, messages)
    owners = rendered.owners(sectioned(messages).features("word"))
    assert owners.tolist() == [-1, 0, 0, 0, 1, -1]
    shouting = tiny_tokenizer("{% for m in messages %}{{ m['content'] | upper }}{% endfor %}")
    with pytest.raises(ModelError, match="changes what the turns say"):
        render(shouting, messages)
