"""What an answer states and its question does not hold: numbers with their units, dates, names.

It finds digits, dates and capitalised names only. A claim in plain words, a number written as a word, or a given
number that is attached to the wrong thing goes unseen; a figure that is rightly worked out from given ones is taken
for made up. Names are found by their capitals, so in languages that capitalise nouns this is of no use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from trimtab.language import editing
from trimtab.language.dates import Date, date_spans, stated
from trimtab.language.names import Known, terms
from trimtab.language.quantities import Quantity, quantity_spans
from trimtab.language.text import Span, sentence_spans

Mode = Literal["off", "drop", "replace"]
# Names looked for in one pass; those of a text with more of them are found in the next.
MOST_NAMES = 500
_WORD = re.compile(r"[^\W_]")
_ITEM = re.compile(r"(?m)^[ \t]*\d{1,3}[.)](?=[ \t])")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is stated without ground: text[start:end], and what the source says instead, if that is clear."""

    span: Span
    instead: str = ""


class Source:
    """What may be stated: the numbers, dates and words of some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        texts = list(texts)
        self.known = Known(texts)
        self.numbers = {(found.number, unit) for found in self.known.quantities for unit in ("", found.unit)}
        self.dates: list[Date] = []
        self.written: list[tuple[Quantity, str]] = []
        for text in texts:
            self.dates += [date for dates, _ in date_spans(text) for date in dates]
            self.written += [(found, text[start:end]) for found, (start, end) in quantity_spans(text)]

    def gives(self, stated: Quantity) -> bool:
        """Whether a quantity is given: the number agrees, and the unit if one is stated."""
        return (stated.number, stated.unit) in self.numbers

    def only(self, unit: str) -> str:
        """The one quantity of this unit, as it is written; empty where there is none or more than one."""
        found = {quantity: text for quantity, text in reversed(self.written) if quantity.unit == unit}
        return next(iter(found.values())) if unit and len(found) == 1 else ""


def claims(text: str, source: Source) -> list[Claim]:
    """What a text states and the source does not hold, in the order of the text."""
    found: list[Claim] = []
    hidden = list(text)
    for match in _ITEM.finditer(text):
        _hide(hidden, match.span())
    for dates, span in date_spans(text):
        _hide(hidden, span)
        found += [] if stated(dates, source.dates) else [Claim(span)]
    seen = "".join(hidden)
    for quantity, span in quantity_spans(seen):
        # A dash before a number is a sign or a range; where it was read as a range it may have been a sign.
        dashed = seen[max(0, span[0] - 1) : span[0]] in ("-", "−")
        turned = Quantity(-quantity.number, quantity.unit)
        if not source.gives(quantity) and not (dashed and source.gives(turned)):
            found.append(Claim(span, source.only(quantity.unit)))
    unknown = [term for term in terms(seen) if not source.known.knows(term)]
    begins = {start + _lead(seen[start:end]) for start, end in sentence_spans(seen)}
    for term in unknown[:MOST_NAMES]:
        # "See Oslo" at the beginning of a sentence is the name Oslo after a word that has its capital from there.
        rest = term.partition(" ")[2]
        spans = list(_occurrences(term, seen))
        clear = [span for span in spans if span[0] in begins] if rest and source.known.knows(rest) else []
        found += [Claim(span) for span in spans if span not in clear]
    return sorted(found, key=lambda claim: claim.span)


def ground(text: str, source: Source, mode: Mode) -> str:
    """A text without what the source does not hold; the same text where there is nothing of it.

    Args:
        mode: `drop` leaves out the sentence; `replace` puts the source's quantity in place of a number where the
            source has exactly one of that unit, and leaves out the sentence else.
    """
    found = claims(text, source) if mode != "off" else []
    if mode == "replace" and any(claim.instead for claim in found):
        pieces, at = [], 0
        for claim in found:
            if claim.instead:
                pieces += [text[at : claim.span[0]], claim.instead]
                at = claim.span[1]
        # What is left to drop is looked for again in the text as it is now.
        text = "".join([*pieces, text[at:]])
        found = [claim for claim in claims(text, source) if not claim.instead]
    return editing.drop(text, [claim.span for claim in found])


def _lead(sentence: str) -> int:
    """Length of what stands before the first word of a sentence."""
    found = _WORD.search(sentence)
    return found.start() if found else 0


def _hide(letters: list[str], span: Span) -> None:
    """Put a sign that is part of no number or name in place of each letter."""
    letters[slice(*span)] = ";" * (span[1] - span[0])


def _occurrences(term: str, text: str) -> Iterator[Span]:
    """Where a name stands in a text, its parts in the possessive or not."""
    first, *more = term.split(" ")
    form = re.compile(r"(?<!\w)" + r"(?:['’]s)? ".join(map(re.escape, [first, *more])) + r"(?!\w)")
    at = text.find(first)
    while at >= 0:
        if match := form.match(text, at):
            yield match.span()
        at = text.find(first, at + 1)
