"""The texts of a person's rows: what to look for in other files, as bytes and in JSON, and how it is taken out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Characters. Shorter texts ("ok", "Yes, please") are said by many: they are found by their row's id alone.
WHOLE, PIECE = 12, 20
ERASED = "[erased]"
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Needles:
    """Texts that stand in one person's rows and in nobody else's.

    Attributes:
        texts: whole texts of at least 12 characters and sentences of at least 20, the longest first.
    """

    texts: tuple[str, ...] = ()
    _bytes: list[bytes] = field(default_factory=list, repr=False, compare=False)

    @property
    def forms(self) -> list[bytes]:
        """Every text as files may hold it: plain, in JSON, in HTML, in a quoted cell; each in UTF-8."""
        if not self._bytes:
            found = (form.encode("utf-8", "surrogatepass") for text in self.texts for form in _forms(text))
            self._bytes.extend(dict.fromkeys(found))
        return self._bytes

    def within(self, content: bytes) -> int:
        """How many forms of the texts stand in these bytes."""
        return sum(form in content for form in self.forms)

    def inside(self, text: str) -> bool:
        """Whether one of the texts stands in this one."""
        return any(needle in text for needle in self.texts)


def needles(own: Iterable[str], others: Iterable[str]) -> Needles:
    """What to look for: texts of a person's rows that nobody else's rows hold.

    Args:
        own: texts of the person's rows.
        others: texts of all other rows of the same files.
    """
    wanted = {piece for text in own for piece in _pieces(text)}
    if not wanted:
        return Needles()
    around = "\0".join(others)
    return Needles(
        tuple(sorted((piece for piece in wanted if piece not in around), key=lambda p: (-len(p), p)))
    )


def leaves(value: Any, skipped: Sequence[str] = ()) -> Iterator[str]:
    """Every text in a JSON value, without those under the skipped keys of its top level."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in skipped:
                yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)


@dataclass
class Redactor:
    """Takes a person's rows and texts out of JSON values; counts what it took.

    Attributes:
        ids: of the person's rows: an object that names one as its `example` goes, and its `id` where `by_id` is set.
        subject: an object of that subject goes.
        listed: whether a list of texts is one of ids.
    """

    needles: Needles
    ids: frozenset[str]
    subject: str
    by_id: bool = False
    listed: bool = False
    rows: int = 0
    texts: int = 0

    def concerns(self, value: Any) -> bool:
        """Whether an object is one of the person's rows, or says something of one."""
        if not isinstance(value, Mapping):
            return self.listed and isinstance(value, str) and value in self.ids
        names = ("example", "parent", "beside", *(("id",) if self.by_id else ()))
        named = any(isinstance(value.get(name), str) and value[name] in self.ids for name in names)
        return named or (bool(self.subject) and value.get("subject") == self.subject)

    def clean(self, value: Any) -> Any:
        """The value without the person's rows; texts that hold theirs are replaced whole."""
        if isinstance(value, str):
            if not self.needles.inside(value):
                return value
            self.texts += 1
            return ERASED
        if isinstance(value, Mapping):
            return {
                self._key(name): self.clean(inner) for name, inner in value.items() if not self._own(name)
            }
        if isinstance(value, list):
            kept = [inner for inner in value if not self.concerns(inner)]
            self.rows += len(value) - len(kept)
            return [self.clean(inner) for inner in kept]
        return value

    def _own(self, name: str) -> bool:
        """Whether a key is a row of the person: `id <row>`, as exemplars keep it."""
        own = name.startswith("id ") and name[3:] in self.ids
        self.rows += own
        return own

    def _key(self, name: str) -> str:
        if not self.needles.inside(name):
            return name
        self.texts += 1
        return ERASED


def _pieces(text: str) -> Iterator[str]:
    whole = text.strip()
    if len(whole) >= WHOLE:
        yield whole
    for piece in _SENTENCES.split(text):
        if len(piece.strip()) >= PIECE:
            yield piece.strip()


def _forms(text: str) -> Iterator[str]:
    yield text
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    yield html.escape(text, quote=False)
    yield html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    yield html.escape(text)
    yield text.replace('"', '""')
    if "\n" in text:
        yield text.replace("\n", "\r\n")
