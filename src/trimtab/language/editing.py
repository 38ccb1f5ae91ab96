"""Cutting words and sentences out of a text so that what remains still reads well.

A text from which nothing is cut stays as it is, byte for byte. Time grows with the length of the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.language.text import Span, unit_spans, word_spans

_BEGINS = re.compile(r"(?:\A|[.!?…][\"'”’)\]]*[ \t]|\n)[ \t]*\Z")
_ORPHAN = re.compile(r"[ \t]*(?:[,;:.!?…–—-]+(?!\d))?[ \t]*")
_BLANK = re.compile(r"\s*")
_COMMA = re.compile(r",[ \t]*")
_ARTICLE = re.compile(r"(?<!\w)(a)(n?)[ \t]*\Z", re.IGNORECASE)
_DETERMINED = re.compile(r"(?<!\w)(?:an?|the)[ \t]*\Z", re.IGNORECASE)
# A conjunction behind a cut that joins nothing any more, by what stands before the cut; and one before it.
_JOINS = re.compile(r"[ \t]*(?:and|or|but|yet)[ \t]+", re.IGNORECASE)
_UNJOINED = re.compile(r"(?:(?<!\w)(?:an?|the|is|are|was|were|and|or|as|with|of)|,)[ \t]*\Z", re.IGNORECASE)
_DANGLING = re.compile(r",?[ \t]+(?:and|or)[ \t]*\Z", re.IGNORECASE)
_CLOSING = frozenset(",.;:!?…)]”")
# How much of what stands before a cut is looked at.
_BEFORE = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest that a text may be; None is no limit. Sentences are counted as `unit_spans` finds them."""

    words: int | None = None
    sentences: int | None = None
    characters: int | None = None

    def hold(self, words: int, sentences: int, characters: int) -> bool:
        """Whether a text of this length is within all limits."""
        pairs = ((words, self.words), (sentences, self.sentences), (characters, self.characters))
        return all(most is None or count <= most for count, most in pairs)


def cut(text: str, spans: Sequence[Span]) -> str:
    """Leave out these words: spaces, commas, the capital of a sentence and a/an before the cut are put right.

    spans: in order, without overlaps.
    """
    if not spans:
        return text
    done: list[str] = []
    tail, at = "", 0
    for start, end in spans:
        tail += text[at:start]
        done += [tail[:-_BEFORE]] if len(tail) > _BEFORE else []
        tail, at = _joined(tail[-_BEFORE:], text, end, opening=not done)
        if at < len(text) and text[at].islower() and _opens(tail, opening=not done):
            tail, at = tail + text[at].upper(), at + 1
    rest = text[at:]
    return "".join(done) + (tail + rest if rest else tail.rstrip())


def drop(text: str, spans: Sequence[Span]) -> str:
    """Leave out every sentence, or item of a list, that one of these pieces touches."""
    ordered = sorted(spans)
    kept: list[str] = []
    at = number = reach = 0
    for start, end in _whole(text):
        while number < len(ordered) and ordered[number][0] < end:
            reach = max(reach, ordered[number][1])
            number += 1
        if reach > start:
            kept += [text[at:start]] if start > at else []
            _keep_break(kept, text[start:end])
            at = end
    return text if at == 0 else "".join([*kept, text[at:]]).strip()


def beginning(text: str, limits: Limits) -> int:
    """Where the longest beginning of whole sentences within the limits ends; all of a text within them."""
    found = word_spans(text)
    units = unit_spans(text)
    if limits.hold(len(found), len(units), len(text.strip())):
        return len(text)
    fits = words = 0
    lead = len(text) - len(text.lstrip())
    for number, (start, end) in enumerate(units, 1):
        while words < len(found) and found[words][1] <= end:
            words += 1
        stop = start + len(text[start:end].rstrip())
        if not limits.hold(words, number, stop - lead):
            break
        fits = stop
    return fits


def shorten(text: str, limits: Limits) -> str:
    """The beginning of a text that is within the limits; of a first sentence that is not, a part that ends in …."""
    fits = beginning(text, limits)
    if fits or not text:
        return text[:fits]
    text = text.lstrip()
    found = word_spans(text)
    end = len(text)
    if limits.words is not None and len(found) > limits.words:
        end = found[limits.words - 1][1]
    if limits.characters is not None and end >= limits.characters:
        room = limits.characters - 1
        end = max((stop for _, stop in found if stop <= room), default=room)
    return text[:end].rstrip() + "…"


def _opens(before: str, *, opening: bool) -> bool:
    """Whether a sentence begins after this text; `opening`: nothing stands before it."""
    found = _BEGINS.search(before)
    return bool(found and (opening or found[0].strip(" \t") or found.start()))


def _joined(before: str, text: str, at: int, *, opening: bool) -> tuple[str, int]:
    """The text before a cut, and where it goes on after it, put right at the seam."""
    if _opens(before, opening=opening):
        at = _end(_JOINS, text, _end(_ORPHAN, text, at))
        return before, _end(_BLANK, text, at) if opening and not before.strip() else at
    if _UNJOINED.search(before) and (joins := _JOINS.match(text, at)):
        at = joins.end()
        before = before.rstrip(" \t") + " "
    after = text[at : at + 1]
    if after == "," and (before.rstrip().endswith(",") or _DETERMINED.search(before)):
        at = _end(_COMMA, text, at)
        before = before.rstrip(" \t") + " "
    elif not after or after.isspace() or after in _CLOSING:
        closes = not after or after == "\n" or after in _CLOSING
        before = (_DANGLING.sub("", before) if closes else before).rstrip(" \t")
    article = _ARTICLE.search(before)
    following = text[at : at + _BEFORE].lstrip(" \t")[:1]
    if article and following.isalpha():
        n = "n" if following.lower() in "aeiou" else ""
        before = before[: article.end(1)] + n + before[article.end(2) :]
    return before, at


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _whole(text: str) -> list[Span]:
    """The units of a text, each up to the beginning of the next one, so that nothing lies between them."""
    starts = [start for start, _ in unit_spans(text)]
    starts[:1] = [0]
    return list(zip(starts, [*starts[1:], len(text)], strict=True)) if text else []


def _keep_break(kept: list[str], dropped: str) -> None:
    """Where a line ended with what was dropped, it still ends there."""
    white = dropped[len(dropped.rstrip()) :]
    before = kept[-1].rstrip(" \t") if kept else ""
    if "\n" in white and before and not before.endswith("\n"):
        kept[-1] = before + white
