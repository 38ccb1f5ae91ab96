"""A sample of rows that is the same however many processes read them: those with the smallest hash of their number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

MOST = 2000
# A row is kept only while it may still be drawn: of the first n rows 2,000 or more have a hash below 1.25 * 2000 / n,
# but for a chance of e^-50 (Chernoff's bound). So this changes no draw, and later parts of the rows stay small.
_SLACK = 1.25
_ALL = 1 << 64

Value = TypeVar("Value")


def rank(number: int) -> int:
    """A hash of a row's number, 64 bits: SplitMix64 (Steele, Lea, Flood 2014, figure 15)."""
    mixed = (number + 1) * 0x9E3779B97F4A7C15 % _ALL
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % _ALL
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % _ALL
    return mixed ^ mixed >> 31


@dataclass(slots=True)
class Sample(Generic[Value]):
    """At most so many rows of those seen, whatever their order and their parts; a value is kept for each."""

    most: int = MOST
    _held: list[tuple[int, int, Value]] = field(default_factory=list)

    def wants(self, number: int) -> bool:
        """Whether a row may be among the sample of this row and those before it."""
        return rank(number) * (number + 1) < _SLACK * self.most * _ALL

    def take(self, number: int, value: Value) -> None:
        """Keep a row that is wanted, as long as not that many others have a smaller hash."""
        self._held.append((rank(number), number, value))
        self._cut(2 * self.most)

    def join(self, later: Sample[Value]) -> None:
        """Add the rows of another sample."""
        self._held += later._held
        self._cut(2 * self.most)

    def _cut(self, most: int) -> None:
        if len(self._held) > most:
            self._held.sort(key=lambda one: one[:2])
            del self._held[self.most :]

    def drawn(self) -> list[tuple[int, Value]]:
        """The numbers and values of the rows that were drawn, in the order of the rows."""
        self._cut(self.most)
        return sorted(((number, value) for _, number, value in self._held), key=lambda one: one[0])
