"""The engine under many threads: everybody's answer is the one that they get alone, and places are given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.errors import Overloaded
from trimtab.model import likelihood, sampler
from trimtab.model.hooks import changing
from trimtab.model.load import Base, wrap
from trimtab.records import Message, Question, Sampling
from trimtab.serve.models.engine import Asked, Engine, Limits, Ticket, TooLong

WARM = Sampling(max_new_tokens=12, temperature=1.0)
BLOCK = "model.layers.0"


def base_model() -> Base:
    return wrap(tiny_model(initializer_range=0.4), tiny_tokenizer())


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine(base_model(), Limits(rows=8, prompt=128, answer=64, waiting=64))
    yield found
    assert found.stop(finish=False)


def question(number: int, sampling: Sampling = WARM) -> Question:
    return Question(f"q{number}", (Message("user", f"Say {number % 5}."),), sampling, number)


def push(whose: str) -> torch.Tensor:
    return torch.randn(32, generator=torch.Generator().manual_seed(len(whose)))


def test_many_threads_and_stacks_get_the_answers_that_they_get_alone(engine: Engine) -> None:
    stacks = ("", "a", "bb")
    for whose in stacks[1:]:
        engine.know(whose, lambda whose=whose: {BLOCK: [lambda _, states: states + push(whose)]})
    asked = [(number, stacks[number % 3]) for number in range(24)]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda ask: Asked(engine, ask[1]).answer([question(ask[0])])[0], asked))
    base = base_model()
    for (number, whose), output in zip(asked, found, strict=True):
        changes = {BLOCK: lambda _, states, whose=whose: states + push(whose)} if whose else {}
        with changing(base.network, changes):
            assert sampler.answer(base, [question(number)])[0].text == output.text
    assert len({output.text for output in found}) > 10
    assert engine.running == engine.waiting == 0


def test_an_answer_that_nobody_waits_for_gives_its_place_back(engine: Engine) -> None:
    endless = Sampling(max_new_tokens=64, temperature=2.0)
    slow = threading.Event()
    tickets = [
        Ticket(Asked(engine).row(question(number, endless)), grown=lambda _: slow.set())
        for number in range(8)
    ]
    engine.submit(tickets)
    assert slow.wait(10)
    engine.drop(tickets)
    assert all(ticket.done.wait(10) for ticket in tickets)
    assert Asked(engine).answer([question(3)])[0].text
    deadline = time.monotonic() + 10
    while engine.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert engine.running == 0


def test_too_much_and_too_long_are_refused(engine: Engine) -> None:
    many = [Ticket(Asked(engine).row(question(number))) for number in range(65)]
    with pytest.raises(Overloaded, match="wait already"):
        engine.submit(many)
    with pytest.raises(TooLong, match="at most 128"):
        Asked(engine).answer([Question("long", (Message("user", "x" * 200),), WARM)])


def test_a_fault_is_told_to_those_who_wait_and_to_nobody_else(engine: Engine) -> None:
    def broken(_: object, __: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("planted")

    engine.know("broken", lambda: {BLOCK: [broken]})
    with pytest.raises(RuntimeError, match="planted"):
        Asked(engine, "broken").answer([question(1)])
    assert Asked(engine).answer([question(1)])[0].text == sampler.answer(base_model(), [question(1)])[0].text


def test_likelihoods_are_read_between_two_tokens_under_the_stacks_own_changes(engine: Engine) -> None:
    pairs = [((Message("user", "Say 1."),), "one"), ((), "plain text")]
    alone = Asked(engine).likelihood(pairs)
    engine.know("a", lambda: {BLOCK: [lambda _, states: states + push("a")]})
    pushed = Asked(engine, "a").likelihood(pairs)
    base = base_model()

    assert np.allclose(alone, likelihood.answers(base, pairs), rtol=1e-5)
    with changing(base.network, {BLOCK: lambda _, states: states + push("a")}):
        assert np.allclose(pushed, likelihood.answers(base, pairs), rtol=1e-5)
    assert pushed != alone


def test_stopping_finishes_what_was_asked_and_takes_no_more() -> None:
    engine = Engine(base_model(), Limits(rows=4, prompt=128, answer=64))
    tickets = [Ticket(Asked(engine).row(question(number))) for number in range(12)]
    engine.submit(tickets)
    assert engine.stop(finish=True)
    assert all(ticket.row.finish for ticket in tickets)
    assert not engine.alive
    with pytest.raises(Overloaded, match="stopping"):
        engine.submit([Ticket(Asked(engine).row(question(1)))])
