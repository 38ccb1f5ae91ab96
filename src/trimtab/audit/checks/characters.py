"""Characters that nobody sees: control characters, zero-width and bidirectional ones.

What scripts and emoji need stays: joiners between letters of Persian or Hindi and between emoji, marks of direction in
a text that is written from right to left, the tags of a flag.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from trimtab.audit.checks.encoding import damage
from trimtab.audit.checks.spans import hits, removed
from trimtab.audit.findings import Hit, Row

# A terminal's colour codes are one fault together with the escape that begins them.
_CONTROL = re.compile("\x1b\\[[0-9;?]{0,16}[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]+")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BIDIRECTIONAL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_OVERRIDE = "\u202d\u202e"
_JOINERS = "\u200c\u200d"
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_FLAG = "\U0001f3f4"
_PLAIN = re.compile(r"[\s\w!-/:-@\[-`{-~]", re.ASCII)


def control(row: Row) -> Iterator[Hit]:
    """`control_character`: bytes below U+0020 but tab and line breaks, U+007F to U+009F, and escape sequences."""
    for text in row.texts:
        # What is printable as a whole holds neither these nor line breaks, and that is told much faster.
        if not text.text.isprintable():
            yield from hits("control_character", row, text, _unwanted(text.text))


def invisible(row: Row) -> Iterator[Hit]:
    """`invisible_character`: zero-width and bidirectional characters where no script or emoji needs them."""
    for text in row.texts:
        if not text.text.isascii():
            yield from hits("invisible_character", row, text, _unneeded(text.text))


def without_control(text: str) -> str:
    """A text without control characters and escape sequences; a form feed becomes a line break."""
    return text if text.isprintable() else removed(text, _unwanted(text), _instead)


def without_invisible(text: str) -> str:
    """A text without the invisible characters that nothing needs."""
    return text if text.isascii() else removed(text, _unneeded(text))


def _instead(sign: str) -> str:
    return "\n" if set(sign) <= {"\x0b", "\x0c"} else ""


def _unwanted(text: str) -> Iterator[tuple[int, int, str]]:
    """Control characters, but those of the upper range that are a half of a letter read in the wrong encoding."""
    broken: list[tuple[int, int, str]] | None = None
    for match in _CONTROL.finditer(text):
        start, end = match.span()
        if match.group() >= "\x80":
            broken = list(damage(text)) if broken is None else broken
            before = bisect_left(broken, (end, 0, ""))
            if before and broken[before - 1][1] > start:
                continue
        yield start, end, "control_character"


def _unneeded(text: str) -> Iterator[tuple[int, int, str]]:
    right_to_left: bool | None = None
    tagged = -1
    for match in _INVISIBLE.finditer(text):
        start, sign = match.start(), match.group()
        if sign in _JOINERS and not _beside_plain(text, start):
            continue
        if "\U000e0020" <= sign <= "\U000e007f" and (text[start - 1 : start] == _FLAG or tagged == start):
            tagged = start + 1
            continue
        two_ways = bool(_BIDIRECTIONAL.match(sign))
        if two_ways and sign not in _OVERRIDE:
            if right_to_left is None:
                right_to_left = bool(_RIGHT_TO_LEFT.search(text))
            if right_to_left:
                continue
        yield start, start + 1, "bidirectional" if two_ways else "zero_width"


def _beside_plain(text: str, at: int) -> bool:
    """Whether a joiner joins nothing: at an edge, beside another invisible sign, or between ASCII characters."""
    before, after = text[max(0, at - 1) : at], text[at + 1 : at + 2]
    if not before or not after or _INVISIBLE.match(before) or _INVISIBLE.match(after):
        return True
    return bool(_PLAIN.match(before) and _PLAIN.match(after))
