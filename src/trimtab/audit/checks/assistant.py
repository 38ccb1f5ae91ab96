"""Answers in which another assistant refuses, speaks of itself, or fills the room."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from trimtab.audit.checks.spans import answers, hits
from trimtab.audit.checks.wording import Wording, listed
from trimtab.audit.findings import Hit, Row
from trimtab.language.phrases import listed_words
from trimtab.language.text import Span

# Words at the beginning in which a refusal stands, as `measure.refusal.refuses` has it, and a set opening.
OPENING = 40
_FIRST = 3
_LAST = 30


def refusal(row: Row) -> Iterator[Hit]:
    """`refusal`: an answer whose first `OPENING` words refuse, unless the row says that it should."""
    if row.raw.get("should_refuse"):
        return
    for text in answers(row):
        found = _refusals().find(_head(text.text, OPENING))[:1]
        yield from hits("refusal", row, text, ((start, end, "refusal") for start, end in found))


def filler(row: Row) -> Iterator[Hit]:
    """`filler`: an answer that speaks of itself as a machine, or begins or ends as assistants' answers do."""
    for text in answers(row):
        found = [(*span, "self-description") for span in _self().find(text.text)]
        found += [(*span, "opening") for span in _opening(text.text)]
        found += [(*span, "closing") for span in _closing(text.text)]
        yield from hits("filler", row, text, found)


def _opening(text: str) -> list[Span]:
    found = _openings().find(_head(text, OPENING))[:1]
    return [span for span in found if len(text[: span[0]].split()) <= _FIRST]


def _closing(text: str) -> list[Span]:
    at = max(0, len(text) - 12 * _LAST)
    return [(at + start, at + end) for start, end in _closings().find(text[at:])]


def _head(text: str, words: int) -> str:
    """The beginning of a text that holds so many words, at most 1,000 characters."""
    text = text[:1000]
    parts = text.split(None, words)
    return text[: len(text) - len(parts[-1])] if len(parts) > words else text


@functools.cache
def _refusals() -> Wording:
    return Wording(listed_words("refusal"))


@functools.cache
def _self() -> Wording:
    return Wording(listed("filler"))


@functools.cache
def _openings() -> Wording:
    return Wording(listed("openings"))


@functools.cache
def _closings() -> Wording:
    return Wording(listed("closings"))
