"""A prompt cut into what can be held responsible for an answer: words, sentences and sections.

Sections are named by where a text comes from. Of the item's own conversation a system turn is `system`, earlier
turns are `exemplars` and the last user's turn is `question`. What an adjustment put around it is `exemplars` where it
is a turn of its own or a solved pair written as text, `context` where an adjustment of that kind did, and else
`instruction`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab.adjust.contract import Adjustment
from trimtab.language.text import unit_spans, word_spans
from trimtab.records import Message

Section = Literal["system", "instruction", "context", "exemplars", "question"]
Unit = Literal["word", "sentence", "section"]
SECTIONS: tuple[Section, ...] = ("system", "instruction", "context", "exemplars", "question")
UNITS: tuple[Unit, ...] = ("word", "sentence", "section")
_SOLVED = re.compile(r"Question: .*?\nAnswer: .*?\n\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """The characters [start, end) of turn number `turn`."""

    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Feature:
    """Something in a prompt: its text, the section that it is of, and where it stands, in order."""

    text: str
    section: Section
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation and, for every character of every turn, its section."""

    messages: tuple[Message, ...]
    sections: tuple[tuple[Section, ...], ...]

    def features(self, unit: Unit) -> tuple[Feature, ...]:
        """What the prompt is made of, in order; nothing overlaps, and every character is of one feature.

        A word has the punctuation and white space after it. A sentence is an item of a list too. Neither reaches from
        one section into another. A section is one feature, wherever its parts stand.
        """
        if unit != "section":
            cuts = word_spans if unit == "word" else unit_spans
            return tuple(
                self._feature([Piece(run.turn, run.start + start, run.start + end)])
                for run in self._runs()
                for start, end in _filled(cuts(self._text(run)), run.end - run.start)
            )
        runs = list(self._runs())
        named = [[run for run in runs if self._section(run) == section] for section in SECTIONS]
        return tuple(self._feature(found) for found in named if found)

    def without(self, features: Iterable[Feature]) -> tuple[Message, ...]:
        """The conversation with features left out.

        An emptied turn stays, so that no template puts a text of its own there; an emptied pair of turns before the
        last goes as a whole.
        """
        gone: list[set[int]] = [set() for _ in self.messages]
        for feature in features:
            for piece in feature.pieces:
                gone[piece.turn].update(range(piece.start, piece.end))
        left = [
            Message(turn.role, "".join(c for place, c in enumerate(turn.content) if place not in lost))
            if lost
            else turn
            for turn, lost in zip(self.messages, gone, strict=True)
        ]
        return tuple(_without_empty_pairs(left))

    def _runs(self) -> Iterable[Piece]:
        """Longest stretches of one section, in order."""
        for turn, labels in enumerate(self.sections):
            start = 0
            for _, same in itertools.groupby(labels):
                end = start + len(list(same))
                yield Piece(turn, start, end)
                start = end

    def _text(self, piece: Piece) -> str:
        return self.messages[piece.turn].content[piece.start : piece.end]

    def _section(self, piece: Piece) -> Section:
        return self.sections[piece.turn][piece.start]

    def _feature(self, pieces: Sequence[Piece]) -> Feature:
        return Feature(
            "\n".join(self._text(piece) for piece in pieces), self._section(pieces[0]), tuple(pieces)
        )


def sectioned(
    messages: Sequence[Message], adjustments: Sequence[Adjustment] = (), instructions: Sequence[str] = ()
) -> Prompt:
    """The prompt that a model with adjustments is given for a conversation, and where its parts come from.

    Args:
        messages: the item's own conversation, ending with the user's turn.
        adjustments: of a stack, in its order; the last one sees the conversation first.
        instructions: texts that are instructions wherever the item's own turns hold them.
    """
    last = len(messages) - 1
    prompt = Prompt(tuple(messages), tuple(_own(m, k == last, instructions) for k, m in enumerate(messages)))
    for adjustment in reversed(adjustments):
        if adjustment.strength and messages:
            prompt = _changed(prompt, adjustment.messages(prompt.messages), adjustment.kind)
    return prompt


def _own(message: Message, last: bool, instructions: Sequence[str]) -> tuple[Section, ...]:
    own: Section = "system" if message.role == "system" else "question" if last else "exemplars"
    labels = [own] * len(message.content)
    for said in filter(None, instructions):
        for match in re.finditer(re.escape(said), message.content):
            labels[match.start() : match.end()] = ["instruction"] * len(said)
    return tuple(labels)


def _changed(before: Prompt, messages: tuple[Message, ...], kind: str) -> Prompt:
    """Labels for a changed conversation: turns are paired from the end, within their roles, by what they still hold."""
    waiting = list(range(len(before.messages)))[::-1]
    labels: list[tuple[Section, ...]] = []
    for message in reversed(messages):
        old = next((k for k in waiting if _holds(message, before.messages[k])), None)
        if old is not None:
            waiting.remove(old)
        labels.append(_labels(message, before, old, kind, last=not labels))
    return Prompt(messages, tuple(labels[::-1]))


def _holds(new: Message, old: Message) -> bool:
    return new.role == old.role and old.content in new.content


def _labels(
    message: Message, before: Prompt, old: int | None, kind: str, *, last: bool
) -> tuple[Section, ...]:
    text = message.content
    added: Section = "context" if kind == "context" else "instruction"
    if old is None and message.role != "system" and not last:
        added = "exemplars"
    labels: list[Section] = [added] * len(text)
    if added == "instruction":
        for match in _SOLVED.finditer(text):
            labels[match.start() : match.end()] = ["exemplars"] * (match.end() - match.start())
    if old is not None:
        # An instruction follows a conversation's own system text; whatever stands around a question, it comes last.
        content = before.messages[old].content
        start = text.find(content) if message.role == "system" else text.rfind(content)
        labels[start : start + len(content)] = before.sections[old]
    return tuple(labels)


def _filled(spans: Sequence[tuple[int, int]], length: int) -> Iterable[tuple[int, int]]:
    """The same spans, each reaching to the next, the first from 0 and the last to the end; one where there are none."""
    starts = [0, *(start for start, _ in spans[1:]), length]
    return ((a, b) for a, b in itertools.pairwise(starts) if b > a)


def _without_empty_pairs(messages: Sequence[Message]) -> Iterable[Message]:
    place = 0
    while place < len(messages):
        pair = messages[place : place + 2]
        roles = [message.role for message in pair]
        if roles == ["user", "assistant"] and not any(message.content.strip() for message in pair):
            place += 2
            continue
        yield messages[place]
        place += 1
