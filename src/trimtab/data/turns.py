"""Conversations as files hold them: lists of turns, and text with turns marked in it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trimtab.data.table import kind_of
from trimtab.records import Message, Role

# Called with field, what was expected, what was received.
Note = Callable[[str, str, str], None]

_ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
_TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):")


def conversation(value: Any, name: str, note: Note) -> tuple[Message, ...]:
    """Turns of a list of objects with role and content, or from and value; what is wrong goes to `note`."""
    if not isinstance(value, list) or not value:
        received = "an empty list" if value == [] else kind_of(value)
        note(name, "a list of turns with role and content", received)
        return ()
    found = [_turn(turn, f"{name}[{number}]", note, first=number == 0) for number, turn in enumerate(value)]
    turns = tuple(turn for turn in found if turn)
    if len(turns) == len(found) and all(turn.role != "user" for turn in turns):
        note(name, "at least one user turn", ", ".join(turn.role for turn in turns))
    return turns


def _turn(turn: Any, name: str, note: Note, *, first: bool) -> Message | None:
    if not isinstance(turn, Mapping):
        note(name, "an object with role and content", kind_of(turn))
        return None
    role = role_of(turn)
    if role is None:
        received = turn.get("role", turn.get("from"))
        note(f"{name}.role", "system, user or assistant", "nothing" if received is None else repr(received))
        return None
    if role == "system" and not first:
        note(f"{name}.role", "a system turn only at the beginning", "one after other turns")
    content = turn.get("content", turn.get("value"))
    if isinstance(content, list) and all(_is_text(part) for part in content):
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        note(f"{name}.content", "text", kind_of(content))
        return None
    if not content.strip():
        note(f"{name}.content", "text", "empty text")
    return Message(role, content)


def _is_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text"


def role_of(turn: Mapping[str, Any]) -> Role | None:
    """The usual name of a turn's role, or None where it has none that is known."""
    role = turn.get("role", turn.get("from"))
    return _ROLES.get(role) if isinstance(role, str) else None


def is_dialogue(text: str) -> bool:
    """Whether a text marks its turns with Human: and Assistant:."""
    return _TURN.match(text) is not None


def dialogue(text: str) -> tuple[Message, ...]:
    """Turns of a text that marks them with Human: and Assistant:, each after an empty line."""
    pieces = _TURN.split(text)
    roles: dict[str, Role] = {"Human": "user", "Assistant": "assistant"}
    pairs = zip(pieces[1::2], pieces[2::2], strict=True)
    return tuple(Message(roles[role], content.strip()) for role, content in pairs)


def parting(one: Sequence[Message], other: Sequence[Message]) -> int:
    """Number of the first turn, from 1, in which two conversations differ; 0 where they are the same."""
    both = enumerate(itertools.zip_longest(one, other), start=1)
    return next((number for number, (mine, theirs) in both if mine != theirs), 0)
