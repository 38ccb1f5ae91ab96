"""Which facts together single people out: the sizes of the groups that share them (k-anonymity).

A postcode, a date of birth and a gender name nobody; together they may fit one person only. A table is k-anonymous
in some columns if every combination of their values occurs at least k times (Sweeney 2002, "k-anonymity: a model for
protecting privacy", section 2.2). This is a hint, not a proof: it sees no other table that could be joined.

Of each row only a hash of its values is kept, eight bytes, so that a million rows need no more than that.
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from trimtab.audit.findings import Finding, Row
from trimtab.audit.kinds import KINDS
from trimtab.audit.privacy.columns import column_words
from trimtab.audit.tallies import Counting
from trimtab.document.sections import Section

KIND = "quasi_identifier"
WANTED = 5  # rows that should share their facts
# Facts that others may know of a person, by what a column that holds them is called.
_NAMES = {
    "postcode": ("zip", "zipcode", "postcode", "postal", "plz"),
    "place": ("city", "town", "county", "state", "region", "country", "village", "municipality", "district"),
    "birth": ("birth", "birthday", "birthdate", "dob", "born"),
    "age": ("age",),
    "gender": ("gender", "sex"),
    "origin": ("nationality", "ethnicity", "race", "origin", "citizenship", "language", "religion"),
    "job": ("job", "occupation", "profession", "employer", "position"),
    "family": ("marital", "children", "household"),
    "education": ("education", "degree", "school"),
    "health": ("diagnosis", "disease", "blood", "height", "weight"),
}
# A fact of these kinds says that rows are about people; city and state alone may be those of shops.
_OF_PEOPLE = ("postcode", "birth", "age", "gender", "origin", "family", "health")
_MOST = 8  # columns together; with more nearly every row is alone
_DEEPEST = 3
_NOTED = 1000  # rows whose note says how large their group is; the others are only counted
_NOTHING = 0  # the hash of a row without a value in any column


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of rows that agree in some columns.

    Attributes:
        columns: those that were put together.
        rows: how many rows had a value in at least one of them.
        k: the size of the smallest group; 0 where no row had any.
        alone: how many rows no other agrees with.
        below: rows, 0-based and ascending, in groups smaller than the wanted size.
        sizes: for each of `below`, how many rows agree with it, itself included.
    """

    columns: tuple[str, ...]
    rows: int
    k: int
    alone: int
    below: tuple[int, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """The columns whose values are put together; can be sent to a worker process."""

    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, sample: Iterable[Row]) -> Facts:
        """Those that the names of columns betray, eight at most; none where they do not speak of people.

        Args:
            sample: some hundred rows. Columns that a model reads or writes are no columns of facts.
        """
        names: dict[str, None] = {}
        for row in sample:
            read = {text.field for text in row.texts if text.side != "other"}
            names.update(dict.fromkeys(name for name in _fields(row.raw) if name not in read))
        chosen = quasi_columns(names)[:_MOST]
        kinds = {_kind(name) for name in chosen}
        enough = len(kinds) > 1 or not kinds.isdisjoint(("postcode", "birth"))
        return cls(tuple(chosen) if enough and not kinds.isdisjoint(_OF_PEOPLE) else ())

    def hash(self, raw: Mapping[str, Any]) -> int:
        """A hash, 64 bits, of what a row has in these columns; 0 where it has no value in any."""
        values = [_plain(_value(raw, name)) for name in self.columns]
        if not any(values):
            return _NOTHING
        told = "\0".join(values).encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(told, digest_size=8).digest(), "little") or 1


@dataclass
class Singled:
    """Rows as the hashes of their facts, gathered over the whole set."""

    facts: Facts
    hashes: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, row: Row) -> None:
        """Keep the hash of a row's facts."""
        self.hashes.append(self.facts.hash(row.raw))

    def join(self, later: Singled) -> None:
        """Add the rows that follow."""
        self.hashes.extend(later.hashes)

    def sections(self) -> Sequence[Section]:
        """None: the finding says it."""
        return ()

    def findings(self) -> Sequence[Finding]:
        """`quasi_identifier`, where rows stand in groups below five."""
        found = finding(self.facts.columns, np.array(self.hashes, dtype=np.uint64))
        return (found,) if found else ()


def tallies(sample: Iterable[Row]) -> tuple[Counting, ...]:
    """What gathers the facts of a source that begins with these rows; nothing where it has no such columns."""
    facts = Facts.of(sample)
    return (functools.partial(Singled, facts),) if facts.columns else ()


def quasi_columns(names: Iterable[str]) -> list[str]:
    """Columns whose name says that they hold a fact others may know: postcode, birth, gender, job and the like."""
    return [name for name in names if _kind(name)]


def groups(columns: Sequence[str], hashes: np.ndarray, wanted: int = WANTED) -> Groups:
    """The groups of rows with the same hash.

    Args:
        hashes: (rows,) uint64, as `Facts.hash` gives them, in the order of the rows.
        wanted: the group size that is asked for, at least 2.
    """
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    sizes = np.where(hashes == _NOTHING, 0, counts[inverse])
    told = sizes[sizes > 0]
    below = np.flatnonzero((sizes > 0) & (sizes < max(2, wanted)))
    return Groups(
        tuple(columns),
        rows=len(told),
        k=int(told.min()) if len(told) else 0,
        alone=int((sizes == 1).sum()),
        below=tuple(below.tolist()),
        sizes=tuple(sizes[below].tolist()),
    )


def finding(columns: Sequence[str], hashes: np.ndarray) -> Finding | None:
    """The finding `quasi_identifier`: rows in groups below five; None where there are no such rows or columns.

    Its detail has columns, k, and how many rows are alone or in groups below five; no value is in it.
    """
    if not columns or not len(hashes):
        return None
    found = groups(columns, hashes)
    if not found.below:
        return None
    named = ", ".join(found.columns)
    notes = {
        row: f"{named}: {'no other row' if size == 1 else f'{size} rows'} with these values"
        for row, size in zip(found.below[:_NOTED], found.sizes[:_NOTED], strict=True)
    }
    detail = {
        "columns": list(found.columns),
        "k": found.k,
        "wanted": WANTED,
        "rows_with_values": found.rows,
        "alone": found.alone,
        "below": len(found.below),
    }
    return Finding(KIND, KINDS[KIND].severity, found.below, notes=notes, detail=detail)


def _kind(name: str) -> str:
    words = set(column_words(name))
    return next((kind for kind, known in _NAMES.items() if not words.isdisjoint(known)), "")


def _fields(raw: Mapping[str, Any], head: str = "", depth: int = 0) -> Iterable[str]:
    for name, value in raw.items():
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _fields(value, f"{head}{name}.", depth + 1)
        elif not isinstance(value, Mapping | list):
            yield f"{head}{name}"


def _value(raw: Mapping[str, Any], field: str) -> Any:
    if field in raw:
        return raw[field]
    inner: Any = raw
    for name in field.split("."):
        inner = inner.get(name) if isinstance(inner, Mapping) else None
    return inner


def _plain(value: Any) -> str:
    return "" if value is None else " ".join(str(value).casefold().split())
