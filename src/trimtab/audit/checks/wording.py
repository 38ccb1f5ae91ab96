"""Listed wordings, looked for quickly: most texts hold none of the words that the listed phrases begin with."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from importlib import resources

from trimtab.language import phrases
from trimtab.language.phrases import entries
from trimtab.language.text import Span, normal

_TOKEN = re.compile(r"[a-z]+")
_STEM = 4
_PIECE = 256


class Wording:
    """Phrases with a test that most texts fail: one word of each phrase is looked for among the words of the text.

    It finds what `language.phrases.find` finds with the same phrases.
    """

    def __init__(self, listed: Iterable[str]) -> None:
        entries_of = [normal(entry) for entry in listed]
        self.pattern = phrases.pattern(entries_of)
        # By the longest word of an entry, which says most, all its words; the last of an open entry is a beginning.
        self.needed: dict[str, list[frozenset[str]]] = {}
        self.stems: set[str] = set()
        for entry in entries_of:
            whole = _TOKEN.findall(entry if not entry.endswith("*") else entry.rpartition(" ")[0])
            if whole:
                key = max(reversed(whole), key=len)
                self.needed.setdefault(key, []).append(frozenset(whole))
            else:
                self.stems.add(_TOKEN.findall(entry)[0][:_STEM])
        self.keys = frozenset(self.needed)
        self.short = tuple(stem for stem in self.stems if len(stem) < _STEM)

    def find(self, text: str) -> list[Span]:
        """Where the phrases occur, in order, without overlaps."""
        return phrases.find(self.pattern, text) if self.pattern and self._possible(text) else []

    def _possible(self, text: str) -> bool:
        tokens, stems = _tokens(text)
        found = self.keys & tokens
        if found and any(words <= tokens for key in found for words in self.needed[key]):
            return True
        if not self.stems.isdisjoint(stems):
            return True
        return bool(self.short) and any(token.startswith(self.short) for token in tokens)


# Several lists are looked for in one text, one after the other.
@functools.lru_cache(maxsize=8)
def _tokens(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Runs of letters from a to z of a text, folded for a quick look, and how they begin."""
    folded = text.lower() if text.isascii() else _folded(text)
    tokens = frozenset(_TOKEN.findall(folded))
    return tokens, frozenset([token[:_STEM] for token in tokens])


def _folded(text: str) -> str:
    # Marks that combine are sorted in a time that grows with the square of their number.
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return "".join(unicodedata.normalize("NFKC", piece) for piece in pieces).casefold()


def listed(name: str) -> list[str]:
    """The entries of one of the lists of this package: boilerplate, closings, filler, openings."""
    file = resources.files("trimtab.audit.checks").joinpath("words", f"{name}.txt")
    return entries(file.read_text(encoding="utf-8"))
