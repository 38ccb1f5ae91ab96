"""What a judge says: which of two answers, read from its reply; and two verdicts joined, one for each order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from trimtab.records import Side

# The answer shown first, the one shown second, neither.
Label = Literal["A", "B", "tie"]
LABELS: tuple[Label, ...] = ("A", "B", "tie")
# Letters of a reply that are read, from its end: a verdict that comes later is not looked for.
LONGEST_REPLY = 20_000
THOUGHT = "</think>"
NAMES = ("answer", "verdict", "choice", "winner", "better", "preferred")
TIES = ("tie", "tied", "draw", "equal", "neither", "both", "none")

_LABEL = rf"(?:(?:answer|response|option|assistant)\s+)?(a|b|{'|'.join(TIES)})"
_QUOTES = r"[\s\"'`*_#(\[{<]*"
# "A", "A.", "A: it keeps the rule", "A is better"; not "A good answer ...", "A, B or tie", "A is worse", "A's style".
_ENDED = (
    r"(?=\s*(?:$|\n|[.:;!)\]}>*_]|,(?!\s*(?:b|tie)\b)|[-\u2013\u2014]\s|[\"'`](?!\w)"
    r"|wins\b|is\s+(?:the\s+)?(?:better|best)\b))"
)
_STATED = re.compile(rf"\b(?:{'|'.join(NAMES)})\b{_QUOTES}(?:is|:|=){_QUOTES}{_LABEL}{_ENDED}", re.IGNORECASE)
_BEGINS = re.compile(rf"{_QUOTES}{_LABEL}{_ENDED}", re.IGNORECASE)
_OBJECT = re.compile(r"\{[^{}]*\}")


def read(reply: str) -> Label | None:
    """The verdict of a reply; None where it holds none, or several that differ.

    Looked for in this order: JSON objects with a key such as answer or verdict; words such as "Answer: B", of which
    the last counts, since a judge that reasons ends with it; a reply that begins with the label. What stands before
    the end of a thought is not read.
    """
    text = reply[-LONGEST_REPLY:].rpartition(THOUGHT)[2].strip()
    if "<think>" in text:
        return None
    said = set(_objects(text))
    if said:
        return said.pop() if len(said) == 1 else None
    stated = _STATED.findall(text)
    if stated:
        return _label(stated[-1])
    begins = _BEGINS.match(text)
    return _label(begins.group(1)) if begins else None


def joined(first: Label | None, second: Label | None) -> Side | None:
    """The verdict on a pair that was shown in both orders.

    The one rule: the side that both verdicts name; a tie where they differ, one of them being a tie or not; none
    where one is missing.

    Args:
        first: of the order in which A is the left answer; second: of the order in which A is the right one.
    """
    if first is None or second is None:
        return None
    sides: tuple[Side, Side] = (
        {"A": "left", "B": "right"}.get(first, "tie"),  # type: ignore[assignment]
        {"A": "right", "B": "left"}.get(second, "tie"),
    )
    return sides[0] if sides[0] == sides[1] else "tie"


def _objects(text: str) -> Iterator[Label]:
    for found in _OBJECT.findall(text):
        try:
            value: Any = json.loads(found)
        except (ValueError, RecursionError):
            continue
        for name, said in value.items():
            match = _BEGINS.match(said) if isinstance(said, str) else None
            if match and name.lower() in NAMES:
                yield _label(match.group(1))


def _label(word: str) -> Label:
    upper = word.upper()
    return upper if upper in ("A", "B") else "tie"  # type: ignore[return-value]
