"""Other words around the question: an instruction, a control prefix, solved examples, a second step.

    system turn      (own system text, then) instruction
    solved examples  as turns of user and assistant, or as text in the user's turn
    user's turn      prefix, question, suffix
    second step      the model's draft, then `revise` as another turn of the user; its answer is the answer

On or off. What is asked changes, the network does not; so it works with every model that answers. Likelihoods are
of the first step.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from trimtab.adjust import exemplars as solved
from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.adjust.draws import chosen_from
from trimtab.adjust.exemplars import Exemplar, Exemplars
from trimtab.adjust.room import Room, measured
from trimtab.errors import DataError
from trimtab.model.find import AnyBase
from trimtab.records import Example, Message, Model, Output, Question, Report, content_hash, plain
from trimtab.run import read_json, read_rows, write_json, write_rows

Choose = Literal["nearest", "diverse"]
Show = Literal["turns", "text"]


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said around a question.

    Attributes:
        instruction: system text; it follows the conversation's own, and replaces the default of a model's template.
        prefix, suffix: put before and after the user's turn, with an empty line between.
        exemplars: how many solved examples to show.
        choose: the nearest to each question, or the same diverse ones for all.
        show: as turns of a conversation, or as text in the user's turn.
        revise: asked after the draft, as a turn of its own; empty for one step.
    """

    instruction: str = ""
    prefix: str = ""
    suffix: str = ""
    exemplars: int = 0
    choose: Choose = "diverse"
    show: Show = "turns"
    revise: str = ""


@dataclass(frozen=True)
class Prompt(Adjustment):
    """A wording with the exemplars that it shows."""

    kind: ClassVar[str] = "prompt"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"messages"})
    wording: Wording
    exemplars: Exemplars = field(default_factory=Exemplars)
    room: Room = field(default_factory=Room)
    strength: float = 1.0

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        shown, groups = self.exemplars.shown, self.exemplars.groups
        return content_hash([self.kind, self.wording, shown, groups, self.room, self.strength])

    def scaled(self, factor: float) -> Prompt:
        """The same prompt; off at factor 0, and once off it stays off."""
        return dataclasses.replace(self, strength=float(bool(self.strength and factor)))

    def messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The conversation with the wording and exemplars around its last turn."""
        return self.framed(messages)

    def framed(self, messages: tuple[Message, ...], item: str = "") -> tuple[Message, ...]:
        """`messages`, where the id of the item is known: what must be kept apart from it is not shown either."""
        if not (self.strength and messages):
            return messages
        system = [message.content for message in messages if message.role == "system"]
        told = "\n\n".join(text for text in (*system, self.wording.instruction) if text)
        opening = (Message("system", told),) if told else ()
        turns = tuple(message for message in messages if message.role != "system")
        *earlier, last = turns
        pairs = self.shown((*opening, *turns), item)
        if self.wording.show == "text":
            text = "".join(f"Question: {one.question}\nAnswer: {one.answer}\n\n" for one in pairs)
            asked = f"{text}Question: {last.content}\nAnswer:" if pairs else last.content
            return (*opening, *earlier, self._around(asked))
        examples = itertools.chain.from_iterable(
            (self._around(one.question), Message("assistant", one.answer)) for one in pairs
        )
        return (*opening, *examples, *earlier, self._around(last.content))

    def shown(self, messages: tuple[Message, ...], item: str = "") -> list[Exemplar]:
        """The exemplars for a conversation that ends with the user's turn, as many as fit; the nearest comes last."""
        wording, question = self.wording, messages[-1].content
        if not wording.exemplars:
            return []
        near = wording.choose == "nearest"
        ranked = self.exemplars.nearest(question, item) if near else self.exemplars.fixed(question, item)
        left = self.room.left(messages) - self.room.needed(wording.prefix + wording.suffix, wording.revise)
        chosen: list[Exemplar] = []
        for one in ranked:
            left -= self.room.needed(self._around(one.question).content, one.answer)
            if left < 0 or len(chosen) == wording.exemplars:
                break
            chosen.append(one)
        return chosen[::-1] if near else chosen

    def answers(self, model: Model, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """One step, or a draft and its revision."""
        framed = [dataclasses.replace(q, messages=self.framed(q.messages, q.example)) for q in asked]
        drafts = model.answer(framed, report)
        if not (self.wording.revise and self.strength):
            return drafts
        again = Message("user", self.wording.revise)
        revised = [
            dataclasses.replace(q, messages=(*q.messages, Message("assistant", draft.text), again))
            for q, draft in zip(framed, drafts, strict=True)
        ]
        answers = model.answer(revised, report)
        return [chosen_from(answer, pair) for answer, *pair in zip(answers, drafts, answers, strict=True)]

    def save(self, folder: Path) -> None:
        """Write `prompt.json` (wording, room, strength, groups) and `exemplars.jsonl`."""
        write_rows(folder / "exemplars.jsonl", self.exemplars.shown)
        held = {"wording": self.wording, "room": self.room, "strength": self.strength}
        write_json(folder / "prompt.json", {**held, "groups": self.exemplars.groups})

    @classmethod
    def load(cls, folder: Path) -> Prompt:
        """Read what `save` wrote.

        Raises:
            RunError: a file is missing or damaged.
        """
        held = read_json(folder / "prompt.json")
        pairs = tuple(Exemplar(**row) for row in read_rows(folder / "exemplars.jsonl"))
        wording, room = Wording(**held["wording"]), Room(**held["room"])
        return cls(wording, Exemplars(pairs, held["groups"]), room, held["strength"])

    def describe(self) -> Description:
        """What is said and shown, and how much of it fits."""
        settings = {name: Setting(value) for name, value in plain(self.wording).items()}
        settings["exemplars"] = Setting(self.wording.exemplars, "pairs of question and answer, at most")
        settings["pool"] = Setting(len(self.exemplars.shown), "pairs to choose from")
        settings["steps"] = Setting(2 if self.wording.revise else 1, "answers drawn for each question")
        settings["room"] = Setting(
            self.room.tokens, "tokens of prompt; exemplars that do not fit are left out"
        )
        said = (self.wording.instruction, self.wording.prefix, self.wording.suffix, self.wording.revise)
        pairs = (text for one in self.exemplars.shown for text in (one.question, one.answer))
        size = sum(len(text.encode()) for text in (*said, *pairs))
        return Description(self.kind, self.strength, settings, 0, size)

    def _around(self, question: str) -> Message:
        parts = (self.wording.prefix, question, self.wording.suffix)
        return Message("user", "\n\n".join(part for part in parts if part))


def fit(
    base: AnyBase,
    examples: Sequence[Example],
    groups: Sequence[str],
    wording: Wording,
    *,
    answer: int,
    seed: int = 0,
) -> Prompt:
    """Choose the exemplars of a wording.

    Args:
        examples: of tune, with their references.
        groups: what each example must be kept apart from; the same for rows that belong together.
        answer: longest answer, in tokens; it is kept free in the model's context, twice where it is revised.
        seed: which pairs are considered where there are more than can be compared.

    Raises:
        DataError: exemplars are asked for and no example is one question with one answer, short enough to show.
    """
    texts = itertools.chain.from_iterable((e.prompt, *e.references[:1]) for e in examples)
    steps = 2 if wording.revise else 1
    room = measured(base, texts, answer=answer * steps)
    if not wording.exemplars:
        return Prompt(wording, room=room)
    longest = float("inf") if room.tokens is None else room.tokens * room.bytes_per_token / 2
    pairs = solved.pool(examples, groups, seed=seed, longest=longest)
    if not pairs:
        raise DataError(
            f"exemplars: {wording.exemplars} were asked for, and none of {len(examples)} examples is a single "
            "question with an answer that fits into the model's context",
            "set exemplars: 0 for this candidate",
        )
    # One more than is shown, so that as many are left for a question that may not see one of them.
    shown = pairs if wording.choose == "nearest" else solved.diverse(pairs, wording.exemplars + 1)
    return Prompt(wording, solved.keep(shown, examples, groups), room)
