"""Answers that say nothing, or one word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from trimtab.audit.checks.shape import without_answer
from trimtab.audit.checks.spans import answers
from trimtab.audit.findings import Hit, Row
from trimtab.language.text import words

PLACEHOLDER = "a placeholder"
_PLACEHOLDER = re.compile(
    r"[\[<({]?(?:n/?a|null|nil|none|nan|undefined|to ?do|tbd|fixme|deleted|removed|empty|blank|no answer"
    r"|lorem ipsum.{0,600})[\])}>]?[.!]?",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_PLACEHOLDER = 640
_LONGEST_WORD = 80
_WORDED = re.compile(r"[^\W_]")


def empty(row: Row) -> Iterator[Hit]:
    """`empty_answer`: nothing but white space and punctuation, or a placeholder such as N/A."""
    learned = list(answers(row))
    for text in learned:
        why = _why_empty(text.text)
        if why:
            yield Hit("empty_answer", row.number, note=why)
            return
    if not learned and without_answer(row):
        yield Hit("empty_answer", row.number, note="empty")


def short(row: Row) -> Iterator[Hit]:
    """`short_answer`: a single word. `settle` drops these where most rows of a set have such answers."""
    if row.example is not None and "choices" in row.example.fields:
        return
    for text in answers(row):
        if len(text.text) <= _LONGEST_WORD and len(text.text.split()) == 1 and len(words(text.text)) == 1:
            if _why_empty(text.text):
                return
            yield Hit("short_answer", row.number, note="one word")
            return


def _why_empty(text: str) -> str:
    if not text.strip():
        return "empty"
    if not _WORDED.search(text) and not any(
        unicodedata.category(sign) in ("Sm", "Sc", "So") for sign in text
    ):
        return "no word in it"
    short = len(text) <= _LONGEST_PLACEHOLDER and _PLACEHOLDER.fullmatch(text.strip())
    return PLACEHOLDER if short else ""
