"""Words, sentences and n-grams, the same for every metric."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n\s*\n|(?<=[。！？])")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|approx|No|e\.g|i\.e|cf|ca|(?<!\d\s)[A-Z])\.$")


def words(text: str) -> list[str]:
    """Runs of letters and digits; an apostrophe or hyphen inside joins them."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """Split after . ! ? (not after a common abbreviation or an initial) and at empty lines."""
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.end()].strip()
        if _ABBREVIATION.search(piece):
            continue
        if words(piece):
            found.append(piece)
            start = match.end()
    rest = text[start:].strip()
    return [*found, rest] if words(rest) else found


def normal(text: str) -> str:
    """Unicode NFKC, case folded, straight apostrophes, single spaces: for comparing texts."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")
    return " ".join(text.casefold().split())


def ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    """How often each run of `order` tokens occurs."""
    return Counter(tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1))
