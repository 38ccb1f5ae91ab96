"""Rows that training cannot read: a broken shape, and turns in an order that no conversation has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from trimtab.audit.findings import Hit, Row

_ROLE = re.compile(
    r"\.role: expected|: expected at least one user turn|: expected an answer (?:of the assistant )?at the end"
)
_BLANK = re.compile(r"expected text, received (?:empty text|nothing)")
# What a problem says was received may quote the row.
_SAFE = re.compile(
    r"empty text|an? empty (?:list|one)|nothing|text|a number|an object|a list|true or false|more|system|user|assistant"
)


def broken(row: Row) -> Iterator[Hit]:
    """`broken_shape`: what cannot be read as an example, for another reason than its roles or an empty answer."""
    if row.problem and not _ROLE.search(row.problem) and not without_answer(row):
        yield Hit("broken_shape", row.number, note=_told(row))


def roles(row: Row) -> Iterator[Hit]:
    """`wrong_roles`: an unknown role, a conversation without a user, or two turns of one role in a row."""
    if row.problem:
        if _ROLE.search(row.problem):
            yield Hit("wrong_roles", row.number, note=_told(row))
        return
    if row.example is None:
        return
    said = [message.role for message in row.example.messages]
    spoken = said[1:] if said[:1] == ["system"] else said
    if spoken and row.example.references:
        spoken = [*spoken, "assistant"]
    if spoken and spoken[0] != "user":
        yield Hit("wrong_roles", row.number, note=f"begins with a turn of the {spoken[0]}")
    twice = next((one for one, other in itertools.pairwise(spoken) if one == other), None)
    if twice:
        yield Hit("wrong_roles", row.number, note=f"two turns of the {twice} in a row")


def without_answer(row: Row) -> bool:
    """Whether a row is broken because its answer, and not its prompt, is blank."""
    learned = [text for text in row.texts if text.side == "answer"]
    if learned:
        return any(not text.text.strip() for text in learned)
    if not _BLANK.search(row.problem):
        return False
    name = row.problem.removeprefix(row.place).lstrip(": ").partition(":")[0]
    first = next(iter(row.raw), "")
    return name in row.raw and name != first and name not in _PROMPTS


_PROMPTS = {"prompt", "question", "instruction", "input", "text", "query", "messages", "conversations"}


def _told(row: Row) -> str:
    """The problem without its place and without what it quotes."""
    problem = row.problem.removeprefix(row.place).lstrip(": ")
    told, _, received = problem.partition(", received ")
    return f"{told}, received {received}" if _SAFE.fullmatch(received) else told
