"""Personal data in texts and rows: by patterns, by Presidio's check digits, and by a model that knows names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from trimtab.audit.findings import Hit, Row, Span
from trimtab.audit.privacy import columns
from trimtab.audit.privacy.beside import beside
from trimtab.audit.privacy.names import Names
from trimtab.audit.privacy.national import National
from trimtab.language.personal.found import Found, settle
from trimtab.language.personal.scan import hints, patterns

__all__ = ["KIND", "Detector", "Found", "check", "patterns"]

KIND = "personal_data"
_SHAPES = 0.4  # from here on a shape counts, when names are searched too


class Detector:
    """A finder of personal data in many texts.

    Args:
        names: also search for names, places, organisations and dates (spaCy), and for national identity numbers
            (Presidio); finds of a mere shape, such as an age or a web address, are then reported too.

    Raises:
        MissingPart: names are wanted, and spaCy, a model of English for it, or Presidio is not installed.
    """

    def __init__(self, names: bool = False) -> None:
        self._names = Names() if names else None
        self._national = National() if names else None

    @property
    def seen(self) -> str:
        """What is looked for, in words, so that a report can say what was not."""
        if self._names is None:
            return "patterns only: names without a title or an announcing phrase are not looked for"
        return (
            f"patterns, national identity numbers (Presidio) and names in English text ({self._names.model})"
        )

    def find(self, texts: Sequence[str]) -> Iterator[list[Found]]:
        """The finds of each text: in order, without overlaps."""
        if self._names is None or self._national is None:
            for text in texts:
                yield patterns(text)
            return
        for text, named in zip(texts, self._names.find(texts), strict=True):
            shapes = [*patterns(text, _SHAPES), *hints(text), *named]
            yield settle([*shapes, *beside(text, shapes), *self._national.find(text)], _SHAPES)

    def check(self, row: Row) -> Iterator[Hit]:
        """The finds in the texts of a row, and what patterns find in its other columns."""
        # A cell of one word is no text in which a model knows names; its column tells what it is.
        read = [text for text in row.texts if text.side != "other" or " " in text.text.strip()]
        for text, ones in zip(read, self.find([text.text for text in read]), strict=True):
            told = settle([*ones, *columns.found(text)], _SHAPES) if text.side == "other" else ones
            yield from _hits(row.number, text.field, told)
        yield from _cells(row, {text.field for text in read})


def check(row: Row) -> Iterator[Hit]:
    """What patterns alone find in a row; a row check that worker processes can run."""
    for text in row.texts:
        if text.side != "other":
            yield from _hits(row.number, text.field, patterns(text.text))
    yield from _cells(row)


def _cells(row: Row, done: Collection[str] = ()) -> Iterator[Hit]:
    for cell in columns.cells(row):
        if cell.field not in done:
            yield from _hits(row.number, cell.field, columns.found(cell))


def _hits(row: int, field: str, found: Sequence[Found]) -> Iterator[Hit]:
    for one in found:
        yield Hit(KIND, row, Span(row, field, one.start, one.end, one.type), note=one.type)
