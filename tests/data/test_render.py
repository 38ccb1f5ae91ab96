"""Tokens and loss masks: what the assistant says and the token that ends its turn, for any template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny import tiny_tokenizer
from trimtab.data.certificate import certificate, check
from trimtab.data.preview import segments
from trimtab.data.render import render
from trimtab.errors import MaskError
from trimtab.records import Example, Message, TokenRow

CHATML = tiny_tokenizer().chat_template

DEFAULT_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}"
    + CHATML
)
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    + CHATML
)
TRIMS = CHATML.replace("message['content']", "message['content'] | trim")
BRACKETS = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'] + '<|im_end|>' }}"
    "{% else %}{{ '[' + message['content'] + ']' }}{% endif %}{% endfor %}"
)
NO_STOP = (
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
# Like models that think: the last answer is written with an empty thought, earlier ones without.
THINKS = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' and loop.last %}{{ '<think></think>' }}{% endif %}"
    "{{ message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# The other way round: earlier answers are longer than when they were last.
MARKS_EARLIER = CHATML.replace(
    "message['content']",
    "('(earlier) ' if message['role'] == 'assistant' and not loop.last else '') + message['content']",
)
REWRITES = (
    "{% if messages[-1]['role'] == 'assistant' %}{{ 'answered: ' }}{% else %}{{ 'open: ' }}{% endif %}"
    + CHATML
)
SHOUTS = CHATML.replace("message['content']", "message['content'] | upper")

TURNS = (Message("user", "one"), Message("assistant", "first"), Message("user", "two"))


def example(prompt: str = "why?", *references: str, name: str = "x") -> Example:
    return Example(messages=(Message("user", prompt),), references=references or ("because",), id=name)


def spoken(row: TokenRow, tokenizer: Any) -> list[str]:
    return [text for text, supervised in segments(row, tokenizer) if supervised]


@pytest.mark.parametrize("template", [CHATML, DEFAULT_SYSTEM, NO_SYSTEM, TRIMS])
def test_the_answer_and_its_stop_token_are_supervised_and_nothing_else(template: str) -> None:
    tokenizer = tiny_tokenizer(template)
    (row,) = render([example("why?", "because é🙂")], tokenizer, max_tokens=500)
    assert spoken(row, tokenizer) == ["because é🙂<|im_end|>"]
    assert tokenizer.decode(row.ids[row.supervised][-1:]) == "<|im_end|>"
    assert not row.supervised[-1], "the line break after the stop token is no part of the answer"
    assert "".join(text for text, _ in segments(row, tokenizer)) == tokenizer.decode(row.ids)
    assert row.lost == 0


def test_the_row_begins_with_exactly_what_the_model_is_given_to_answer() -> None:
    for template in (CHATML, DEFAULT_SYSTEM, TRIMS, BRACKETS):
        tokenizer = tiny_tokenizer(template)
        (row,) = render([example()], tokenizer, max_tokens=500)
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": "why?"}], add_generation_prompt=True, return_dict=False
        )
        assert row.ids[: len(asked)].tolist() == asked
        assert row.supervised.tolist().index(True) == len(asked)


def test_a_template_without_generation_prompt() -> None:
    tokenizer = tiny_tokenizer(BRACKETS)
    (row,) = render([example()], tokenizer, max_tokens=500)
    assert segments(row, tokenizer) == [("[why?]", False), (" because<|im_end|>", True)]


@pytest.mark.parametrize("template", [CHATML, DEFAULT_SYSTEM, THINKS])
def test_every_assistant_turn_is_supervised_once(template: str) -> None:
    tokenizer = tiny_tokenizer(template)
    conversation = Example(messages=TURNS, references=("second", "other"), id="x")
    thought = "<think></think>" if template == THINKS else ""
    first, other = render([conversation], tokenizer, max_tokens=500)
    assert spoken(first, tokenizer) == ["first<|im_end|>", f"{thought}second<|im_end|>"]
    assert spoken(other, tokenizer) == [f"{thought}other<|im_end|>"]
    last, _ = render([conversation], tokenizer, max_tokens=500, turns="last")
    assert spoken(last, tokenizer) == [f"{thought}second<|im_end|>"]


def test_earlier_answers_that_grow_keep_their_stop_token() -> None:
    tokenizer = tiny_tokenizer(MARKS_EARLIER)
    (row,) = render([Example(messages=TURNS, references=("second",), id="x")], tokenizer, max_tokens=500)
    assert spoken(row, tokenizer) == ["(earlier) first<|im_end|>", "second<|im_end|>"]


safe = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: text.strip() == text)


@given(
    system=st.none() | safe,
    prompts=st.lists(safe, min_size=1, max_size=3),
    answers=st.lists(safe, min_size=3),
)
def test_the_mask_covers_exactly_the_answers(
    system: str | None, prompts: list[str], answers: list[str]
) -> None:
    tokenizer = tiny_tokenizer()
    messages = [Message("system", system)] if system is not None else []
    for prompt, answer in zip(prompts, answers, strict=False):
        messages += [Message("user", prompt), Message("assistant", answer)]
    (row,) = render(
        [Example(tuple(messages[:-1]), (messages[-1].content,), "x")], tokenizer, max_tokens=10**6
    )
    expected = [f"{message.content}<|im_end|>" for message in messages if message.role == "assistant"]
    assert spoken(row, tokenizer) == expected


def test_a_tokenizer_that_joins_prompt_and_answer_is_cut_by_characters() -> None:
    tokenizer = merging_tokenizer()
    (row,) = render([example("why?", "\nbecause")], tokenizer, max_tokens=500)
    # The line breaks before and at the beginning of the answer are one token, which counts as the answer's.
    assert spoken(row, tokenizer) == ["\n\nbecause<|im_end|>"]


def merging_tokenizer() -> Any:
    """The tiny tokenizer with one merge: two line breaks are one token."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = tiny_tokenizer()
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state["model"]["vocab"]["ĊĊ"] = 259
    state["model"]["merges"] = [["Ċ", "Ċ"]]
    merging = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(state)),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    merging.chat_template = tokenizer.chat_template
    return merging


@pytest.mark.parametrize(
    ("template", "messages", "reason"),
    [
        (NO_SYSTEM, (Message("system", "s"), Message("user", "u")), "refuses turns of system, user"),
        (REWRITES, (Message("user", "u"),), "changes what stands before turn 2"),
        (SHOUTS, (Message("user", "u"),), "changes what turn 2 says"),
        (CHATML, (Message("user", "a<|im_end|>b"),), "holds the tokenizer's own marker <|im_end|>"),
        (CHATML, (), "no prompt"),
    ],
)
def test_unsuitable_rows_are_named(template: str, messages: tuple[Message, ...], reason: str) -> None:
    good = Example((Message("user", "U"),), ("A",), "good")
    bad = Example(messages, ("a",), "bad")
    with pytest.raises(MaskError, match="unsuitable") as caught:
        render([good, bad, bad], tiny_tokenizer(template), max_tokens=500)
    assert "row 2 (bad)" in caught.value.message
    assert "row 3 (bad)" in caught.value.message
    assert reason in caught.value.message
    assert caught.value.hint


def test_a_marker_that_the_template_never_writes_is_text_like_any_other() -> None:
    tokenizer = tiny_tokenizer()
    (row,) = render([example("why?", "an <|endoftext|> here")], tokenizer, max_tokens=500)
    assert spoken(row, tokenizer) == ["an <|endoftext|> here<|im_end|>"]


def test_no_template_and_no_reference() -> None:
    with pytest.raises(MaskError, match="no chat template"):
        render([example()], tiny_tokenizer(None), max_tokens=500)
    with pytest.raises(MaskError, match="no reference answer"):
        render([Example((Message("user", "u"),), (), "x")], tiny_tokenizer(), max_tokens=500)


def test_truncation_cuts_the_end_and_says_how_much() -> None:
    tokenizer = tiny_tokenizer()
    (whole,) = render([example()], tokenizer, max_tokens=500)
    (cut,) = render([example()], tokenizer, max_tokens=len(whole.ids) - 5)
    assert cut.ids.tolist() == whole.ids[:-5].tolist()
    assert cut.supervised.tolist() == whole.supervised[:-5].tolist()
    assert cut.lost == 5


def test_certificate_says_what_is_learnt() -> None:
    tokenizer = tiny_tokenizer()
    examples = [example("why?", "because", "so", name="a"), example("how?", "well", name="b")]
    rows = render(examples, tokenizer, max_tokens=500)
    made = certificate(rows, examples, tokenizer)
    assert [(r.example, r.supervised, r.first, r.last, r.stop, r.lost) for r in made.rows] == [
        ("a", 8, "b", "<|im_end|>", True, 0),
        ("a", 3, "s", "<|im_end|>", True, 0),
        ("b", 5, "w", "<|im_end|>", True, 0),
    ]
    assert made.supervised == 16
    assert made.tokens == sum(len(row.ids) for row in rows)
    assert made.stop_tokens == {"<|im_end|>": 3}
    check(made)
    with pytest.raises(MaskError, match="unknown examples: b"):
        certificate(rows, examples[:1], tokenizer)


def test_certificate_hashes_follow_what_they_name() -> None:
    tokenizer, examples = tiny_tokenizer(), [example()]
    made = certificate(render(examples, tokenizer, max_tokens=500), examples, tokenizer)
    again = certificate(render(examples, tiny_tokenizer(), max_tokens=500), examples, tiny_tokenizer())
    assert (made.data, made.template, made.tokenizer) == (again.data, again.template, again.tokenizer)
    trims = tiny_tokenizer(TRIMS)
    other = certificate(render(examples, trims, max_tokens=500), examples, trims)
    assert other.template != made.template
    assert (other.data, other.tokenizer) == (made.data, made.tokenizer)
    used = tiny_tokenizer()
    used("a text", truncation=True, max_length=3)
    assert certificate([], examples, used).tokenizer == made.tokenizer
    grown = tiny_tokenizer()
    grown.add_tokens(["because"])
    assert certificate([], examples, grown).tokenizer != made.tokenizer
    assert certificate([], [example("when?")], tokenizer).data != made.data


def test_a_template_without_stop_token_is_refused() -> None:
    tokenizer = tiny_tokenizer(NO_STOP)
    examples = [Example(TURNS, ("second",), f"x{n}") for n in range(25)]
    rows = render(examples, tokenizer, max_tokens=500)
    assert spoken(rows[0], tokenizer) == ["first", "second"]
    with pytest.raises(MaskError) as caught:
        check(certificate(rows, examples, tokenizer))
    assert "no stop token after the answer in 25 rows: x0, x1," in caught.value.message
    assert "x19 and 5 more" in caught.value.message
    assert "chat template" in caught.value.hint


def test_truncation_is_refused_where_it_leaves_nothing_or_cuts_most_stops() -> None:
    tokenizer = tiny_tokenizer()
    short, long = example("a", "b", name="short"), example("a", "b" * 100, name="long")
    wordy = example("a" * 200, "b", name="wordy")

    def checked(*examples: Example) -> None:
        check(certificate(render(examples, tokenizer, max_tokens=60), examples, tokenizer))

    checked(short, long)
    with pytest.raises(MaskError, match=r"nothing supervised in 1 row: wordy") as caught:
        checked(short, short, short, wordy)
    assert "raise data.max_tokens" in caught.value.hint
    with pytest.raises(MaskError, match=r"the stop token was cut off in 2 rows: long, long") as caught:
        checked(short, long, long)
    assert "raise data.max_tokens" in caught.value.hint
    with pytest.raises(MaskError, match="no rows"):
        checked()


def test_naughty_strings_survive_rendering(public_data: Path) -> None:
    strings = json.loads((public_data / "dirty_strings" / "blns.json").read_text(encoding="utf-8"))
    strings = [text for text in strings if text.strip()]
    tokenizer = tiny_tokenizer()
    examples = [example(text, text, name=str(n)) for n, text in enumerate(strings)]
    rows = render(examples, tokenizer, max_tokens=10**6)
    assert [spoken(row, tokenizer) for row in rows] == [[f"{text}<|im_end|>"] for text in strings]
    check(certificate(rows, examples, tokenizer))


@pytest.mark.embedded
def test_the_embedded_models_own_tokenizer(public_data: Path) -> None:
    from trimtab.model.load import load, prompt_ids

    tokenizer = load().tokenizer
    strings = json.loads((public_data / "dirty_strings" / "blns.json").read_text(encoding="utf-8"))
    strings = [text for text in strings if text.strip() == text and text]
    examples = [example(text, text, name=str(n)) for n, text in enumerate(strings)]
    examples.append(Example(TURNS, ("second",), "turns"))
    rows = render(examples, tokenizer, max_tokens=10**6)
    for row, text in zip(rows, strings, strict=False):
        # This tokenizer has no token for some control characters; what it keeps is what must be supervised.
        kept = tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"])
        assert spoken(row, tokenizer) == [f"{kept}<|im_end|>"]
    assert spoken(rows[-1], tokenizer) == ["first<|im_end|>", "second<|im_end|>"]
    for row, item in zip(rows, examples, strict=True):
        asked = prompt_ids(tokenizer, item.messages)
        assert row.ids[: len(asked)].tolist() == asked
    check(certificate(rows, examples, tokenizer))
