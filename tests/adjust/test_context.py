"""Passages before the question: which, how many, how they are shown, and when none is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.adjust import asked
from trimtab.adjust import context
from trimtab.adjust.context import Context, Placing
from trimtab.adjust.retrieval import build
from trimtab.adjust.room import Room
from trimtab.adjust.stack import Stack
from trimtab.errors import ModelError, RunError
from trimtab.model.load import prompt_ids
from trimtab.records import Message, Passage

PLUMS = (Message("user", "plums?"),)


def test_passages_stand_before_the_question_with_their_sources() -> None:
    fitted = asked.placed(2)(asked.base())
    (turn,) = fitted.messages((Message("user", "apples and plums?"),))
    passages, order, question = turn.content.rsplit("\n\n", 2)
    assert "[1] Apples (a.md)\napples are red" in passages
    assert "c.md\nplums are blue" in passages
    assert order == "Answer from the passages above."
    assert question == "apples and plums?"


def test_the_template_is_filled_once() -> None:
    passages = [Passage("plums {question} {passages}", "c.md")]
    how = Placing(1, "<{passages}|{question}>")
    fitted = Context(build(passages, "bm25"), how, Room(), 1)
    (turn,) = fitted.messages((Message("user", "plums {passages}"),))
    assert turn.content == "<[1] c.md\nplums {question} {passages}|plums {passages}>"


def test_strength_counts_passages() -> None:
    fitted = asked.placed(2)(asked.base())
    counts = {factor: fitted.scaled(factor).count for factor in (0, 0.2, 0.25, 0.5, 1, 1.5, 9, -1)}
    assert counts == {0: 0, 0.2: 0, 0.25: 1, 0.5: 1, 1: 2, 1.5: 3, 9: 3, -1: 0}
    assert (0.5 * fitted).strength == 0.5
    assert fitted.scaled(1.5).strength == 1.5
    asks = (Message("user", "apples pears plums"),)
    assert [len(fitted.scaled(f).found(asks)) for f in (0, 0.5, 1, 1.5)] == [0, 1, 2, 3]
    assert len({fitted.scaled(f).hash for f in (0, 0.5, 1, 1.5)}) == 4


def test_half_of_it_is_what_a_fit_with_half_of_it_says() -> None:
    base = asked.base()
    half = asked.placed(2)(base).scaled(0.5)
    assert asked.answers(base, Stack((half,))) == asked.answers(base, Stack((asked.placed(1)(base),)))


def test_a_question_far_from_every_passage_gets_none() -> None:
    base = asked.base()
    fitted = asked.placed(2, "embedding")(base)
    assert fitted.placing.floor is not None
    assert all(fitted.found(e.messages) for e in asked.EXAMPLES)
    far = (Message("user", "Write a poem on the constitution of France."),)
    assert fitted.messages(far) == far
    open_to_all = dataclasses.replace(fitted, placing=dataclasses.replace(fitted.placing, floor=None))
    assert len(open_to_all.found(far)) == 2


def test_the_floor_is_the_nearness_that_the_share_of_questions_has() -> None:
    base = asked.base()
    questions = [f"{'apples ' * (n % 5)}are {n}" for n in range(50)]
    for reach in (1.0, 0.9, 0.5):
        fitted = context.fit(
            base, asked.PASSAGES, questions, Placing(1), method="bm25", reach=reach, answer=6
        )
        reached = [bool(fitted.found((Message("user", q),))) for q in questions]
        assert np.mean(reached) >= reach
    assert not all(reached)


def test_what_frames_every_question_is_not_searched_for() -> None:
    framed = (Message("user", "Pears, pears and pears.\n\napples?"),)
    plain = Context(build(asked.PASSAGES, "bm25"), Placing(1), Room(), 1)
    bare = dataclasses.replace(plain, placing=Placing(1, framing="Pears, pears and pears."))
    assert "pears" in plain.found(framed)[0]
    assert "apples" in bare.found(framed)[0]
    assert bare.messages(framed)[0].content.endswith("Pears, pears and pears.\n\napples?")


def test_passages_never_outgrow_the_context() -> None:
    base = asked.base()  # 512 positions, a token for each byte
    passages = [Passage("plums " * (5 + n), f"{n}.md") for n in range(20)]
    fitted = context.fit(base, passages, ["plums?"] * 3, Placing(20), method="bm25", reach=1.0, answer=100)
    shown = fitted.found(PLUMS)
    assert 0 < len(shown) < 20
    assert len(prompt_ids(base.tokenizer, fitted.messages(PLUMS))) <= 512 - 100
    long = (Message("user", "plums " * 80),)
    assert fitted.messages(long) == long


def test_the_last_turn_is_what_is_searched_for() -> None:
    fitted = asked.placed(1)(asked.base())
    talk = (Message("user", "apples?"), Message("assistant", "Red."), *PLUMS)
    *earlier, last = fitted.messages(talk)
    assert tuple(earlier) == talk[:2]
    assert "plums are blue" in last.content
    assert "apples are red" not in last.content


def test_vectors_are_saved_exactly(tmp_path: Path) -> None:
    fitted = asked.placed(2, "fused")(asked.base())
    fitted.save(tmp_path)
    again = Context.load(tmp_path)
    assert again.retrieval.vectors.dtype == np.float32
    assert np.array_equal(again.retrieval.vectors, fitted.retrieval.vectors)
    (tmp_path / "vectors.safetensors").write_bytes(b"cut")
    with pytest.raises(ModelError, match=r"vectors\.safetensors: cannot be read"):
        Context.load(tmp_path)
    (tmp_path / "passages.jsonl").unlink()
    with pytest.raises(RunError, match=r"passages\.jsonl: no such file"):
        Context.load(tmp_path)


def test_other_passages_are_another_adjustment() -> None:
    fitted = asked.placed(2)(asked.base())
    changed = [dataclasses.replace(asked.PASSAGES[0], text="apples are yellow"), *asked.PASSAGES[1:]]
    other = dataclasses.replace(fitted, retrieval=build(changed, "bm25"))
    assert other.hash != fitted.hash
