"""Hiding personal data in the texts that a page shows: addresses of e-mail and networks, telephone and other numbers.

Measures, years, dates, prices and part numbers must stay readable, so a run of digits needs the shape of a
telephone or card number. A number of seven digits without an area code is not recognised, unless a word beside it
says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from trimtab.language.personal.found import settle
from trimtab.language.personal.network import emails, ips, urls
from trimtab.language.personal.numbers import numbers
from trimtab.language.personal.phones import phones
from trimtab.language.personal.scan import without
from trimtab.language.text import replaced

_SHAPES = 0.4  # a page hides what merely looks like a number of a person too
_SHOWN = {
    "EMAIL_ADDRESS": "[e-mail address]",
    "PHONE_NUMBER": "[telephone number]",
    "CREDIT_CARD": "[card number]",
    "IBAN_CODE": "[account number]",
    "US_BANK_NUMBER": "[account number]",
    "IP_ADDRESS": "[IP address]",
    "URL": "[web address]",
}
_SURELY = 0.5  # what else has the form of a version or of a web page stays
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def mask(text: str) -> str:
    """The text with personal numbers and addresses replaced by what they were, such as `[telephone number]`.

    Hidden are e-mail and IP addresses, web addresses with a user's name, telephone numbers, card numbers of 13 to 19
    digits whether their check digit is right or not, account numbers, and numbers of identity documents.
    """
    return replaced(text, hidden(text))


def hidden(text: str) -> list[tuple[int, int, str]]:
    """What `mask` replaces: start and end of each place, in order, and what stands there instead."""
    found = [*emails(text), *numbers(text)]
    found += [one for one in (*ips(text), *urls(text)) if one.score >= _SURELY]
    found += phones(without(text, found))
    settled = settle(found, _SHAPES)
    return [(one.start, one.end, _SHOWN.get(one.type, "[identity number]")) for one in settled]


def mask_parts(parts: Sequence[str]) -> list[str]:
    """The parts of one text, masked as the whole text is: what is hidden stands in the part that it begins in."""
    whole, start, found = "".join(parts), 0, []
    places = hidden(whole)
    for part in parts:
        end = start + len(part)
        own = [
            (max(first, start) - start, min(last, end) - start, said if first >= start else "")
            for first, last, said in places
            if first < end and last > start
        ]
        found.append(replaced(part, own))
        start = end
    return found


def printable(text: str) -> str:
    """The text without characters that no page may hold; each becomes U+FFFD. Line ends become \\n."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
