"""Leaving out against likelihoods of prompts that were shortened here by hand."""

from __future__ import annotations

import pytest

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust.prompt import Prompt, Wording
from trimtab.adjust.stack import Stack
from trimtab.model import likelihood
from trimtab.model.load import Base, wrap
from trimtab.probe.attribution.attributing import Settings, attribute
from trimtab.probe.attribution.targets import Answer, Contrast, Scored, Tone, word_of
from trimtab.records import Example, Message, Sampling

ABLATION = ("ablation",)


@pytest.fixture(scope="module")
def base() -> Base:
    return wrap(tiny_model(initializer_range=0.3).requires_grad_(False), tiny_tokenizer())


def likely(base: Base, system: str, user: str, answer: str) -> float:
    """Of an answer and, after it, the token that ends its turn (a whole one is read so)."""
    return begun(base, system, user, answer + "<|im_end|>")


def begun(base: Base, system: str, user: str, answer: str) -> float:
    return likelihood.answers(base, [((Message("system", system), Message("user", user)), answer)])[0][0]


def test_a_part_counts_by_what_the_answer_loses_without_it(base: Base) -> None:
    example = Example((Message("system", "Be kind."), Message("user", "Stop. Who is it?")), id="a")
    words, sentences, sections = attribute(base, example, Answer("me"), Settings(ABLATION))
    whole = likely(base, "Be kind.", "Stop. Who is it?", "me")
    expected = [("", "Stop. Who is it?"), ("Be kind.", "Who is it?"), ("Be kind.", "Stop. ")]
    assert [one.text for one in sentences.features] == ["Be kind.", "Stop. ", "Who is it?"]
    own = [whole - likely(base, system, user, "me") for system, user in expected]
    assert sentences.values == pytest.approx(own, abs=1e-4)
    assert max(map(abs, own)) > 0.05
    assert sentences.full == pytest.approx(whole, abs=1e-5)
    assert [one.text for one in words.features] == ["Be ", "kind.", "Stop. ", "Who ", "is ", "it?"]
    assert words.values[4] == pytest.approx(whole - likely(base, "Be kind.", "Stop. Who it?", "me"), abs=1e-4)
    assert sections.values[1] == pytest.approx(whole - likely(base, "Be kind.", "", "me"), abs=1e-4)


def test_a_contrast_and_a_word_are_differences_of_likelihoods(base: Base) -> None:
    example = Example((Message("system", "Be."), Message("user", "Go. Now.")), id="a")
    settings = Settings(ABLATION, ("sentence",))
    (contrast,) = attribute(base, example, Contrast("yes", "no"), settings)

    def more(user: str) -> float:
        return likely(base, "Be.", user, "yes") - likely(base, "Be.", user, "no")

    assert contrast.values[1] == pytest.approx(more("Go. Now.") - more("Now."), abs=1e-4)
    (word,) = attribute(base, example, word_of("I am he", "am"), settings)

    def am(user: str) -> float:
        return begun(base, "Be.", user, "I am") - begun(base, "Be.", user, "I ")

    assert word.values[2] == pytest.approx(am("Go. Now.") - am("Go. "), abs=1e-4)
    (tone,) = attribute(base, example, Tone(("a", "Z"), "it"), settings)
    assert len(tone.values) == 3


def test_a_metric_of_the_models_own_answer(base: Base) -> None:
    example = Example((Message("user", "Go. Now."),), id="a")
    target = Scored(lambda text: float(len(text.encode())), Sampling(max_new_tokens=6), "length")
    (found,) = attribute(base, example, target, Settings(ABLATION, ("sentence",)))
    with Stack().attach(base) as attached:
        texts = ["Go. Now.", "Now.", "Go. "]
        given = attached([Example((Message("user", text),)) for text in texts], target.sampling)
    whole, *without = [float(len(one.text.encode())) for one in given]
    assert found.full == whole
    assert found.values == pytest.approx([whole - one for one in without])


def test_what_an_adjustment_says_is_an_instruction(base: Base) -> None:
    example = Example((Message("user", "Who is it?"),), id="a")
    stack = Stack((Prompt(Wording(instruction="Be kind.", suffix="Be brief.")),))
    with stack.attach(base) as attached:
        (found,) = attribute(attached, example, Answer("me"), Settings(ABLATION, ("section",)))
    assert [one.section for one in found.features] == ["instruction", "question"]
    loss = likely(base, "Be kind.", "Who is it?\n\nBe brief.", "me") - likely(base, "", "Who is it?", "me")
    assert found.values[0] == pytest.approx(loss, abs=1e-4)


def test_too_many_parts_are_not_left_out(base: Base) -> None:
    example = Example((Message("user", "a b c"),), id="a")
    (found,) = attribute(base, example, Answer("me"), Settings(ABLATION, ("word",), most_features=2))
    assert found.values == ()
    assert "3 features" in found.undefined
