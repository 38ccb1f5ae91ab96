"""All that patterns find of personal data in a text."""

from __future__ import annotations

import re

from trimtab.language.personal.found import SURE, Found, settle
from trimtab.language.personal.network import emails, ips, macs, urls
from trimtab.language.personal.numbers import numbers
from trimtab.language.personal.people import people
from trimtab.language.personal.phones import phones
from trimtab.language.personal.places import places

_DIGIT = re.compile(r"\d")


def patterns(text: str, least: float = SURE) -> list[Found]:
    """Personal data that has a form, in order and without overlaps; those with at least a score.

    Time grows with the length of the text, whatever stands in it. Names without a title or phrase that announces
    them have no form: they need a model.
    """
    found = [*emails(text), *urls(text), *people(text)]
    found += ips(text)
    if _DIGIT.search(text):
        found += macs(text)
        found += numbers(text)
        found += phones(text)
        found += places(text)
    return settle(found, least) if found else found
