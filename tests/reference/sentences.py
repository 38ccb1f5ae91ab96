"""Sentences split the plain way, every piece searched whole; slow on long texts of dots."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n\s*\n|(?<=[。！？])")
_SHORT = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|approx|No|e\.g|i\.e|cf|ca|(?<!\d\s)[A-Z])\.$")


def sentences(text: str) -> list[str]:
    """The sentences of a text, without the white space around them."""
    found: list[str] = []
    rest = 0
    for match in _END.finditer(text):
        piece = text[rest : match.end()].strip()
        if _WORD.search(piece) and not _SHORT.search(piece):
            found.append(piece)
            rest = match.end()
    last = text[rest:].strip()
    return [*found, last] if _WORD.search(last) else found
