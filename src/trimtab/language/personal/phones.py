"""Telephone numbers, international and national, with extensions.

Measures, years, dates, prices and part numbers look alike, so a run of digits needs the shape of a telephone number,
or a word beside it that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.language.personal.found import Found

_DATE = r"\d{4}[-./]\d\d[-./]\d\d\b|\d\d[-./]\d\d[-./]\d{4}\b"
_JOINT = "[ \\-./()\u00a0\u2009\u2010\u2011\u2013\u202f]{1,3}"
_EXTENSION = r"(?:,?\s?(?:ext(?:ension|n)?\.?|x|#)\s?\d{1,6})?"
_NUMBER = re.compile(
    rf"(?<![\w.,/+])(?!{_DATE})(?:\(\+?\d{{1,5}}\)|\+?\d+)(?:{_JOINT}\d+)*{_EXTENSION}(?!\w|[.,]\d)", re.I
)
_GROUPS = re.compile(r"\d+")
_EXTENDED = re.compile(r",?\s?(?:ext|x|#)", re.I)
_SPOKEN = (
    r"(?:tele)?phones?|tel|mobiles?|cell(?:phone|ular)?s?|fax|handy|landline|hotline|helpline|switchboard|extension|"
    r"call(?:ed|ing|s)?|call(?:ed|ing)? (?:me|us|him|her|them)|dial(?:l?ed|l?ing)?|rang|ring(?:ing)?|"
    r"text(?:ed|ing)?(?: me)?|sms|messages?|whats ?app|voicemail|answer(?:ed|ing|s)?|reach(?:ed|able)?|contact(?:ed)?"
)
_BEFORE = re.compile(rf"\b(?:{_SPOKEN})\b(?:[^\w\n]{{1,3}}(?!\d)\w{{1,12}}){{0,3}}[^\w\n]{{0,3}}$", re.I)
_AFTER = re.compile(
    r"\s{0,2}[\[(]?(?:(?:tele)?phone|tel|mobile|cell|fax|office|work|home|direct|landline)\b", re.I
)
_AMOUNT = re.compile(r"(?:[$€£¥#№]|\b(?:USD|EUR|GBP|isbn|issn|doi|order|invoice|article|item|part|model|sku)\b)\W{0,3}"
                     r"(?:(?:no|nr|number|id)\b\W{0,3})?$", re.I)  # fmt: skip
_THOUSANDS = re.compile("\\d{1,3}(?:[ \u00a0\u2009\u202f]\\d{3}){2,}(?:[.,]\\d{1,2})?")
_SUM = re.compile(r"\s?[=×*÷]")  # 100-50-25 = 25
_YEARS = re.compile(r"(?:19|20)\d\d")
_LEAST, _MOST = 7, 17
_NATIONAL = 13  # digits of the longest numbers within a country; longer groups of four are more often cards
_CANDIDATE = re.compile(r"\d(?:\W{0,3}\d){6}")


def phones(text: str) -> Iterator[Found]:
    """Telephone numbers of 7 to 17 digits.

    By shape alone: with "+", "(" or a leading 0; in three groups with at least 9 digits. Less sure, below `SURE`:
    10 digits and more in one run. With a word such as "phone" or "mobile" beside it, any of at least 7 digits.
    """
    if not _CANDIDATE.search(text):
        return
    for match in _NUMBER.finditer(text):
        number = match[0]
        if len(number) < _LEAST:
            continue
        score = _score(number)
        if score < 0:
            continue
        start, end = match.span()
        said = _BEFORE.search(text[max(0, start - 48) : start]) or _AFTER.match(text[end : end + 16])
        if said:
            score = max(score, 0.7)
        elif score and (
            _AMOUNT.search(text[max(0, start - 24) : start]) or _SUM.match(text, end) or " - " in number
        ):
            score = min(score, 0.4)
        if score:
            yield Found(start, end, "PHONE_NUMBER", score)


def _score(number: str) -> float:
    """How much a run of digits looks like a telephone number: -1 not at all, 0 only if a word beside it says so."""
    extended = _EXTENDED.search(number)
    bare = number[: extended.start()] if extended else number
    groups = _GROUPS.findall(bare)
    digits = sum(map(len, groups))
    if not _LEAST <= digits <= _MOST or all(_YEARS.fullmatch(group) for group in groups):
        return -1
    if bare.startswith("+"):
        return 0.75
    if any(len(group) < 2 for group in groups[1:]):
        return -1
    if bare.startswith("(") or extended:
        return 0.7
    if groups[0].startswith("0") and (len(groups[0]) > 1 or len(groups) > 2):
        return 0.65 if len(groups) > 1 else 0.4
    if len(groups) == 1:
        return 0.4 if digits >= 10 else 0
    if len(groups) < 3 or digits < 9:
        return 0
    return 0.4 if digits > _NATIONAL or _THOUSANDS.fullmatch(bare) else 0.6
