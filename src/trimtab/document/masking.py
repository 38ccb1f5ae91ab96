"""Hiding personal data in the texts that a page shows: e-mail addresses, telephone and card numbers.

Measures, years, dates, prices and part numbers must stay readable, so a run of digits needs the shape of a
telephone or card number. A number of seven digits without an area code is not recognised.
"""

from __future__ import annotations

import re

_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}"
EMAIL = re.compile(_LOCAL + r"@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_GAP = "[ \\-\u00a0\u2009\u2010\u2011\u202f]"
_CARD_DIGITS = (13, 19)
CARD = re.compile(rf"(?<![\w.,])\d{{3,19}}(?:{_GAP}\d{{3,7}}){{0,5}}(?![\w]|[.,]\d)")
_DATE = r"\d{4}[-./]\d\d[-./]\d\d\b|\d\d[-./]\d\d[-./]\d{4}\b"
_JOINT = "[ \\-./()\u00a0\u2009\u2010\u2011\u2013\u202f]{1,3}"
PHONE = re.compile(rf"(?<![\w.,/+])(?!{_DATE})(?:\(\+?\d{{1,5}}\)|\+?\d+)(?:{_JOINT}\d+)*(?!\w|[.,]\d)")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def mask(text: str) -> str:
    """The text with e-mail addresses, card numbers and telephone numbers replaced by what they were.

    A card number has 13 to 19 digits, in groups or not. A telephone number has at least 7 digits behind "+",
    "(" or a leading 0, or at least 9 digits in three groups, or 10 digits and more in one run.
    """
    text = EMAIL.sub("[e-mail address]", text)
    text = CARD.sub(lambda found: "[card number]" if _is_card(found[0]) else found[0], text)
    return PHONE.sub(lambda found: "[telephone number]" if _is_phone(found[0]) else found[0], text)


def _is_card(found: str) -> bool:
    least, most = _CARD_DIGITS
    return least <= sum(character.isdigit() for character in found) <= most


def _is_phone(found: str) -> bool:
    groups = re.findall(r"\d+", found)
    digits = sum(len(group) for group in groups)
    if not 7 <= digits <= 17 or any(len(group) < 2 for group in groups[1:]):
        return False
    if found.startswith(("+", "(")):
        return True
    if groups[0].startswith("0") and (len(groups[0]) > 1 or len(groups) > 2):
        return True
    if len(groups) == 1:
        return digits >= 10
    return len(groups) >= 3 and digits >= 9


def printable(text: str) -> str:
    """The text without characters that no page may hold; each becomes U+FFFD. Line ends become \\n."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
