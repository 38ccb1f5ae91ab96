"""Words, sentences and n-grams, the same for every stage."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n\s*\n|(?<=[。！？])")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|approx|No|e\.g|i\.e|cf|ca|(?<!\d\s)[A-Z])\.$")
_LONGEST_ABBREVIATION = 8
_MARKER = re.compile(r"[ \t]*(?:[-*•+–]|#{1,6}|\d{1,3}[.)])[ \t]+")
_MARKED_LINE = re.compile(rf"\n(?={_MARKER.pattern})|(?<=:)[ \t]*\n")


def words(text: str) -> list[str]:
    """Runs of letters and digits; an apostrophe or hyphen inside joins them."""
    return _WORD.findall(text)


def word_spans(text: str) -> list[Span]:
    """Where the words of a text begin and end, in order."""
    return [match.span() for match in _WORD.finditer(text)]


def shortened(text: str, most: int) -> str:
    """The text in at most so many characters; where some are left out, the last is an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def replaced(text: str, places: Iterable[tuple[int, int, str]]) -> str:
    """The text with other words at some places, each given as (start, end, words), in order and without overlaps."""
    kept, at = list[str](), 0
    for start, end, said in places:
        kept += (text[at:start], said)
        at = end
    return "".join([*kept, text[at:]])


def sentences(text: str) -> list[str]:
    """Split after . ! ? (not after a common abbreviation or an initial) and at empty lines."""
    return [text[start:end].strip() for start, end in sentence_spans(text)]


def sentence_spans(text: str, begin: int = 0, stop: int | None = None) -> list[Span]:
    """Where the sentences of a text (or of text[begin:stop]) begin and end, in order.

    Each holds the white space after it. A piece without a word is part of the sentence after it; after the last
    sentence it is part of none.
    """
    stop = len(text) if stop is None else stop
    found: list[Span] = []
    start, seen, worded = begin, begin, False
    # What was searched is not searched again: a text of a thousand dots takes no longer than other text.
    for match in _END.finditer(text, begin, stop):
        worded = worded or bool(_WORD.search(text, seen, match.end()))
        seen = match.end()
        if worded and not _abbreviated(text, start, match.end()):
            found.append((start, match.end()))
            start, worded = match.end(), False
    if worded or _WORD.search(text, seen, stop):
        found.append((start, stop))
    return found


def unit_spans(text: str) -> list[Span]:
    """The smallest pieces of a text that can be left out: sentences, items of a list, a line that ends in a colon.

    As `sentence_spans`, except that an item's marker (-, *, 1.) ends no sentence and belongs to the item.
    """
    starts = [0, *(match.end() for match in _MARKED_LINE.finditer(text)), len(text)]
    found: list[Span] = []
    for start, stop in itertools.pairwise(starts):
        marker = _MARKER.match(text, start, stop)
        spans = sentence_spans(text, marker.end() if marker else start, stop)
        if marker and spans:
            spans[0] = (start, spans[0][1])
        found += spans
    return found


def normal(text: str) -> str:
    """Unicode NFKC, case folded, straight apostrophes, single spaces: for comparing texts."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")
    return " ".join(text.casefold().split())


def ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    """How often each run of `order` tokens occurs."""
    return Counter(tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1))


def _abbreviated(text: str, start: int, end: int) -> bool:
    """Whether text[start:end], without the white space at its end, ends in an abbreviation."""
    while end > start and text[end - 1].isspace():
        end -= 1
    return bool(_ABBREVIATION.search(text, max(start, end - _LONGEST_ABBREVIATION), end))
