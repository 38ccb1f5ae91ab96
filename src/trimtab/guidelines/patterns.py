"""Regular expressions of a user's, bounded in length and in time.

Python's own `re` can be made to run for years by a short pattern; `regex` takes a limit of time.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import regex

from trimtab.errors import GuidelinesError
from trimtab.language.text import Span

LONGEST = 300
# A pattern that is fit for use reads an answer in milliseconds.
SECONDS = 1.0
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")
_COUNTED = re.compile(r"\{\d*,?\d*\}")


def problem(pattern: str) -> str:
    """What is wrong with a pattern, in words; empty where nothing is."""
    try:
        compiled = _compiled(pattern)
    except (regex.error, OverflowError) as error:
        return f"not a regular expression: {error}"
    if nested(pattern):
        return "a repeat without end inside another takes time without end: give one of them an end, such as {1,9}"
    return "matches the empty text, and so everything" if compiled.search("", timeout=SECONDS) else ""


def find(pattern: str, text: str, *, rule: str) -> list[Span]:
    """Where a pattern occurs in a text, in any case, in order and without overlaps; empty matches are left out.

    Raises:
        GuidelinesError: it took longer than `SECONDS`; names the rule.
    """
    try:
        found = [match.span() for match in _compiled(pattern).finditer(text, timeout=SECONDS)]
    except TimeoutError:
        raise GuidelinesError(
            f"rule {rule}: the pattern {pattern!r:.60} took longer than {SECONDS:g} s on a text of {len(text)} "
            "characters",
            "write it with fewer repeats, or list phrases instead",
        ) from None
    return [span for span in found if span[0] < span[1]]


def nested(pattern: str) -> bool:
    """Whether a repeat without an upper bound stands inside another: the usual cause of endless backtracking."""
    inside = [False]
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 2
            continue
        if pattern[at] == "[":
            at = _class_end(pattern, at)
            continue
        repeat = _UNBOUNDED.match(pattern, at)
        if pattern[at] == "(":
            inside.append(False)
        elif pattern[at] == ")" and len(inside) > 1:
            held = inside.pop()
            if held and _UNBOUNDED.match(pattern, at + 1):
                return True
            inside[-1] = inside[-1] or held
        elif repeat:
            inside[-1] = True
        counted = _COUNTED.match(pattern, at)
        at = repeat.end() if repeat else counted.end() if counted else at + 1
    return False


def _class_end(pattern: str, at: int) -> int:
    """Where a class such as [^a-z\\]] ends."""
    at += 1
    at += pattern[at : at + 1] == "^"
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern, regex.IGNORECASE)
