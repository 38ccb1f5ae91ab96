"""The labels of a set: a column of few values on many rows, named by the user or told by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from trimtab.audit.findings import Row
from trimtab.errors import DataError

# Names that columns of labels usually have; then the answer itself, where it is one of a few.
USUAL = ("label", "labels", "category", "intent", "class", "sentiment", "topic")
ANSWER = "(the answer)"
MANY, FEWEST_EACH, LEAST = 200, 10, 50
_LONGEST = 100


class Categories:
    """Labels of rows, added row by row.

    Attributes:
        column: their column; `ANSWER` where the answer is the label; empty after `settle` where there is none.
        values: the label of each row, empty where it has none.
        missed: why there are none, in words, where a column was named or looked like one.
    """

    def __init__(self, column: str = "") -> None:
        self.column, self.named, self.missed = column, bool(column), ""
        self.values: tuple[str, ...] = ()
        self._seen: dict[str, list[str]] = {}
        self._known: set[str] = set()

    def add(self, row: Row) -> None:
        """Take the labels of a row, in each column that may hold them."""
        self._known |= row.raw.keys()
        found = {self.column: row.raw.get(self.column)} if self.named else _usual(row)
        for name, value in found.items():
            self._seen.setdefault(name, []).append(_text(value))

    def settle(self) -> None:
        """Choose the column, after the last row.

        Raises:
            DataError: no row has the column that was named.
        """
        if self.named and not any(self._seen.get(self.column, ())):
            raise _lacking(self.column, "any row", self._known)
        for name, values in self._seen.items():
            if why := _unfit(values):
                self.missed = f"{name}: {why}" if self.named else self.missed
                continue
            self.column, self.values, self._seen = name, tuple(values), {}
            return
        self.column, self._seen = "", {}


def present(column: str, sample: Sequence[Row]) -> None:
    """Look for a column of labels in the first rows, before a long pass over all of them.

    Raises:
        DataError: none of them has it.
    """
    known = {name for row in sample for name in row.raw}
    if column not in known:
        raise _lacking(column, f"the first {len(sample)} rows", known)


def _lacking(column: str, where: str, known: set[str]) -> DataError:
    received = f"label={column}: expected a column of words or whole numbers, received none in {where}"
    return DataError(received, f"columns are {', '.join(sorted(known)) or 'unknown'}")


def _usual(row: Row) -> dict[str, object]:
    return {**{name: row.raw.get(name) for name in USUAL}, ANSWER: _answer(row)}


def _unfit(values: list[str]) -> str:
    """Why values are no labels; empty where they are."""
    held = Counter(value for value in values if value)
    if held.total() < LEAST:
        return f"expected at least {LEAST} rows with a label, received {held.total()}"
    if not 2 <= len(held) <= MANY:
        return f"expected 2 to {MANY} different labels, received {len(held)}"
    if held.total() < FEWEST_EACH * len(held):
        return f"expected {FEWEST_EACH} rows a label on average, received {held.total() / len(held):.1f}"
    return ""


def _text(value: object) -> str:
    """A label as text: a word, a whole number, yes or no; empty for anything else."""
    if not isinstance(value, str | int):
        return ""
    said = str(value).strip()
    return said if len(said) <= _LONGEST else ""


def _answer(row: Row) -> str:
    """What a row answers: its right choice in words, else its only reference."""
    if row.example is None:
        return ""
    fields: Mapping[str, object] = row.example.fields
    choices, place = fields.get("choices"), fields.get("answer")
    if isinstance(choices, list | tuple) and isinstance(place, int) and 0 <= place < len(choices):
        return str(choices[place])
    return row.example.references[0] if len(row.example.references) == 1 else ""


def codes(values: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as (n,) int64, places in their names in the order of the alphabet; -1 for none."""
    known = tuple(sorted({value for value in values if value}))
    places = {value: place for place, value in enumerate(known)}
    return np.array([places.get(value, -1) for value in values], dtype=np.int64), known
