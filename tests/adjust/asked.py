"""Questions, documents and adjustments of the messages kinds, for their tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.adjust import made
from trimtab.adjust import context, prompt
from trimtab.adjust.stack import Stack
from trimtab.model.load import Base
from trimtab.records import Example, Message, Output, Passage, Question, Report, Sampling

SAMPLING = Sampling(max_new_tokens=6)


def example(number: int, **fields: Any) -> Example:
    """An item whose question names its number and one of three subjects."""
    subject = ("apples", "pears", "plums")[number % 3]
    question = (Message("user", f"{subject} no {number}"),)
    return Example(question, (f"ok {number}",), id=f"e{number}", **fields)


EXAMPLES = [example(number) for number in range(9)]
GROUPS = [e.id for e in EXAMPLES]
PASSAGES = [
    Passage("apples are red", "a.md", "Apples"),
    Passage("pears are green", "b.md"),
    Passage("plums are blue", "c.md"),
]


def base() -> Base:
    """A tiny base whose answers depend on every token of the prompt."""
    return made.base(initializer_range=0.4)


def worded(**wording: Any) -> Callable[[Base], prompt.Prompt]:
    """Fits a prompt of this wording."""
    return lambda base: prompt.fit(base, EXAMPLES, GROUPS, prompt.Wording(**wording), answer=6)


def placed(passages: int = 2, method: Any = "bm25", **placing: Any) -> Callable[[Base], context.Context]:
    """Fits a context that shows so many passages."""
    how = context.Placing(passages, **placing)
    questions = [e.prompt for e in EXAMPLES]
    return lambda base: context.fit(base, PASSAGES, questions, how, method=method, reach=1.0, answer=6)


def answers(base: Base, stack: Stack, examples: Sequence[Example] = EXAMPLES) -> list[Output]:
    """What a stack answers, under two seeds."""
    with stack.attach(base) as generate:
        return generate(examples, SAMPLING, (0, 1))


class Listening:
    """A model that passes questions on to another, and remembers them."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.asked: list[list[Question]] = []

    @property
    def name(self) -> str:
        return str(self.model.name)

    def answer(self, questions: Sequence[Question], report: Report | None = None) -> list[Output]:
        self.asked.append(list(questions))
        found: list[Output] = self.model.answer(questions, report)
        return found

    def likelihood(self, pairs: Any, report: Report | None = None) -> list[tuple[float, int]]:
        found: list[tuple[float, int]] = self.model.likelihood(pairs, report)
        return found
