"""Consistent replacements for personal data: one person is one pseudonym throughout a data set, and nobody real.

A pseudonym is drawn by a keyed hash (HMAC-SHA-256, RFC 2104) of what was found. Without the key nobody can tell by
trying names which one a pseudonym stands for; who has the key can, so the key is kept apart from the data or thrown
away. Invented values come from ranges that are reserved for examples: example.com (RFC 2606), documentation networks
(RFC 5737 and 3849), 555-0100 to 555-0199 (North American numbering plan). Card and account numbers keep their shape
and get a check digit that is wrong on purpose.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable, Sequence
from hashlib import sha256

from trimtab.errors import UserError
from trimtab.language.personal.found import Found, settle
from trimtab.language.personal.numbers import luhn, mod97
from trimtab.language.text import replaced

_LEAST_KEY = 16  # bytes
_DIGIT = re.compile(r"\d")
_FIRST_WORDS = "Alex Robin Sam Kim Chris Jamie Taylor Morgan Casey Jordan Riley Avery Quinn Rowan Sasha Noor"
_FIRST = _FIRST_WORDS.split()
_LAST_WORDS = (
    "Ashby Birchall Calloway Dunmore Ellwood Farnham Garrick Holloway Inskip Jarvis Kendrick Lindale Marlow "
    "Norwood Oakley Penrose Quillan Radley Selwyn Thornby Underhill Verney Wexford Yardley"
)
_LAST = _LAST_WORDS.split()


class Pseudonyms:
    """Pseudonyms under one key.

    Args:
        key: the secret, at least 16 bytes; the same key gives the same pseudonyms.

    Raises:
        UserError: the key is shorter.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < _LEAST_KEY:
            raise UserError(
                f"the key for pseudonyms has {len(key)} bytes; at least {_LEAST_KEY} are needed",
                hint="make one with secrets.token_bytes(32) and keep it apart from the data",
            )
        self._key = key

    def replace(self, text: str, found: Sequence[Found]) -> str:
        """The text with each find replaced by its pseudonym; of two that overlap, the surer."""
        settled = settle(found)
        return replaced(
            text, ((one.start, one.end, self.name(text[one.start : one.end], one.type)) for one in settled)
        )

    def name(self, value: str, kind: str) -> str:
        """The pseudonym of a value of a kind; values that differ in case, spaces or signs only have the same one."""
        make = _MAKERS.get(kind)
        draw = self._draw(_same(value, kind), kind)
        return make(value, draw) if make else f"{kind}-{draw.hex()[:10]}"

    def _draw(self, value: str, kind: str) -> bytes:
        return hmac.new(self._key, f"{kind}\0{value}".encode(errors="surrogatepass"), sha256).digest()


def _same(value: str, kind: str) -> str:
    """What two spellings of one value share."""
    plain = unicodedata.normalize("NFKC", value).casefold()
    if kind == "PERSON":
        # Anna M. Berg is Anna Berg.
        words = plain.split()
        full = [word for word in words if len(word.strip(".")) > 1]
        return " ".join(full if len(full) > 1 else words)
    if kind in ("LOCATION", "ORGANIZATION", "URL", "EMAIL_ADDRESS", "IP_ADDRESS"):
        return " ".join(plain.split())
    return "".join(c for c in plain if c.isalnum())


def _number(draw: bytes, start: int = 0) -> int:
    return int.from_bytes(draw[start : start + 8])


def _person(value: str, draw: bytes) -> str:
    first, last = _FIRST[_number(draw) % len(_FIRST)], _LAST[_number(draw, 8) % len(_LAST)]
    # The letters keep people apart who draw the same name: without them there would be 384.
    mark = "".join(chr(ord("A") + byte % 26) for byte in draw[16:22])
    return f"{first} {mark[0]}. {last}-{mark[1:]}" if " " in value.strip() else f"{first}-{mark}"


def _email(value: str, draw: bytes) -> str:
    return f"person-{draw.hex()[:12]}@example.com"


def _url(value: str, draw: bytes) -> str:
    scheme = value.partition("://")[0].lower() if "://" in value else "https"
    return f"{scheme}://example.com/{draw.hex()[:12]}"


def _ip(value: str, draw: bytes) -> str:
    """One of 762 addresses of version 4, so that many hosts share one, or of 2**64 of version 6."""
    if ":" in value:
        return "2001:db8::" + ":".join(draw[at : at + 2].hex() for at in (0, 2, 4, 6))
    return f"{('192.0.2', '198.51.100', '203.0.113')[draw[0] % 3]}.{1 + _number(draw, 8) % 254}"


def _phone(value: str, draw: bytes) -> str:
    """The same signs and groups around a number of the North American plan that no line has: 1, area, 555-01xx.

    Longer numbers get zeros in front, with which no country code begins. Of 8 or 9 digits only the last seven are
    reserved; another country may have such a line.
    """
    count = len(_DIGIT.findall(value))
    number = f"1{200 + _number(draw, 8) % 790}55501{_number(draw) % 100:02d}"
    return _into(value, number.rjust(count, "0")[-count:])


def _into(value: str, digits: str) -> str:
    fresh = iter(digits)
    return _DIGIT.sub(lambda match: next(fresh, "0"), value)


def _drawn(value: str, draw: bytes) -> str:
    """Every digit another digit and every letter another letter, the rest as it stands."""
    stream = iter(sha256(draw).digest() + sha256(draw + b"1").digest() + sha256(draw + b"2").digest())
    out: list[str] = []
    for c in value:
        if c.isdigit():
            out.append(str(next(stream, 0) % 10))
        elif c.isalpha():
            base = "A" if c.isupper() else "a"
            out.append(chr(ord(base) + next(stream, 0) % 26))
        else:
            out.append(c)
    return "".join(out)


def _invalid(valid: Callable[[str], bool]) -> Callable[[str, bytes], str]:
    """A maker of numbers of a shape whose check digit is wrong, so that none is anybody's."""

    def make(value: str, draw: bytes) -> str:
        made = _drawn(value, draw)
        bare = "".join(c for c in made if c.isalnum())
        if valid(bare):
            last = max(place for place, c in enumerate(made) if c.isdigit())
            made = made[:last] + str((int(made[last]) + 1) % 10) + made[last + 1 :]
        return made

    return make


def _ssn(value: str, draw: bytes) -> str:
    """Areas 900 to 999 are never issued (US Social Security Administration), nor is group 00."""
    count = len(_DIGIT.findall(value))
    return _into(value, f"9{_number(draw) % 100:02d}00{_number(draw, 8) % 10**4:04d}"[:count])


_MAKERS: dict[str, Callable[[str, bytes], str]] = {
    "PERSON": _person,
    "EMAIL_ADDRESS": _email,
    "URL": _url,
    "IP_ADDRESS": _ip,
    "PHONE_NUMBER": _phone,
    "CREDIT_CARD": _invalid(luhn),
    "IBAN_CODE": _invalid(lambda bare: bare.isascii() and mod97(bare)),
    "US_SSN": _ssn,
}
