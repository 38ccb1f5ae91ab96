"""Who is to be forgotten: a person's rows in the data files and in the runs' records, and what tells their texts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab.data import files, shape
from trimtab.data.rows import REQUIRED, Reader
from trimtab.data.split import content_key
from trimtab.data.table import Table
from trimtab.erasure.texts import Needles, leaves, needles
from trimtab.errors import DataError, MissingPart
from trimtab.lineage import Row
from trimtab.records import Example

SUBJECT = "subject"


@dataclass
class Source:
    """A data file as it was read.

    Attributes:
        column: the file's own column of subjects; empty where it has none.
        examples: what training would make of each row; None where it has no shape.
        unread: why all of it, or some of its lines, could not be searched.
    """

    path: Path
    table: Table
    column: str = ""
    examples: list[Example | None] = field(default_factory=list)
    unread: str = ""

    def subject(self, place: int) -> str:
        """Whose row stands at this place of the table."""
        value = self.table.rows[place][1].get(self.column) if self.column else None
        return "" if value is None else str(value).strip()

    def texts(self, place: int) -> Iterator[str]:
        """Every text of a row that is not said about it: as the file has it, and as training reads it."""
        raw, example = self.table.rows[place][1], self.examples[place]
        yield from leaves(raw, (*shape.METADATA, self.column, "license", "parent"))
        if example:
            yield from (message.content for message in example.messages)
            yield from example.references


@dataclass(frozen=True)
class Person:
    """A subject, and what is known of it before anything is changed.

    Attributes:
        rows: numbers of the rows to remove, by file, as `data.files.load` counts them.
        named: files in which a row names the subject. The others hold copies, or rows made from those.
        ids: of all rows of the person.
        contents: hashes of what they say (`data.split.content_key`).
        copies: rows to remove that name no subject: the same content, or a parent among the person's rows.
        alike: rows with the same content that are left, because it is short or another person's as well.
        searched: rows of all files together.
    """

    subject: str
    rows: Mapping[Path, tuple[int, ...]]
    named: frozenset[Path]
    ids: frozenset[str]
    contents: frozenset[str]
    needles: Needles
    copies: int = 0
    alike: int = 0
    searched: int = 0

    def owned(self, rows: Sequence[Row]) -> list[Row]:
        """Rows of a run's record that are the person's, or were made from one of theirs, or from one of these."""
        first = [row for row in rows if not row.erased and self._says(row)]
        ids = {row.id for row in first}
        # An id may be used again in another file: a parent that the run itself has decides by who it is there.
        ids |= self.ids - {row.id for row in rows}
        found = {id(row): row for row in first}
        while made := {
            id(row): row
            for row in rows
            if not row.erased and id(row) not in found and not ids.isdisjoint({row.parent, row.beside} - {""})
        }:
            found |= made
            ids |= {row.id for row in made.values()}
        return list(found.values())

    def _says(self, row: Row) -> bool:
        same = row.content in self.contents and row.subject in ("", self.subject)
        return row.subject == self.subject or same


def read(path: Path, column: str = "", columns: Mapping[str, str] | None = None) -> Source:
    """Read a data file for a search; what cannot be read is noted, not raised.

    Args:
        column: of subjects, where the file has one of this name.
        columns: usual name to the file's own, as a recipe has it for this file.
    """
    own = dict(columns or {})
    try:
        table = files.load(str(path))
    except (DataError, MissingPart) as error:
        return Source(path, Table(str(path)), unread=error.message)
    source = Source(path, table, examples=[None] * len(table.rows))
    names = list(dict.fromkeys(name for _, row in table.rows for name in row))
    usual = [name for name in names if name.strip().lower() == SUBJECT]
    wanted = [column, own.get(SUBJECT, ""), *usual]
    source.column = next((name for name in wanted if name and name in names), "")
    if table.problems:
        source.unread = f"{len(table.problems)} lines cannot be read, such as {table.problems[0]}"
    source.examples = _examples(table, own)
    return source


def find(subject: str, sources: Sequence[Source], recorded: Sequence[Row]) -> Person:
    """Everything that is the subject's.

    A row is removed where it names the subject; where it names as its parent a row that is removed; and where it
    names nobody and says the same as such a row in words that nobody else uses, as far as files name subjects.

    Args:
        recorded: rows of all runs.
    """
    places = {source.path: {p for p in _every(source) if source.subject(p) == subject} for source in sources}
    own = [row for row in recorded if row.subject == subject and not row.erased]
    ids = {row.id for row in own} | {e.id for e in _chosen(sources, places)}
    named = frozenset(path for path, found in places.items() if found)
    before = sum(map(len, places.values()))
    _add_descendants(sources, places, ids)
    contents = {row.content for row in own} | {content_key(e) for e in _chosen(sources, places)}
    alike = {source.path: _alike(source, contents) - places[source.path] for source in sources}
    mine = [t for s in sources for p in places[s.path] | alike[s.path] for t in s.texts(p)]
    others = itertools.chain.from_iterable(
        s.texts(p)
        for s in sources
        if s.column
        for p in _every(s)
        if p not in places[s.path] and p not in alike[s.path]
    )
    unique = needles(mine, others)
    for source in sources:
        places[source.path] |= {p for p in alike[source.path] if any(map(unique.inside, source.texts(p)))}
    ids |= {example.id for example in _chosen(sources, places)}
    rows = {
        s.path: tuple(s.table.rows[p][0] for p in sorted(places[s.path])) for s in sources if places[s.path]
    }
    removed = sum(map(len, rows.values()))
    left = sum(len(alike[s.path] - places[s.path]) for s in sources)
    return Person(
        subject,
        rows,
        named,
        frozenset(ids),
        frozenset(contents),
        unique,
        removed - before,
        left,
        sum(len(s.table.rows) for s in sources),
    )


def _examples(table: Table, columns: Mapping[str, str]) -> list[Example | None]:
    nothing: list[Example | None] = [None] * len(table.rows)
    known = {
        usual: name for usual, name in columns.items() if any(name in row for _, row in table.rows[:100])
    }
    try:
        found = shape.of_rows(table.name, table.rows, known) if table.rows else None
    except DataError:
        return nothing
    if found is None or not found.certain:
        return nothing
    reader = Reader(found)
    needed = [found.columns[name] for name in REQUIRED[found.kind]]
    return [
        reader.example(table.place(number), row) if all(name in row for name in needed) else None
        for number, row in table.rows
    ]


def _every(source: Source) -> range:
    return range(len(source.table.rows))


def _chosen(sources: Sequence[Source], places: Mapping[Path, set[int]]) -> Iterator[Example]:
    for source in sources:
        for place in places[source.path]:
            example = source.examples[place]
            if example:
                yield example


def _parent(raw: Mapping[str, Any]) -> str:
    value = raw.get("parent")
    return value if isinstance(value, str) else ""


def _add_descendants(sources: Sequence[Source], places: dict[Path, set[int]], ids: set[str]) -> None:
    """Add rows that were made from rows of the person, and those made from these.

    An id may be used again in another file: a parent that stands in a row's own file is that one.
    """
    found = True
    while found:
        found = False
        for source in sources:
            mine = places[source.path]
            strangers = {e.id for place, e in enumerate(source.examples) if e and place not in mine}
            for place in set(_every(source)) - mine:
                parent = _parent(source.table.rows[place][1])
                if parent in ids and parent not in strangers:
                    mine.add(place)
                    example = source.examples[place]
                    ids |= {example.id} if example else set()
                    found = True


def _alike(source: Source, contents: set[str]) -> set[int]:
    """Places of rows that name nobody, or have no column for it, and say the same."""
    return {
        place
        for place, example in enumerate(source.examples)
        if example and not source.subject(place) and content_key(example) in contents
    }
