"""Names that a title or a phrase announces, dates of birth, and ages: by pattern, so without any model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.language.dates import date_spans
from trimtab.language.personal.found import Found
from trimtab.language.personal.given import given, surely_given

# Letters that may begin a name; re has no class for capitals, so the extended ranges hold small ones too.
CAPITAL = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u024f\u0386-\u03ab\u0400-\u042f\u1e00-\u1eff"
NAME = rf"(?:[{CAPITAL}](?:\.|['’][{CAPITAL}])?[^\W\d_]*(?:[-'’][^\W\d_]+)*\.?)"
_LINKS = r"(?:(?:de|del|della|di|da|dos|van|von|der|den|ten|ter|la|le|bin|ibn|al|el|af|av|zu|y)\s){0,2}"
_FULL = rf"{NAME}(?:[ \u00a0]{_LINKS}{NAME}){{0,3}}"
TITLE = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Doctor|Sir|Madam|Lord|Lady|Rev|Herr|Frau|Mme|Mlle|Sra?|Capt|Sgt|Lt"
    r"|Judge)"
)
_TITLED = re.compile(rf"\b{TITLE}\b\.?[ \u00a0](?P<name>{_FULL})")
# Behind these a name of somebody follows.
_SAID = re.compile(
    rf"(?i:\b(?:my (?:full |first |last |sur)?name(?:'s| is)|(?:full |first |last |sur|middle |maiden |patient )name ?:"
    rf"|i am called|call me|yours (?:sincerely|truly|faithfully)|sincerely|(?:kind |best |warm )?regards|dear|c/o"
    rf"|spoke (?:to|with)))[,:]?\s{{1,4}}(?:{TITLE}\.?\s)?(?P<name>{_FULL})"
)
# Behind these anything may follow that has a name: a restaurant, a product, a firm.
_LABEL = re.compile(
    rf"(?i:\b(?:name ?:|(?:your|full|last|first|sur) ?name\?|signed by|signed ?:|attn|attention ?:"
    rf"|(?:directed|written) by ?:?))[,:]?\s{{1,4}}(?P<title>{TITLE}\.?\s)?(?P<name>{_FULL})"
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
# Words of the names of places, firms and things; the second row holds family names too.
_THINGS_WORDS = (
    "accommodation airport apartments association bakery bank bistro brasserie cafe café cathedral center centre "
    "cinema club coffee college company corp department emporium foundation gallery gmbh guesthouse hospital "
    "hotel inc institute kitchen library limited lodge ltd museum office palace pizzeria plaza project restaurant "
    "resort school service shop society station store street system taste tavern team theatre tree university of "
    "and for with"
)
_THINGS = frozenset(_THINGS_WORDS.split())
_HALF_WORDS = (
    "abbey bar bay beach best big black blue boat bridge brown castle church city cross crown dragon east farm "
    "fish forest garden gardens gold golden good grand great green grill hall heart hill home house inn island "
    "king lake lion man market mill moon mountain new north old orange park pink pub queen red rest rice river "
    "road rock rose royal sea silver sky south spice spring star stone street sun tea tower village water west "
    "white wine wood world"
)
_HALF = frozenset(_HALF_WORDS.split())
# Fields that a record of a person does not have.
_OF_A_THING = re.compile(
    r"\b(?:[a-z_]*type|food|cuisine|menu|price[a-z_ ]{0,12}|[a-z_ ]{0,12}rating|stars|product|brand|model|sku|category|"
    r"genre|artist|album|species|version|opening hours|family ?friendly) ?[:=\[]",
    re.I,
)
_BESIDE = 240  # characters around a name in which the other fields of its record are looked for
# What begins the next part of an address or of a form.
_NO_PART = re.compile(
    r"(?: (?:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Floor|PO|Box|Phone|Tel|Email|Address|Age|Date)\.?)+$"
)
_ENDED = re.compile(r"[^\W\d_]{3}\.(?=\s)")
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
        yield from _named(_LABEL, text, 0.6)
    if any(c in text for c in "0123456789"):
        if any(hint in small for hint in _BIRTH_HINTS):
            yield from births(text)
        if any(hint in small for hint in _AGE_HINTS):
            yield from ages(text)


def _named(pattern: re.Pattern[str], text: str, score: float) -> Iterator[Found]:
    for match in pattern.finditer(text):
        # "Anna Berg. Can": a full stop behind a word ends the sentence, behind an initial it does not.
        ended = _ENDED.search(match["name"])
        name = _NO_PART.sub("", match["name"][: ended.end()] if ended else match["name"])
        words = name.split()
        if words[0].lower().strip(".") in _NO_NAMES or not words[0][0].isupper():
            continue
        if pattern is _LABEL and not match["title"] and not _likely(text, match.start("name"), name):
            continue
        if pattern is _TITLED and not _THINGS.isdisjoint(word.lower() for word in words):
            continue
        start = match.start("name")
        dotted = name.endswith(".") and len(words[-1]) > 2
        # A title with a surname alone, "Mr. Berg", tells too little of whom.
        alone = pattern is _TITLED and len(words) == 1
        yield Found(start, start + len(name) - dotted, "PERSON", _ALONE if alone else score)


def _likely(text: str, start: int, name: str) -> bool:
    """Whether what stands where a name is announced, but not of what, is the name of a person."""
    words, end = name.split(), start + len(name)
    if not person(name):
        return False
    if len(words) > 1 and given(words[0]):
        return True
    beside = text[max(0, start - _BESIDE) : start], text[end : end + _BESIDE]
    return not any(map(_OF_A_THING.search, beside))


def person(name: str) -> bool:
    """Whether words look like the name of a person: a common given name, or two and more that name no thing.

    The words are capitalised; a given name that is a word too counts only beside another word.
    """
    words = name.split()
    small = [word.lower().strip(".,'’") for word in words]
    if not words or small[0] in _NO_NAMES or not _THINGS.isdisjoint(small):
        return False
    if len(words) == 1:
        return surely_given(words[0])
    return given(words[0]) or (len(words) <= 4 and _HALF.isdisjoint(small))


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
