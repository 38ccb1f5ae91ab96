"""What is read of an answer, against rows to learn from; contrasts in one pass against one answer at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tiny import CHATML, tiny_model, tiny_tokenizer, windowed_model
from trimtab.data.render import render
from trimtab.model import likelihood
from trimtab.model.load import prompt_ids, wrap
from trimtab.probe.attribution.passes import passes
from trimtab.probe.attribution.targets import Answer, Contrast, Tone, word_of
from trimtab.probe.attribution.tokens import turn_end
from trimtab.records import Example, Message

PROMPT = (Message("system", "Be kind."), Message("user", "Who is it?"))
SPACED = CHATML.replace("message['content'] + '<|im_end|>'", "message['content'] + ' . <|im_end|>'")


@pytest.mark.parametrize("template", [CHATML, SPACED], ids=["plain", "text before the end"])
def test_a_whole_answer_is_what_a_row_to_learn_from_supervises(template: str) -> None:
    tokenizer = tiny_tokenizer(template)
    (row,) = render([Example(PROMPT, ("It is me.",))], tokenizer, max_tokens=200)
    own = Answer("It is me.").readings(tokenizer)[0]
    assert own.ids[own.marked].tolist() == row.ids[row.supervised].tolist()
    assert own.ids[-1] == tokenizer.eos_token_id


def test_a_part_a_word_a_cut_answer_and_a_tone_do_not_read_the_end() -> None:
    tokenizer = tiny_tokenizer()
    targets = (Answer("It is", end=5), word_of("It is", "is"), Answer("It is", 3), Tone(("a",), "It is"))
    for target in targets:
        assert tokenizer.eos_token_id not in target.readings(tokenizer)[0].ids
    assert Answer("It is", end=5).name == Answer("It is").name
    own, other = Contrast("yes", "no").readings(tokenizer)
    assert (own.ids[-1], other.ids[-1]) == (2, 2)


def test_a_template_without_an_end_has_none() -> None:
    bare = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    assert turn_end(tiny_tokenizer(bare)) == ()
    assert turn_end(tiny_tokenizer(None)) == ()


@pytest.mark.parametrize("windowed", [False, True], ids=["tree", "one at a time"])
def test_a_contrast_in_one_pass_is_the_difference_of_two(windowed: bool) -> None:
    network = windowed_model(window=16) if windowed else tiny_model(initializer_range=0.3)
    base = wrap(network.requires_grad_(False), tiny_tokenizer())
    readings = Contrast("yes", "yellow").readings(base.tokenizer)
    ids = np.array(prompt_ids(base.tokenizer, list(PROMPT)))
    found = passes(base, ids, readings)
    assert len(found) == (2 if windowed else 1)
    ends = [("yes<|im_end|>", 1), ("yellow<|im_end|>", -1)]
    own = sum(sign * likelihood.answers(base, [(PROMPT, text)])[0][0] for text, sign in ends)
    values = [one.value(one.ids.expand(2, -1)) for one in found]
    assert torch.stack(values).sum(0).tolist() == pytest.approx([own, own], abs=1e-4)
