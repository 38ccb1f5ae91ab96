"""Listed words and phrases, found in a text wherever case, apostrophes, width or white space differ."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from trimtab.language.text import Span, normal

# Scripts that put no space between words: a phrase in them has no word boundary to respect.
_UNSPACED = ("CJK ", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
# Marks on one letter. Normalising takes the square of their number; no writing has more (Unicode UAX 15, section 13).
_MARKS = 30


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as phrases are looked for in it: Unicode NFKC, case folded, straight apostrophes.

    starts, ends: of the original characters that each of its characters was made from.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


@functools.lru_cache(maxsize=32)
def fold(text: str) -> Folded:
    """The folded form of a text, each letter together with the marks that combine with it."""
    if text.isascii():
        return Folded(text.lower(), range(len(text)), range(1, len(text) + 1))
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and end - start <= _MARKS and unicodedata.combining(text[end]):
            end += 1
        piece = unicodedata.normalize("NFKC", text[start:end]).casefold().replace("’", "'").replace("‘", "'")
        pieces.append(piece)
        starts += [start] * len(piece)
        ends += [end] * len(piece)
        start = end
    return Folded("".join(pieces), starts, ends)


def listed_words(name: str) -> list[str]:
    """The entries of one of the lists that come with the package: hype, toxic, refusal."""
    text = resources.files("trimtab.language").joinpath("lists", f"{name}.txt").read_text(encoding="utf-8")
    return entries(text)


def entries(text: str) -> list[str]:
    """The lines of a list that are neither empty nor comments."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def pattern(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for `find`: whole phrases, the longest first; a final * allows any ending. None without a phrase."""
    unique = {normal(phrase) for phrase in phrases} - {"", "*"}
    if not unique:
        return None
    longest_first = sorted(unique, key=lambda phrase: (-len(phrase), phrase))
    # One test for the beginning of a word, before the list is tried, makes this several times faster.
    worded = "|".join(_one(phrase) for phrase in longest_first if _bounded(phrase[0]))
    signs = [_one(phrase) for phrase in longest_first if not _bounded(phrase[0])]
    return re.compile("|".join([*([rf"(?<!\w)(?:{worded})"] if worded else []), *signs]))


def find(found: re.Pattern[str], text: str) -> list[Span]:
    """Where the phrases of a pattern occur in a text, in order and without overlaps."""
    folded = fold(text)
    spans = (match.span() for match in found.finditer(folded.text))
    return [(folded.starts[start], folded.ends[end - 1]) for start, end in spans if end > start]


def _one(phrase: str) -> str:
    stem = phrase.removesuffix("*")
    body = re.escape(stem).replace(r"\ ", r"[\s\-]+")
    if phrase.endswith("*"):
        return body + r"\w*"
    return body + (r"(?!\w)" if _bounded(stem[-1]) else "")


def _bounded(character: str) -> bool:
    return character.isalnum() and not unicodedata.name(character, "").startswith(_UNSPACED)
