"""Files of rows that are written as they come: whole or not at all, in bounded memory."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from trimtab import run
from trimtab.errors import DataError

ENDINGS = (".jsonl", ".csv", ".tsv")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A file of text that takes its name when all of it is written, and leaves nothing behind where that fails.

    Raises:
        RunError: it cannot be written.
    """
    with run.replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()


def writer(file: IO[str], path: Path) -> Callable[[Mapping[str, Any]], object]:
    """What writes a row in the form that the name asks for: a JSON object a line, or cells under a header.

    Raises:
        DataError: when called, of a table: a row has a column that the first one has not.
    """
    if path.suffix == ".jsonl":
        return lambda row: file.write(line(row))
    table: list[csv.DictWriter[str]] = []

    def write(row: Mapping[str, Any]) -> None:
        if not table:
            table.append(csv.DictWriter(file, list(row), delimiter="\t" if path.suffix == ".tsv" else ","))
            table[0].writeheader()
        try:
            table[0].writerow(row)
        except ValueError as error:
            raise DataError(f"{path}: {error}", "rows differ in their columns: name a .jsonl file") from None

    return write


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file that `writer` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            yield from map(json.loads, file)
        else:
            yield from csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")


def line(content: Mapping[str, Any]) -> str:
    """One line of JSON."""
    return json.dumps(content, ensure_ascii=False, default=str) + "\n"
