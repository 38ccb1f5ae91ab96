"""Rows of a file or a Hub data set, each with its place, before anything is read into them."""

from __future__ import annotations

import difflib
import gzip
import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path

from trimtab.data import columnar, delimited, objects
from trimtab.data.table import Table
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
    if source.startswith("hub:"):
        return columnar.hub(source)
    path = Path(source)
    if not path.is_file():
        raise _missing(path)
    table = Table(str(path))
    kind = _kind(path)
    if kind == ".parquet":
        table.rows = list(enumerate(columnar.parquet(path), start=1))
        return table
    try:
        lines = list(_lines(path, table))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a complete gzip file: {error}", "compress the file again") from None
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}", "check the permissions of the file"
        ) from None
    if kind in (".csv", ".tsv"):
        delimited.parse(lines, table)
    elif kind == ".json" and not table.problems and objects.is_one_document(lines):
        objects.parse_document(lines, table)
    else:
        objects.parse_lines(lines, table)
    return table


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


def _missing(path: Path) -> DataError:
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


def _lines(path: Path, table: Table) -> Iterator[tuple[int, str]]:
    """Numbered lines as text; a line that is too long or not UTF-8 is noted and left out."""
    compressed = path.name.lower().endswith(".gz")
    with gzip.open(path, "rb") if compressed else path.open("rb") as stream:
        for number in itertools.count(1):
            line = stream.readline(MAX_LINE + 1)
            if not line:
                return
            if number == 1:
                if line[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise DataError(f"{path}:1: expected UTF-8, received UTF-16", "save the file as UTF-8")
                line = line.removeprefix(b"\xef\xbb\xbf")
            if len(line) > MAX_LINE:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(MAX_LINE + 1)
                table.problems.append(
                    f"{table.place(number)}: expected a line of at most 10 MB, received more"
                )
                continue
            try:
                yield number, line.decode("utf-8")
            except UnicodeDecodeError as error:
                table.problems.append(
                    f"{table.place(number)}: expected UTF-8, received byte 0x{line[error.start]:02x} "
                    f"at byte {error.start + 1} of the line"
                )
