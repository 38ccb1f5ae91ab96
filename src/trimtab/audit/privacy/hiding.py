"""How personal data gives way in a cleaned copy: masked by its type, or replaced by pseudonyms that stay the same.

A name that one text of a row announces is hidden in all texts of that row: "my name is Anna Berg" in the prompt tells
who the "Anna Berg" of the answer is, though nothing announces her there. With pseudonyms a person has one stand-in
through the whole data set, and a first or family name alone has its part of it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence

from trimtab.audit.findings import Row, Text
from trimtab.audit.privacy import columns
from trimtab.audit.privacy.detect import Detector
from trimtab.audit.privacy.masking import mask
from trimtab.audit.privacy.pseudonyms import Pseudonyms
from trimtab.errors import UserError
from trimtab.language.personal.found import SURE, Found, settle
from trimtab.language.personal.given import surely_given
from trimtab.language.personal.people import TITLE
from trimtab.language.text import replaced

WAYS = ("mask", "pseudonyms")
_MENTIONED = 0.58  # surer than what a model guesses, less so than what a pattern tells
_MOST = 20  # people of one row who are looked for elsewhere in it
_KEY = 32  # bytes
Hide = Callable[[Text, str], str]


class Hiding:
    """A way to hide personal data.

    Args:
        way: `mask`, or `pseudonyms`.
        names: also hide the names that a model knows, as an audit with `names` finds them.
        key: of the pseudonyms; drawn and forgotten where none is given, so that nobody can try names against them.

    Raises:
        UserError: there is no such way.
        MissingPart: names are wanted and what they need is not installed.
    """

    def __init__(self, way: str = "mask", *, names: bool = False, key: bytes = b"") -> None:
        if way not in WAYS:
            raise UserError(
                f"personal: expected one of {', '.join(WAYS)}, received {way!r}",
                hint="say --use personal=mask or --use personal=pseudonyms",
            )
        self.said = "masked" if way == "mask" else "replaced by pseudonyms"
        self._pseudonyms = Pseudonyms(key or secrets.token_bytes(_KEY)) if way == "pseudonyms" else None
        self._names = names
        self._detector = Detector(names=names)

    def within(self, row: Row) -> Hide:
        """What hides the personal data of one row: from one of its texts, and what it is by now, to what is left."""
        read = (text for text in row.texts if text.side != "other")
        people: dict[str, None] = {}
        for text in (*read, *columns.cells(row)):
            for one in self._found(text, text.text):
                if one.type == "PERSON":
                    people[text.text[one.start : one.end]] = None
        known = [name for name in people if len(name.split()) > 1][:_MOST]
        pattern = _mentions(list(people)[:_MOST])

        def hide(text: Text, now: str) -> str:
            found = self._found(text, now)
            if pattern:
                spans = (match.span(match.lastgroup or 0) for match in pattern.finditer(now))
                found += [Found(*span, "PERSON", _MENTIONED) for span in spans]
            if self._pseudonyms is None:
                return mask(now, found)
            places = (
                (one.start, one.end, _instead(self._pseudonyms, now[one.start : one.end], one.type, known))
                for one in settle(found)
            )
            return replaced(now, places)

        return hide

    def _found(self, text: Text, now: str) -> list[Found]:
        cell = columns.found(Text(text.field, now, "other")) if text.side == "other" else []
        if text.side == "other" and not (self._names and " " in now.strip()):
            return cell
        (found,) = self._detector.find([now])
        # A country or a job title that a search for names reports tells of nobody, and hiding all of them costs much.
        return [*cell, *(one for one in found if one.score >= SURE or one.type == "PERSON")]


def _instead(pseudonyms: Pseudonyms, value: str, kind: str, known: Sequence[str]) -> str:
    """The stand-in of a value; of one word of a name, its part of the stand-in of the one person of that name."""
    if kind == "PERSON" and " " not in value.strip():
        for place in (0, -1):
            whole = {name for name in known if name.split()[place].casefold() == value.casefold()}
            if len(whole) == 1:
                return pseudonyms.name(whole.pop(), kind).split()[place]
    return pseudonyms.name(value, kind)


def _mentions(people: Sequence[str]) -> re.Pattern[str] | None:
    """What finds people again: a full name, a given name that is no other word, or a title and a family name."""
    said: dict[str, None] = {}
    families: dict[str, None] = {}
    for name in people:
        words = name.split()
        if len(words) > 1:
            said[r"\s+".join(map(re.escape, words))] = None
            families[re.escape(words[-1])] = None
        if surely_given(words[0]):
            said[re.escape(words[0])] = None
    if not said:
        return None
    whole = "|".join(sorted(said, key=len, reverse=True))
    titled = rf"|{TITLE}\.?\s(?P<family>{'|'.join(families)})" if families else ""
    return re.compile(rf"(?<!\w)(?:(?P<name>{whole}){titled})(?!\w)")
