"""Wording and exemplars: what is asked, which pairs are shown to whom, and two steps."""

from __future__ import annotations

import dataclasses
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import BloomConfig

from tests.adjust import asked
from tests.tiny import tiny_tokenizer
from trimtab.adjust import exemplars, prompt
from trimtab.adjust.prompt import Prompt, Wording
from trimtab.adjust.room import Room, measured
from trimtab.adjust.stack import Stack
from trimtab.errors import DataError, RunError
from trimtab.model.load import prompt_ids, wrap
from trimtab.model.local import Local
from trimtab.records import Example, Message, questions

QUESTION = (Message("user", "pears?"),)


def text(*messages: Message) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in messages]


def test_the_words_stand_where_they_are_said_to_stand() -> None:
    found = Prompt(Wording(instruction="Be brief.", prefix="Style: dry.", suffix="Now.")).messages(QUESTION)
    assert text(*found) == [("system", "Be brief."), ("user", "Style: dry.\n\npears?\n\nNow.")]


def test_exemplars_as_turns_look_like_the_question() -> None:
    fitted = asked.worded(exemplars=1, prefix="Style: dry.", choose="nearest")(asked.base())
    found = fitted.messages((Message("user", "plums no 40"),))
    assert [m.role for m in found] == ["user", "assistant", "user"]
    assert found[0].content.startswith("Style: dry.\n\nplums no ")
    assert found[1].content.startswith("ok ")
    assert found[2].content == "Style: dry.\n\nplums no 40"


def test_exemplars_as_text_stand_in_the_users_turn() -> None:
    fitted = asked.worded(exemplars=1, show="text", choose="nearest")(asked.base())
    (found,) = fitted.messages((Message("user", "plums no 40"),))
    assert found.content.startswith("Question: plums no ")
    assert found.content.count("Answer:") == 2
    assert found.content.endswith("Question: plums no 40\nAnswer:")


def test_two_prompts_compose() -> None:
    one, other = Prompt(Wording("A.", "before A")), Prompt(Wording("B.", "before B"))
    found = one.messages(other.messages(QUESTION))
    assert text(*found) == [("system", "B.\n\nA."), ("user", "before A\n\nbefore B\n\npears?")]


DEFAULT = "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nI am the default.<|im_end|>\n' }}{% endif %}"


def test_an_instruction_replaces_the_default_of_a_template() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = DEFAULT + tokenizer.chat_template
    plain = tokenizer.decode(prompt_ids(tokenizer, QUESTION))
    told = tokenizer.decode(prompt_ids(tokenizer, Prompt(Wording("Be brief.")).messages(QUESTION)))
    framed = tokenizer.decode(prompt_ids(tokenizer, Prompt(Wording(prefix="Dry.")).messages(QUESTION)))
    assert "I am the default." in plain
    assert "I am the default." not in told
    assert "Be brief." in told
    assert "I am the default." in framed


def test_the_nearest_are_shown_and_the_nearest_of_all_comes_last() -> None:
    rows = [
        Example((Message("user", q),), (f"answer {n}",), id=f"e{n}")
        for n, q in enumerate(
            [
                "how do I return shoes",
                "where is my parcel",
                "how do I return a damaged parcel",
                "opening hours",
            ]
        )
    ]
    wording = Wording(exemplars=2, choose="nearest")
    fitted = prompt.fit(asked.base(), rows, [r.id for r in rows], wording, answer=6)
    shown = fitted.shown((Message("user", "return a damaged parcel"),))
    assert [one.id for one in shown][-1] == "e2"
    assert "e3" not in [one.id for one in shown]


@pytest.mark.parametrize("choose", ["nearest", "diverse"])
def test_no_question_is_shown_its_own_answer_or_one_of_its_group(choose: prompt.Choose) -> None:
    groups = [f"g{number // 3}" for number in range(9)]
    wording = Wording(exemplars=2, choose=choose)
    fitted = prompt.fit(asked.base(), asked.EXAMPLES, groups, wording, answer=6)
    for number, example in enumerate(asked.EXAMPLES):
        own = {e.id for e, group in zip(asked.EXAMPLES, groups, strict=True) if group == groups[number]}
        for shown in (
            fitted.shown(example.messages),
            fitted.shown((Message("user", "reworded"),), example.id),
        ):
            assert len(shown) == 2
            assert not own & {one.id for one in shown}
        # As it is asked in a stack, where another adjustment has changed the words.
        listening = asked.Listening(Local(asked.base()))
        with Stack((fitted, Prompt(Wording(prefix="Now:")))).attach(listening) as generate:
            generate([example], asked.SAMPLING)
        said = [m.content for m in listening.asked[0][0].messages]
        assert not {asked.EXAMPLES[int(i[1:])].references[0] for i in own} & set(said)


def test_a_question_that_tune_does_not_know_may_see_all() -> None:
    fitted = asked.worded(exemplars=2, choose="nearest")(asked.base())
    assert len(fitted.exemplars.apart_from("apples", "elsewhere")) == 9
    assert len(fitted.exemplars.apart_from("APPLES  no 3")) == 8


def test_diverse_exemplars_cover_the_subjects() -> None:
    rows = [f"{word} {n}" for n in range(8) for word in ("apples", "pears", "plums")]
    pairs = [exemplars.Exemplar(q, "a", f"e{n}", f"e{n}") for n, q in enumerate(rows)]
    chosen = exemplars.diverse(pairs, 3)
    assert {one.question.split()[0] for one in chosen} == {"apples", "pears", "plums"}


def test_diverse_exemplars_are_the_greedy_maximum_of_the_coverage() -> None:
    dice = np.random.default_rng(4)
    words = [f"w{n}" for n in range(12)]
    pairs = [exemplars.Exemplar(" ".join(dice.choice(words, 5)), "a", f"e{n}", f"e{n}") for n in range(20)]
    likeness = exemplars.BM25([p.question for p in pairs]).cosines()
    chosen: list[int] = []
    for _ in range(4):
        gains = {
            n: sum(max(likeness[i, j] for j in [*chosen, n]) for i in range(20))
            for n in range(20)
            if n not in chosen
        }
        chosen.append(max(gains, key=lambda n: (round(gains[n], 9), -n)))
    assert [one.id for one in exemplars.diverse(pairs, 4)] == [f"e{n}" for n in chosen]


def test_one_of_each_group_at_most_is_chosen() -> None:
    pairs = [exemplars.Exemplar(f"apples {n}", "a", f"e{n}", f"g{n % 2}") for n in range(6)]
    assert len(exemplars.diverse(pairs, 5)) == 2


def test_exemplars_that_do_not_fit_are_left_out() -> None:
    fitted = asked.worded(exemplars=4, choose="nearest")(asked.base())
    question = (Message("user", "plums no 40"),)
    assert len(fitted.shown(question)) == 4
    cramped = dataclasses.replace(fitted, room=Room(120, 1.0, 12))
    assert 0 < len(cramped.shown(question)) < 4
    assert dataclasses.replace(fitted, room=Room(10, 1.0)).messages(question) == question
    assert fitted.describe().settings["room"].unit.startswith("tokens")


def test_a_prompt_never_outgrows_the_context() -> None:
    rows = [
        Example((Message("user", f"{n} " + "word " * (n % 17)),), ("reply " * (n % 13 + 1),), id=f"e{n}")
        for n in range(60)
    ]
    base = asked.base()  # 512 positions, a token for each byte
    wording = Wording("Be brief.", "Style: dry.", "Now.", exemplars=30, choose="nearest")
    fitted = prompt.fit(base, rows, [r.id for r in rows], wording, answer=40)
    sizes = [len(prompt_ids(base.tokenizer, fitted.framed(r.messages, r.id))) for r in rows]
    assert max(sizes) <= 512 - 40
    assert max(sizes) > 300
    revised = dataclasses.replace(wording, revise="Say it again, better.")
    twice = prompt.fit(base, rows, [r.id for r in rows], revised, answer=40)
    listening = asked.Listening(Local(base))
    sampling = dataclasses.replace(asked.SAMPLING, max_new_tokens=40)
    with Stack((twice,)).attach(listening) as generate:
        generate(rows[:20], sampling)
    assert all(len(prompt_ids(base.tokenizer, q.messages)) <= 512 - 40 for q in listening.asked[1])


def test_room_is_measured_and_unbounded_where_the_network_does_not_say() -> None:
    base = asked.base()
    room = measured(base, ["plain words"], answer=100)
    assert room.tokens is not None
    assert room.tokens < 512 - 100
    assert room.bytes_per_token == 1.0
    unbounded: Any = types.SimpleNamespace(config=BloomConfig())
    assert measured(dataclasses.replace(base, network=unbounded), ["plain words"], answer=100) == Room()
    assert Room().left(QUESTION) == float("inf")


def test_the_second_step_sees_the_draft() -> None:
    base = asked.base()
    listening = asked.Listening(Local(base))
    fitted = Prompt(Wording("Be brief.", revise="Say it again."))
    with Stack((fitted,)).attach(listening) as generate:
        found = generate(asked.EXAMPLES[:2], asked.SAMPLING, (0, 1))
    drafts = Local(base).answer(listening.asked[0])
    assert len(listening.asked) == 2
    for question, draft, output in zip(listening.asked[1], drafts, found, strict=True):
        assert [m.role for m in question.messages] == ["system", "user", "assistant", "user"]
        assert question.messages[2].content == draft.text
        assert question.messages[3].content == "Say it again."
        assert (output.example, output.seed) == (question.example, question.seed)
    assert found == Local(base).answer(listening.asked[1])


def test_it_is_on_or_off() -> None:
    fitted = Prompt(Wording("Be brief."))
    assert fitted.scaled(0.3).hash == fitted.scaled(7).hash == fitted.hash
    assert (0.3 * fitted).strength == 1
    assert fitted.scaled(0).scaled(5).strength == 0


def test_conversations_are_no_exemplars() -> None:
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    rows = [Example(turns, ("d",), id="e0")]
    with pytest.raises(DataError, match="none of 1 examples is a single question"):
        prompt.fit(asked.base(), rows, ["e0"], Wording(exemplars=1), answer=6)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    fitted = asked.worded(exemplars=1)(asked.base())
    fitted.save(tmp_path)
    (tmp_path / "exemplars.jsonl").unlink()
    with pytest.raises(RunError, match=r"exemplars\.jsonl: no such file"):
        Prompt.load(tmp_path)


def test_many_pairs_are_bounded() -> None:
    rows = [Example((Message("user", f"q {n}"),), ("a",), id=f"e{n}") for n in range(exemplars.POOL + 50)]
    ids = [r.id for r in rows]
    pool = exemplars.pool(rows, ids, seed=0, longest=100)
    assert len(pool) == exemplars.POOL
    assert pool == exemplars.pool(rows, ids, seed=0, longest=100)
    assert pool != exemplars.pool(rows, ids, seed=1, longest=100)
    assert exemplars.pool(rows, ids, seed=0, longest=2) == []


def test_questions_reach_the_model_in_order() -> None:
    base = wrap(asked.base().network, tiny_tokenizer())
    given = questions(asked.EXAMPLES, asked.SAMPLING, (0, 1))
    found = Prompt(Wording("Be brief.")).answers(Local(base), given)
    assert [(o.example, o.seed) for o in found] == [(q.example, q.seed) for q in given]
