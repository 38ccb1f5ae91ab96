"""Rows of a file or a Hub data set, each with its place, before anything is read into them."""

from __future__ import annotations

import difflib
import gzip
import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path

from trimtab.data import columnar, delimited, objects
from trimtab.data.table import Line, Record, Stream, Table, place
from trimtab.errors import DataError

MAX_LINE = 10 * 2**20
KNOWN = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


def load(source: str) -> Table:
    """Read every row of `source`: a .jsonl, .json, .csv, .tsv or .parquet file, or hub:<dataset>[:<split>].

    Rows that cannot be read become `problems`, so that a caller can report all of them at once.

    Raises:
        DataError: the file is missing, of an unknown kind, or not readable at all.
        MissingPart: Parquet or the Hub is asked for and the `data` extra is not installed.
    """
    found = stream(source)
    table = Table(found.name)
    for number, row, problem in found:
        if row is None:
            table.problems.append(problem)
        else:
            table.rows.append((number, row))
    return table


def stream(source: str) -> Stream:
    """The rows of `source` one after another, as `load` takes them; what is not asked for is not in memory.

    Raises:
        DataError: as `load`; also while records are read.
        MissingPart: as `load`.
    """
    if source.startswith("hub:"):
        return columnar.hub(source)
    path = Path(source)
    if not path.is_file():
        raise missing(path)
    kind = _kind(path)
    if kind == ".parquet":
        return columnar.parquet(path)
    found = Stream(str(path), iter(()))
    texts = lines(path, found)
    if kind in (".csv", ".tsv"):
        found.records = delimited.records(texts, found.name)
    elif kind == ".json":
        found.records = _objects(texts, found.name)
    else:
        found.records = objects.records(texts, found.name)
    return found


def _objects(texts: Iterator[Line], name: str) -> Iterator[Record]:
    """A .json file is one list, or in spite of its name one object a line: its first line tells."""
    head = list(
        itertools.islice(itertools.dropwhile(lambda line: not (line.text.strip() or line.problem), texts), 1)
    )
    one = bool(head) and objects.begins_document(head[0].text)
    yield from (objects.document if one else objects.records)(itertools.chain(head, texts), name)


def _kind(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    kind = Path(name).suffix
    if kind not in KNOWN or (kind == ".parquet" and path.name.lower().endswith(".gz")):
        raise DataError(
            f"{path}: expected a file ending in {', '.join(KNOWN)} (all but the last also with .gz), "
            f"received {''.join(path.suffixes) or 'no ending'}",
            "convert the file, or rename it to what it holds",
        )
    return kind


def missing(path: Path) -> DataError:
    """Why there is no file of this name, and what may have been meant."""
    if path.is_dir():
        inside = sorted(item.name for item in path.iterdir() if item.suffix in (*KNOWN, ".gz"))
        return DataError(
            f"{path}: expected a file, received a folder",
            f"name one of its files: {', '.join(inside[:5])}" if inside else "name a file of examples",
        )
    folder = path.parent
    if not folder.is_dir():
        return DataError(f"{path}: no such file; the folder {folder} does not exist either", "check the path")
    near = difflib.get_close_matches(path.name, [item.name for item in folder.iterdir()], n=3)
    return DataError(
        f"{path}: no such file", f"did you mean {' or '.join(near)}?" if near else "check the path"
    )


def lines(path: Path, progress: Stream) -> Iterator[Line]:
    """Lines of a UTF-8 file, plain or .gz; one that is too long or not UTF-8 comes as a problem without its text.

    `progress` is told how many bytes of the file are read.

    Raises:
        DataError: not readable, UTF-16, or a gzip file that is damaged.
    """
    try:
        with path.open("rb") as file:
            progress.total = path.stat().st_size
            opened = gzip.GzipFile(fileobj=file) if path.name.lower().endswith(".gz") else file
            for number in itertools.count(1):
                line = opened.readline(MAX_LINE + 1)
                if not line:
                    return
                if number % 256 == 0:
                    progress.done = file.tell()
                if number == 1:
                    if line[:2] in (b"\xff\xfe", b"\xfe\xff"):
                        raise DataError(
                            f"{path}:1: expected UTF-8, received UTF-16", "save the file as UTF-8"
                        )
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if len(line) > MAX_LINE:
                    while line and not line.endswith(b"\n"):
                        line = opened.readline(MAX_LINE + 1)
                    where = place(progress.name, number)
                    yield Line(number, "", f"{where}: expected a line of at most 10 MB, received more")
                else:
                    yield _decoded(line, number, progress.name)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a complete gzip file: {error}", "compress the file again") from None
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}", "check the permissions of the file"
        ) from None


def _decoded(line: bytes, number: int, name: str) -> Line:
    try:
        return Line(number, line.decode("utf-8"))
    except UnicodeDecodeError as error:
        wrong = f"byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line"
        return Line(number, "", f"{place(name, number)}: expected UTF-8, received {wrong}")
