"""Any source as rows of an audit, one after another, so that its size does not matter for memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trimtab.audit.batches import batches, characters
from trimtab.audit.findings import Row, Side, Text
from trimtab.audit.separated import separated
from trimtab.data import files
from trimtab.data.conform import Conforming
from trimtab.data.rows import Reader
from trimtab.data.shape import EXPECTED, METADATA, Shape, metadata_of, of_rows
from trimtab.data.table import Record, Stream, place
from trimtab.data.turns import role_of
from trimtab.errors import DataError

SAMPLE = 500
TEXTS = (".txt", ".md", ".txt.gz", ".md.gz")
_WRITTEN = ("completion", "references", "output", "chosen", "text", "good", "answer", "messages")
_APART = ("rejected", "bad")
_DEEPEST = 8
_CONTENT = ("content", "value", "text")


@dataclass(slots=True)
class Source:
    """A source that is being read.

    Attributes:
        maker: makes rows of its records; can be sent to a worker process.
        records: what is still to be read, the first rows included.
        sample: its first rows, as many as `SAMPLE`, fewer where they are long.
        stream: what knows how far reading is.
        guessed: how it was read for want of a name that tells, in words.
    """

    maker: Maker
    records: Iterator[Record]
    sample: list[Row]
    stream: Stream
    guessed: tuple[str, ...] = ()


@dataclass(slots=True)
class Maker:
    """Makes a `Row` of a record, for rows of one shape.

    Attributes:
        answered: whether most conversations end with an answer, so that one without is broken.
    """

    name: str
    shape: Shape
    columns: Mapping[str, str]
    answered: bool = False
    _reading: Conforming = field(init=False)
    _sides: dict[str, Side] = field(init=False)

    def __post_init__(self) -> None:
        self._reading = Conforming(Reader(self.shape), self.columns)
        usual = {own: name for name, own in self.shape.columns.items()}
        self._sides = {own: _side(name) for own, name in usual.items() if name not in METADATA}

    def row(self, number: int, record: Record) -> Row:
        """The row of a record; a broken one has a problem, and the texts that can still be read."""
        where = place(self.name, record.number)
        if record.row is None:
            return Row(number, where, {}, problem=record.problem)
        if self.shape.kind == "unknown":
            return Row(number, where, record.row, self.texts(record.row))
        problems = self._reading.reader.problems
        problems.clear()
        example = self._reading.example(where, record.row)
        if example and self.answered and not example.references and "good" not in example.fields:
            last = example.messages[-1].role if example.messages else "nothing"
            expected = "expected an answer at the end as in other rows"
            problems.append(f"{where}: {expected}, received {last} as the last turn")
            example = None
        return Row(number, where, record.row, self.texts(record.row), example, "; ".join(problems))

    def texts(self, raw: Mapping[str, Any]) -> tuple[Text, ...]:
        """The texts of a row in the order of its columns; columns that no model sees have the side `other`."""
        found: list[Text] = []
        rest: Side = "prompt" if self.shape.kind == "unknown" else "other"
        owned = {self.shape.columns[name] for name in METADATA if name in self.shape.columns}
        for column, value in raw.items():
            if column not in owned:
                found += _texts(column, value, self._sides.get(column, rest))
        return tuple(found)


def _side(usual: str) -> Side:
    return "answer" if usual in _WRITTEN else "other" if usual in _APART else "prompt"


def _texts(column: str, value: Any, side: Side, depth: int = 0) -> Iterator[Text]:
    if isinstance(value, str):
        yield Text(column, value, side)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            # Of a conversation only the last answer is learned; what is before it is read.
            last = place == len(value) - 1
            if isinstance(item, str):
                yield Text(f"{column}[{place}]", item, side)
            elif isinstance(item, Mapping):
                learned = side == "answer" and last and role_of(item) == "assistant"
                kept: Side = side if side == "other" or learned else "prompt"
                yield from (
                    Text(f"{column}[{place}].{name}", item[name], kept)
                    for name in _CONTENT
                    if isinstance(item.get(name), str)
                )
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if depth < _DEEPEST:
                yield from _texts(f"{column}.{name}", inner, side, depth + 1)


def opened(source: str, columns: Mapping[str, str] | None = None) -> Source:
    """Begin to read a source.

    Args:
        source: what `trimtab.data.read` takes; a text file, one row a line that is not blank; or a folder of text
            files (.txt, .md, each also .gz), one row a file.
        columns: usual name to the source's own column.

    Without `columns`, rows of no known shape are taken as texts that a model reads.

    Raises:
        DataError: it cannot be read, is empty, or `columns` gives it no shape that is known.
        MissingPart: Parquet or the Hub is asked for and its libraries are not installed.
    """
    columns = dict(columns or {})
    stream, *guessed = _stream(source, columns)
    head = next(batches(stream.records, SAMPLE, lambda record: characters(record.row)), [])
    read = [(one.number, one.row) for one in head if one.row is not None]
    if not read:
        received = head[0].problem if head else f"{stream.name}: expected at least one row, received none"
        raise DataError(received, "give it rows that can be read")
    shape, unknown = _shape(stream.name, read, columns)
    maker = Maker(stream.name, shape, columns)
    sample = [maker.row(number, record) for number, record in enumerate(head)]
    examples = [row.example for row in sample if row.example]
    answered = sum(bool(one.references) for one in examples)
    if 2 * answered > len(examples) > answered:
        maker.answered = True
        sample = [maker.row(number, record) for number, record in enumerate(head)]
    said = tuple(text for text in (*guessed, unknown) if text)
    return Source(maker, itertools.chain(head, stream.records), sample, stream, said)


def _shape(
    name: str, read: Sequence[tuple[int, dict[str, Any]]], columns: Mapping[str, str]
) -> tuple[Shape, str]:
    """The shape of some rows, and what is said where it is unknown."""
    try:
        return of_rows(name, read, columns), ""
    except DataError:
        if columns:
            raise
    names = list(dict.fromkeys(column for _, row in read for column in row))
    said = (
        f"prompts and answers: no column of {', '.join(names) or 'none'} has a name that tells; expected {EXPECTED}. "
        "Each text was read as a prompt (--use prompt=COLUMN and --use completion=COLUMN name them)"
    )
    return Shape("unknown", metadata_of(names), len(read)), said


def rows(
    source: str, columns: Mapping[str, str] | None = None, wanted: Sequence[int] | np.ndarray | None = None
) -> Iterator[Row]:
    """The rows of a source, read from its beginning.

    Args:
        wanted: numbers of rows, ascending, each once; the others are not made, and what is behind the last is not
            read. None: all of them.

    Raises:
        DataError, MissingPart: as `opened`.
    """
    if wanted is not None and not len(wanted):
        return
    read = opened(source, columns)
    ahead = itertools.count() if wanted is None else map(int, wanted)
    waited = next(ahead, None)
    for number, record in enumerate(read.records):
        if number == waited:
            yield read.maker.row(number, record)
            waited = next(ahead, None)
            if waited is None:
                return


def _stream(source: str, columns: Mapping[str, str]) -> tuple[Stream, str]:
    """The records of a source, and what was guessed about them."""
    path = Path(source)
    if path.is_dir():
        return _folder(path), ""
    if path.name.lower().endswith(TEXTS) and path.is_file():
        found = Stream(str(path), iter(()))
        found.records, guessed = _lines(path, found), ""
        if "text" not in columns:
            found.records, guessed = separated(found.records, SAMPLE)
        return found, guessed
    return files.stream(source), ""


def _lines(path: Path, stream: Stream) -> Iterator[Record]:
    for number, text, problem in files.lines(path, stream):
        line = text.rstrip("\r\n")
        if problem:
            yield Record(number, None, problem)
        elif line.strip():
            yield Record(number, {"text": line})


def texts_in(folder: Path) -> list[Path]:
    """The text files of a folder and of those in it, in the order of their names; a data card in it is none of them."""
    card = folder / "README.md" if (folder / "croissant.json").is_file() else None
    found = (path for path in folder.rglob("*") if path.name.lower().endswith(TEXTS) and path.is_file())
    return sorted(path for path in found if path != card)


def _folder(folder: Path) -> Stream:
    paths = texts_in(folder)
    if not paths:
        raise files.missing(folder)
    stream = Stream(str(folder), iter(()), total=float(len(paths)))
    stream.records = _files(folder, paths, stream)
    return stream


def _files(folder: Path, paths: list[Path], stream: Stream) -> Iterator[Record]:
    for number, path in enumerate(paths, start=1):
        parts, size = [], 0
        problem = ""
        for line in files.lines(path, Stream(str(path), iter(()))):
            size += len(line.text)
            problem = problem or line.problem
            if size > files.MAX_LINE:
                problem = f"{path}: expected a text of at most 10 MB, received more"
            if problem:
                break
            parts.append(line.text)
        stream.done = number
        name = path.relative_to(folder).as_posix()
        yield (
            Record(number, None, problem)
            if problem
            else Record(number, {"text": "".join(parts), "source": name})
        )
