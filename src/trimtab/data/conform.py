"""Rows of a source that has one shape: to examples, or to what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab.data.rows import REQUIRED, Reader
from trimtab.data.shape import Ambiguous, of_names
from trimtab.records import Example


@dataclass(slots=True)
class Conforming:
    """Reads rows as a `Reader` does, after seeing that each has the columns of the source's shape.

    What is wrong goes to `reader.problems`, one line for each thing.
    """

    reader: Reader
    columns: Mapping[str, str]
    _kinds: dict[tuple[str, ...], str] = field(default_factory=dict)

    def example(self, place: str, row: Mapping[str, Any]) -> Example | None:
        """The example of a row, or None after noting what is wrong with it."""
        shape, names = self.reader.shape, tuple(row)
        if names not in self._kinds:
            self._kinds[names] = self._kind(names)
        lacking = [shape.columns[name] for name in REQUIRED[shape.kind] if shape.columns[name] not in row]
        if lacking:
            self.reader.problems.append(
                f"{place}: {lacking[0]}: missing; expected {shape.kind} as in most rows, "
                f"received columns {', '.join(row)}"
            )
            return None
        kind = self._kinds[names]
        if kind and kind != shape.kind:
            self.reader.problems.append(
                f"{place}: mixed shapes: expected {shape.kind} as in most rows, "
                f"received {kind} (columns {', '.join(row)})"
            )
            return None
        return self.reader.example(place, row)

    def _kind(self, names: tuple[str, ...]) -> str:
        """The shape that a set of columns has; empty where it has none of its own."""
        try:
            shape = of_names(names, self.columns)
        except Ambiguous:
            return ""
        return shape.kind if shape else ""
