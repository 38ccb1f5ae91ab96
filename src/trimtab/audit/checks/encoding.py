"""Text that was read in the wrong encoding, and what is mended of it by ftfy.

Only damage counts: typographic quotes, full-width signs and the like are what somebody wrote, and stay as they are
in a line that is not damaged. In a damaged line ftfy's other repairs are made as well, since damage often leaves one
of a pair of quotes or a half of an entity.
"""

from __future__ import annotations

import difflib
import functools
import html
import re
from collections.abc import Iterator
from typing import Any

from trimtab.audit.checks.spans import hits, matches
from trimtab.audit.findings import Hit, Row
from trimtab.measure.contract import optional

# One character for several letters, as left by PDF readers and old code pages; Unicode advises against them.
_LIGATURES = re.compile("[ŉǄ-ǌǱ-ǳĲĳﬀ-ﬆ]")
_LOST = re.compile("[\ufffd\ufffc]+")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LINE = re.compile(r"[^\n]+")
# A mended line is as long as its damage; comparing long ones character by character takes long.
_COMPARED = 600
# ftfy reads a line several times; beyond this it is read in pieces.
_PIECE = 4000
_WORD = re.compile(r"\S+")
# Unlikely pairs of signs, by ftfy's count, from which a single word is surely damaged; one can be a name.
_BAD = 2


def encoding(row: Row) -> Iterator[Hit]:
    """`encoding`: spans of mojibake and of typesetters' ligatures, which `mended` repairs."""
    for text in row.texts:
        if not text.text.isascii():
            yield from hits("encoding", row, text, damage(text.text))


def lost(row: Row) -> Iterator[Hit]:
    """`lost_character`: U+FFFD or U+FFFC, where a character was lost that nothing brings back."""
    for text in row.texts:
        if not text.text.isascii():
            yield from hits("lost_character", row, text, matches(_LOST, text.text, "lost_character"))


def mended(text: str) -> str:
    """A text with its mojibake and ligatures repaired, line by line; the same text where there is no damage.

    Raises:
        MissingPart: ftfy is not installed.
    """
    if text.isascii():
        return text
    return _LINE.sub(lambda line: _mended_line(line.group()), text)


def damage(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a text is damaged: places (start, end, type) in order, the type mojibake or ligature.

    Raises:
        MissingPart: ftfy is not installed.
    """
    for line in _LINE.finditer(text):
        before = line.group()
        if before.isascii():
            continue
        for piece, offset in _pieces(before):
            after, what = _repaired(piece)
            if after != piece:
                at = line.start() + offset
                yield from ((at + start, at + end, what) for start, end in changed(piece, after))


def _mended_line(line: str) -> str:
    return "".join(_repaired(piece)[0] for piece, _ in _pieces(line))


def _pieces(line: str) -> Iterator[tuple[str, int]]:
    """A line, or where it is long its pieces, cut after a space, each with where it begins."""
    start = 0
    while len(line) - start > _PIECE:
        end = line.rfind(" ", start, start + _PIECE) + 1 or start + _PIECE
        yield line[start:end], start
        start = end
    yield line[start:], start


def _repaired(line: str) -> tuple[str, str]:
    """A line without its damage, and what the damage was; the same line where there is none."""
    if line.isascii():
        return line, ""
    library = _ftfy()
    if _damaged(line, library):
        return _fixed(line, library), "mojibake"
    # A sign that was read rightly hides, from ftfy, words beside it that were not.
    if library.badness.badness(line) >= _BAD:
        mended = _WORD.sub(lambda word: _fixed_word(word.group(), library), line)
        if mended != line:
            return mended, "mojibake"
    if _LIGATURES.search(line):
        return _fixed(line, library), "ligature"
    return line, ""


def _fixed(text: str, library: Any) -> str:
    wide = not _CJK.search(library.fix_encoding(text))
    mended: str = library.fix_text(
        text, fix_character_width=wide, fix_line_breaks=False, remove_control_chars=False,
        remove_terminal_escapes=False,
    )  # fmt: skip
    return mended


def _fixed_word(word: str, library: Any) -> str:
    surely = not word.isascii() and library.badness.badness(word) >= _BAD and _damaged(word, library)
    return _fixed(word, library) if surely else word


def _damaged(text: str, library: Any) -> bool:
    """Whether ftfy reads a text in another encoding, as it stands or once its entities are characters."""
    if library.is_bad(text) and library.fix_encoding(text) != text:
        return True
    if "&" not in text:
        return False
    plain = html.unescape(text)
    return plain != text and library.is_bad(plain) and library.fix_encoding(plain) != plain


def changed(before: str, after: str) -> list[tuple[int, int]]:
    """Where `before` differs from `after`: spans of `before`, those within two characters of each other made one."""
    if len(before) > _COMPARED:
        return [_middle(before, after)]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    spans: list[tuple[int, int]] = []
    for tag, start, end, _, _ in matcher.get_opcodes():
        if tag == "equal":
            continue
        if spans and start - spans[-1][1] <= 2:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [(start, max(end, min(start + 1, len(before)))) for start, end in spans]


def _middle(before: str, after: str) -> tuple[int, int]:
    """What stands between the beginning and the end that two texts share."""
    shortest = min(len(before), len(after))
    start = next((i for i in range(shortest) if before[i] != after[i]), shortest)
    most = shortest - start
    tail = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    return start, max(len(before) - tail, start + 1)


@functools.cache
def _ftfy() -> Any:
    return optional("ftfy", extra="audit")
