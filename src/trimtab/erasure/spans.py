"""A data file without some of its rows: all other bytes stay as they are, where the format allows it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from trimtab.data.files import load
from trimtab.errors import DataError, MissingPart

BOM = b"\xef\xbb\xbf"
DELIMITERS = ",;\t|"
# Lines of one record of a table.
LONGEST = 10_000


def without(path: Path, numbers: Collection[int]) -> bytes:
    """The content of a file without the rows of these numbers, as `data.files.load` counts them.

    Lines of JSON, a JSON list and delimited text keep every other byte; of a compressed file the same holds for what
    it unpacks to. Parquet is written again with its schema, its metadata and its compression.

    Raises:
        DataError: the file has changed since it was read.
        MissingPart: Parquet, and pyarrow is not installed.
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".parquet"):
        return _parquet(path, numbers)
    raw = path.read_bytes()
    packed = path.name.lower().endswith(".gz")
    content = gzip.decompress(raw) if packed else raw
    if name.endswith((".csv", ".tsv")):
        left = _lines(content, _record_lines(path, content, numbers))
    elif name.endswith(".json") and content.removeprefix(BOM).lstrip().startswith(b"["):
        left = _document(path, content, numbers)
    else:
        left = _lines(content, set(numbers))
    return gzip.compress(left, mtime=0) if packed else left


def _record_lines(path: Path, content: bytes, numbers: Collection[int]) -> set[int]:
    """The numbers of all lines that these records of a table take up; a record is known by its first line."""
    texts = [line.decode("utf-8", "replace") + "\n" for line in content.removeprefix(BOM).split(b"\n")]
    rows = dict(load(str(path)).rows)
    if not set(numbers) <= set(rows):
        raise _changed(path)
    found: set[int] = set()
    for number in numbers:
        names, values = list(rows[number]), list(rows[number].values())
        ends = {end for end, cells in _records(texts, names, number) if cells == values}
        if len(ends) != 1:
            raise _changed(path)
        found.update(range(number, ends.pop() + 1))
    return found


def _records(texts: list[str], names: list[str], number: int) -> Iterator[tuple[int, list[str]]]:
    """The record that begins on a line, by each delimiter that finds these names in the header: last line, cells."""
    first = next((place for place, text in enumerate(texts) if text.strip()), 0)
    for delimiter in DELIMITERS:
        header = [
            cell.strip() for cell in next(csv.reader(texts[first : first + LONGEST], delimiter=delimiter))
        ]
        if [name for name in header if name] == names:
            reader = csv.reader(texts[number - 1 : number - 1 + LONGEST], delimiter=delimiter)
            cells = [cell for name, cell in zip(header, next(reader), strict=False) if name]
            yield number + reader.line_num - 1, cells


def _changed(path: Path) -> DataError:
    return DataError(f"{path}: has changed since it was read", "give the same command again")


def _lines(content: bytes, dropped: Collection[int]) -> bytes:
    """The content without these lines, counted from 1; a mark at the beginning stays."""
    mark = BOM if content.startswith(BOM) else b""
    lines = content.removeprefix(mark).split(b"\n")
    ended = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    return mark + b"".join(line for number, line in enumerate(ended, 1) if number not in dropped)


def _document(path: Path, content: bytes, numbers: Collection[int]) -> bytes:
    """One JSON list without these elements, counted from 1; what stands between the others stays."""
    text = content.decode("utf-8")
    spans = _elements(path, text)
    if all(number in numbers for number in range(1, len(spans) + 1)):
        return (text[: spans[0][0]].rstrip() + text[spans[-1][1] :].lstrip()).encode()
    # What stands before an element goes and comes with it, the comma included; before the first one left, the start.
    pieces, last = [text[: spans[0][0]]], None
    for number, (start, end) in enumerate(spans, 1):
        if number not in numbers:
            pieces.append(text[start:end] if len(pieces) == 1 else text[last:end])
        last = end
    return "".join([*pieces, text[last:]]).encode()


def _elements(path: Path, text: str) -> list[tuple[int, int]]:
    """Where each element of a JSON list begins and ends."""
    decoder, spans = json.JSONDecoder(), []
    try:
        place = _blank(text, text.index("[") + 1)
        while text[place] != "]":
            _, end = decoder.raw_decode(text, place)
            spans.append((place, end))
            place = _blank(text, end)
            if text[place] == ",":
                place = _blank(text, place + 1)
    except (ValueError, IndexError):
        raise _changed(path) from None
    return spans


def _blank(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place


def _parquet(path: Path, numbers: Collection[int]) -> bytes:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingPart(
            "writing Parquet needs an optional part of Trimtab", "pip install 'trimtab[data]'"
        ) from None
    with pyarrow.parquet.ParquetFile(path) as file:
        table, compression = file.read(), _compression(file)
    mask = pyarrow.array([number not in numbers for number in range(1, table.num_rows + 1)])
    written = io.BytesIO()
    pyarrow.parquet.write_table(table.filter(mask), written, compression=compression)
    return written.getvalue()


def _compression(file: Any) -> str:
    """The compression of a Parquet file's first column."""
    metadata = file.metadata
    if not metadata.num_row_groups or not metadata.num_columns:
        return "snappy"
    name = str(metadata.row_group(0).column(0).compression).lower()
    return "none" if name == "uncompressed" else name
