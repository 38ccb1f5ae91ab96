"""Rows of the small files that suites and metrics read: JSON Lines and CSV, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

from trimtab.errors import DataError, several

Row = dict[str, Any]


def text_of(path: Path | str) -> str:
    """The whole text of a UTF-8 file, unpacked if it ends in .gz.

    Raises:
        DataError: missing, not UTF-8, or damaged.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}", "expected a UTF-8 text file, plain or gzipped") from None


def read(path: Path | str) -> list[Row]:
    """The rows of a .jsonl or .csv file (with a header), also with .gz.

    Raises:
        DataError: another kind of file, or broken lines; all of them are named at once.
    """
    path = Path(path)
    kind = Path(path.name.removesuffix(".gz")).suffix
    if kind == ".csv":
        return list(csv.DictReader(io.StringIO(text_of(path), newline="")))
    if kind != ".jsonl":
        raise DataError(
            f"{path}: files that end in {kind or 'nothing'} are not read here", "use .jsonl or .csv"
        )
    rows: list[Row] = []
    problems: list[str] = []
    for number, line in enumerate(text_of(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            problems.append(f"line {number}: {error.msg} at column {error.colno}")
            continue
        if isinstance(row, dict):
            rows.append(row)
        else:
            problems.append(f"line {number}: expected an object, received {type(row).__name__}")
    if problems:
        raise DataError(f"{path}:\n{several(problems)}", "each line is one JSON object")
    return rows
