"""All that patterns find of personal data in a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trimtab.language.personal.countries import countries
from trimtab.language.personal.dated import dates
from trimtab.language.personal.firms import firms
from trimtab.language.personal.found import SURE, Found, settle
from trimtab.language.personal.network import emails, ips, macs, urls
from trimtab.language.personal.numbers import numbers
from trimtab.language.personal.people import people
from trimtab.language.personal.phones import phones
from trimtab.language.personal.places import places
from trimtab.language.personal.titles import titles

_OWN = 0.8
_DIGIT = re.compile(r"\d")


def without(text: str, found: Sequence[Found]) -> str:
    """The text, as long as before, with finds that have a form of their own crossed out.

    A telephone number right before a card number would else be taken for one long number with it.
    """
    own = settle(found, _OWN)
    if not own:
        return text
    pieces: list[str] = []
    reached = 0
    for one in own:
        pieces += (text[reached : one.start], "|" * (one.end - one.start))
        reached = one.end
    return "".join(pieces) + text[reached:]


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
        found += phones(without(text, found))
        found += places(text)
    return settle(found, least) if found else found


def hints(text: str) -> list[Found]:
    """Facts that alone tell of nobody, but do beside a name: titles, firms, countries, dates; some may overlap.

    They are for a search that also reads names by a model: most are below `SURE`, and `patterns` leaves them out.
    """
    return [*titles(text), *firms(text), *countries(text), *dates(text)]
