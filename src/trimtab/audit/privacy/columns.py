"""Personal data in the columns that no model reads: provenance, customers' addresses, whatever lies nested in them.

A cell says less than a sentence, so its column speaks for it: `phone: 555 0143` is searched where the column is called
`customer_phone`, and what is found in the added words is not counted. A column of identifiers holds long numbers that
name nobody; there only what has a form of its own counts, such as an e-mail address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from trimtab.audit.findings import Row, Text
from trimtab.language.personal.found import SURE, Found
from trimtab.language.personal.given import given
from trimtab.language.personal.people import person
from trimtab.language.personal.scan import patterns

SUBJECT = "subject"
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_IDENTIFIERS_WORDS = (
    "id ids uuid guid hash key index idx number row group part tags split fold version sha revision collected "
    "date time timestamp created updated"
)
_IDENTIFIERS = frozenset(_IDENTIFIERS_WORDS.split())
# Words that say what a number is, whatever stands behind them: phone_number, birth_date.
_TELLING_WORDS = (
    "phone tel telephone mobile cell fax call contact account card passport license licence ssn security nhs tax "
    "iban zip post postal birth born dob"
)
_TELLING = frozenset(_TELLING_WORDS.split())
_ROLES = ("].role", "].from")  # keys of the turns of a conversation
# Words of columns that would say too much: behind "text:" any long number would be one to send a text to, and a
# column of postcodes is a fact beside others (`quasi.py`), not one that tells of somebody alone.
_MUTE_WORDS = (
    "text texts message messages answer answers call calls response reply content value zip zipcode postcode postal "
    "plz code"
)
_MUTE = frozenset(_MUTE_WORDS.split())
_NAMED_WORDS = "name names author speaker user customer client patient employee contact person owner sender"
_NAMED = frozenset(_NAMED_WORDS.split())
# Columns that rows about people do not have, beside which `name` is that of a product or a house.
_OF_A_THING_WORDS = (
    "category spec specs specification sku price brand model product features food cuisine genre version"
)
_OF_A_THING = frozenset(_OF_A_THING_WORDS.split())
_LONG_NUMBER = 6  # digits
_ITS_NAME = ("name", "title", "label")
_OWN_FORM = 0.8  # from here on a find has a form of its own, such as an e-mail address or a check digit
CELL = 200  # characters; a longer cell is a text, and speaks for itself
_DEEPEST = 8
_MOST = 200  # cells of one row
# "1001-003-017" is a patient of a study; a telephone number shows itself by more than figures with hyphens.
_PSEUDONYM = re.compile(r"[\w./:#-]*")
_CALLABLE = re.compile(r"\d{3}[-.]\d{3}[-.]\d{4}$|0\d{2,4}[-/]\d{5,}$")
_NAME = re.compile(r"[^\W\d_]+(?:[ '’.-]{1,2}[^\W\d_]+){0,3}\.?")


def cells(row: Row) -> Iterator[Text]:
    """The texts of a row that a model does not read: strings and whole numbers of its other columns, nested ones too.

    `field` names where in the row one stands, such as `meta.contacts[0].email`; at most 200 of one row. The name of a
    thing, in a row that also has a price or a category, is left out.
    """
    known = {text.field for text in row.texts}
    leaves = (leaf for column, value in row.raw.items() for leaf in _leaves(str(column), value))
    others = (Text(field, cell, "other") for field, cell in leaves if field not in known)
    apart = (text for text in row.texts if text.side == "other")
    told = (cell for cell in chain(apart, others) if cell.text.strip() and not cell.field.endswith(_ROLES))
    if not _OF_A_THING.isdisjoint(name.lower() for name in row.raw):
        told = (cell for cell in told if not _names_it(cell))
    return islice(told, _MOST)


def _names_it(cell: Text) -> bool:
    """Whether a cell of a row about a thing is the thing's name: no given name, address or long number is in it."""
    if cell.field.lower() not in _ITS_NAME or "@" in cell.text or any(map(given, cell.text.split())):
        return False
    return sum(map(str.isdigit, cell.text)) < _LONG_NUMBER


def found(cell: Text) -> list[Found]:
    """The personal data of a cell. A `subject` that is a mere pseudonym is none; one that is a name or address is."""
    if len(cell.text) > CELL:
        return patterns(cell.text)
    return list(_found(column_words(cell.field), cell.text))


def column_words(column: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case: customerPhone and customer_phone are customer, phone."""
    return tuple(word.lower() for word in _WORDS.findall(column))


@lru_cache(maxsize=4096)  # licences, sources and the like stand in row after row
def _found(words: tuple[str, ...], text: str) -> Sequence[Found]:
    if words and words[-1] in _IDENTIFIERS and _TELLING.isdisjoint(words):
        return [one for one in patterns(text) if one.score >= _OWN_FORM]
    subject = words == (SUBJECT,)
    told = [word for word in words[-3:] if word not in _MUTE]
    head = f"{' '.join(told)}: " if told and not subject else ""
    if subject and _PSEUDONYM.fullmatch(text) and not _CALLABLE.match(text):
        return [Found(0, len(text), "PERSON", SURE)] if _a_name(text) else []
    kept = [
        Found(one.start - len(head), one.end - len(head), one.type, one.score)
        for one in patterns(head + text)
        if one.start >= len(head)
    ]
    if not kept and (subject or not _NAMED.isdisjoint(words)) and _a_name(text.strip()):
        start = text.index(text.strip())
        return [Found(start, start + len(text.strip()), "PERSON", SURE)]
    return kept


def _a_name(text: str) -> bool:
    """Whether a whole cell is a person's name: two words that may be one, or a given name, in any case."""
    if not _NAME.fullmatch(text):
        return False
    words = text.split()
    if text.islower():
        return given(words[0])
    return all(word[0].isupper() for word in words) and person(text)


def _leaves(field: str, value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield field, str(value)
    elif depth < _DEEPEST and isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(f"{field}.{name}", inner, depth + 1)
    elif depth < _DEEPEST and isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(f"{field}[{place}]", inner, depth + 1)
