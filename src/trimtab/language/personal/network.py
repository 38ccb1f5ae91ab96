"""E-mail, web, IP and hardware addresses.

No list of the top-level domains is kept or fetched: a domain is known by its shape, so that a new one is found too
and nothing depends on a network.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

from trimtab.language.personal.found import Found

# What follows the "@". The local part is read backwards from there: searching for it forwards would try each of
# its characters as a beginning.
_DOMAIN = re.compile(r"@\w(?:[\w-]{0,61}\w)?(?:\.\w(?:[\w-]{0,61}\w)?)+")
_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")
_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?!\w|\.\d)")
_VERSION = re.compile(r"(?:version|release|build|firmware|[^\W\d_]\s?v|\bv)\.?[\s:]*$", re.IGNORECASE)
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:][0-9A-Fa-f:.]{1,44}+(?:%\w{1,15})?(?:/\d{1,3})?(?![\w:]|\.\d)")
_MAC = re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_URL = re.compile(
    r"(?:https?|ftps?|sftp)://[^\s<>\"'`{}|\\^]{1,2048}|(?<![\w.@/])www\.[^\s<>\"'`{}|\\^]{3,2048}", re.I
)
_TRAILING = ".,;:!?)]}"


def emails(text: str) -> Iterator[Found]:
    """E-mail addresses, also in domains that no list holds."""
    if "@" not in text:
        return
    reached = 0
    for match in _DOMAIN.finditer(text):
        at = match.start()
        window = text[max(reached, at - 64) : at]
        local = _LOCAL.search(_tail(window))
        if local and (name := local[0].lstrip("'.")):
            yield Found(at - len(name), match.end(), "EMAIL_ADDRESS", 1.0)
            reached = match.end()


def _tail(window: str) -> str:
    """What follows the last space of a text, so that the search for a local part is short."""
    parts = window.split()
    return parts[-1] if parts and not window[-1].isspace() else ""


def ips(text: str) -> Iterator[Found]:
    """IP addresses of both versions, with the length of a network's prefix; what follows the word version is none."""
    if text.count(".") >= 3:
        for match in _V4.finditer(text):
            if _valid(match[0]):
                version = _VERSION.search(text[max(0, match.start() - 12) : match.start()])
                yield Found(*match.span(), "IP_ADDRESS", 0.4 if version else 0.9)
    if text.count(":") >= 2:
        for match in _V6.finditer(text):
            bare = match[0].rstrip(".")
            if bare.count(":") >= 2 and _valid(bare):
                # Code has a::b and [::2].
                telling = sum(c.isdigit() for c in bare) > 2
                yield Found(match.start(), match.start() + len(bare), "IP_ADDRESS", 0.9 if telling else 0.4)


def _valid(address: str) -> bool:
    """Whether it is an address, with or without the length of a prefix or a zone; by the system's own reader."""
    bare, _, prefix = address.partition("/")
    family, most = (socket.AF_INET6, 128) if ":" in bare else (socket.AF_INET, 32)
    if prefix and int(prefix) > most:
        return False
    try:
        socket.inet_pton(family, bare.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True


def macs(text: str) -> Iterator[Found]:
    """Hardware addresses of network cards."""
    if text.count(":") >= 5 or text.count("-") >= 5:
        for match in _MAC.finditer(text):
            yield Found(*match.span(), "MAC_ADDRESS", 0.8)


def urls(text: str) -> Iterator[Found]:
    """Web addresses: sure when they hold a user's name before the host, else a mere shape, as most name no person."""
    if "://" not in text and "www." not in text and "WWW." not in text:
        return
    for match in _URL.finditer(text):
        found = match[0].rstrip(_TRAILING)
        authority = found.partition("://")[2].partition("/")[0]
        user = authority.rpartition("@")[0]
        yield Found(match.start(), match.start() + len(found), "URL", 1.0 if user else 0.4)
