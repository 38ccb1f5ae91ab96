"""From places in a text to hits, at most `MOST` for a kind in one text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator

from trimtab.audit.findings import Hit, Row, Span, Text
from trimtab.language.text import replaced

# A text of nothing but tags is one fault; the row is named, and a reader needs no more places than these.
MOST = 200


def hits(kind: str, row: Row, text: Text, places: Iterable[tuple[int, int, str]]) -> Iterator[Hit]:
    """A hit for each place (start, end, type) of a text, the first `MOST` of them."""
    for start, end, what in itertools.islice(places, MOST):
        yield Hit(kind, row.number, Span(row.number, text.field, start, end, what))


def matches(pattern: re.Pattern[str], text: str, what: str) -> Iterator[tuple[int, int, str]]:
    """The matches of a pattern as places of one type."""
    for match in pattern.finditer(text):
        yield match.start(), match.end(), what


def removed(
    text: str, places: Iterable[tuple[int, int, str]], instead: Callable[[str], str] = lambda _: ""
) -> str:
    """A text without some places in order, or with what a function says instead of each."""
    return replaced(text, ((start, end, instead(text[start:end])) for start, end, _ in places))


def answers(row: Row) -> Iterator[Text]:
    """What a model learns to write."""
    return (text for text in row.texts if text.side == "answer")


def asked(row: Row) -> str:
    """All that stands before the answer, as one text."""
    return "\n".join(text.text for text in row.texts if text.side == "prompt")
