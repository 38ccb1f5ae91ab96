"""Names that a title or a phrase announces, dates of birth, and ages: by pattern, so without any model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.language.dates import date_spans
from trimtab.language.personal.found import Found

# Letters that may begin a name; re has no class for capitals, so the extended ranges hold small ones too.
CAPITAL = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u024f\u0386-\u03ab\u0400-\u042f\u1e00-\u1eff"
NAME = rf"(?:[{CAPITAL}](?:\.|['’][{CAPITAL}])?[^\W\d_]*(?:[-'’][^\W\d_]+)*\.?)"
_LINKS = r"(?:(?:de|del|della|di|da|dos|van|von|der|den|ten|ter|la|le|bin|ibn|al|el|af|av|zu|y)\s){0,2}"
_FULL = rf"{NAME}(?:[ \u00a0]{_LINKS}{NAME}){{0,3}}"
_TITLE = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Doctor|Sir|Madam|Lord|Lady|Rev|Herr|Frau|Mme|Mlle|Sra?|Capt|Sgt|Lt"
    r"|Judge)"
)
_TITLED = re.compile(rf"\b{_TITLE}\b\.?[ \u00a0](?P<name>{_FULL})")
_SAID = re.compile(
    rf"(?i:\b(?:my (?:full |first |last |sur)?name(?:'s| is)"
    rf"|(?:full |first |last |sur|client |customer |patient )?name ?:"
    rf"|name\?|i am called|call me|signed(?: by)?|yours (?:sincerely|truly|faithfully)|sincerely|"
    rf"(?:kind |best |warm )?regards|dear|attn|attention|c/o|directed by ?:|written by|spoke (?:to|with)))"
    rf"[,:]?\s{{1,4}}(?:{_TITLE}\.?\s)?(?P<name>{_FULL})"
)
_SAID_HINTS = ("name", "call", "sign", "sincerely", "yours", "regards", "dear", "att", "c/o", " by", "spoke")
_TITLE_HINTS = (
    "Mr", "Ms", "Miss", "Mx", "Dr", "Prof", "Doctor", "Sir", "Madam", "Lord", "Lady", "Rev", "Herr", "Frau", "Mme",
    "Mlle", "Sr", "Capt", "Sgt", "Lt", "Judge",
)  # fmt: skip
_NO_NAMES_WORDS = (
    "sir madam customer all team everyone colleagues sirs friend friends diary god lord reader support the a "
    "an i it this that not january february march april may june july august september october november "
    "december monday tuesday wednesday thursday friday saturday sunday hiring manager valued guest user "
    "member mom dad santa"
)
_NO_NAMES = frozenset(_NO_NAMES_WORDS.split())
_BIRTH = re.compile(r"\b(?:born|birth(?:day|date)?|dob|d\.o\.b)\b", re.I)
_BIRTH_HINTS = ("born", "birth", "dob", "d.o.b")
_ALONE = 0.45
_NEAR = 40  # characters between a word of birth and its date
_NEXT = 6  # so near, nothing else stands between
_SHORT_DATE = re.compile(
    r"(?<![\d/.-])\d{1,2}([/.-])\d{1,2}\1(?:\d{4}|\d\d)(?![\d/.-]\d)|(?<!\d)\d{4}/\d\d?/\d\d?(?!\d)"
)
_AGE = re.compile(
    r"\b(?P<old>1?\d{1,2})(?:[- ](?:years?|yrs?|months?)[- ]olds?|[- ]?y[./]?o\b|[- ]year[- ](?:male|female|man|woman))"
    r"|\b(?:aged|age ?:?|(?:at )?the age of|(?:just |have |has |had |will |['’]ll )turn(?:ed|s)?"
    r"|when (?:he|she|they|i) (?:was|were|is|are)) (?P<aged>1?\d{1,2})"
    r"(?!\w|[.,%:/-]\d| ?(?:%|percent|degrees|minutes|miles|km|pounds))",
    re.I,
)
_AGE_HINTS = ("old", "age", "turn", " y/o", "yo", "when", "year")


def people(text: str) -> Iterator[Found]:
    """Names behind a title ("Dr. Anna Berg") or a phrase ("my name is Anna"), dates of birth, and ages."""
    if any(hint in text for hint in _TITLE_HINTS):
        yield from _named(_TITLED, text, 0.7)
    small = text.lower()
    if any(hint in small for hint in _SAID_HINTS):
        yield from _named(_SAID, text, 0.6)
    if any(c in text for c in "0123456789"):
        if any(hint in small for hint in _BIRTH_HINTS):
            yield from births(text)
        if any(hint in small for hint in _AGE_HINTS):
            yield from ages(text)


def _named(pattern: re.Pattern[str], text: str, score: float) -> Iterator[Found]:
    for match in pattern.finditer(text):
        name = match["name"]
        words = name.split()
        if words[0].lower().strip(".") in _NO_NAMES or not words[0][0].isupper():
            continue
        start = match.start("name")
        # A full stop belongs to an initial, not to the last word of a sentence.
        dotted = name.endswith(".") and len(words[-1]) > 2
        # A title with a surname alone, "Mr. Berg", tells too little of whom.
        alone = pattern is _TITLED and len(words) == 1
        yield Found(start, start + len(name) - dotted, "PERSON", _ALONE if alone else score)


def births(text: str) -> Iterator[Found]:
    """Dates that stand within 40 characters behind a word such as "born"."""
    words = [match.end() for match in _BIRTH.finditer(text)]
    for said in words:
        window = text[said : said + _NEAR + 24]
        spans = [match.span() for match in _SHORT_DATE.finditer(window)]
        if not spans or spans[0][0] > _NEXT:
            spans += [span for _, span in date_spans(window)]
        if spans:
            start, end = min(spans)
            if start <= _NEAR:
                yield Found(said + start, said + end, "DATE_TIME", 0.8)


def ages(text: str) -> Iterator[Found]:
    """Ages in years, below `SURE`: an age alone tells nobody, but beside other facts it may."""
    for match in _AGE.finditer(text):
        yield Found(*match.span("old" if match["old"] else "aged"), "AGE", 0.4)
