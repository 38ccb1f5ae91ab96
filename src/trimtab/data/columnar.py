"""Parquet files and Hub data sets, through libraries that are imported when they are needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from trimtab.data.table import Table
from trimtab.errors import DataError, MissingPart

_SPLIT = re.compile(r"[A-Za-z0-9_.\-\[\]%+:]+")


def parquet(path: Path) -> list[dict[str, Any]]:
    """Rows of a Parquet file, in their order.

    Raises:
        MissingPart: pyarrow is not installed.
        DataError: the file is not readable Parquet.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise _part("reading Parquet") from None
    try:
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}", "write the file again") from None
    return rows


def hub(source: str) -> Table:
    """Rows of one split of a Hub data set, or of a folder that `datasets` reads; code in it is never run.

    Args:
        source: hub:<dataset>[:<split>]; the split is train when it is not given.

    Raises:
        MissingPart: the datasets library is not installed.
        DataError: no such data set or split, or it cannot be reached.
    """
    name, split = source.removeprefix("hub:"), "train"
    head, colon, tail = name.partition(":")
    if colon and head and _SPLIT.fullmatch(tail):
        name, split = head, tail
    if not name:
        raise DataError(
            f"{source}: expected hub:<dataset>[:<split>]", "name the data set, such as hub:owner/name:train"
        )
    try:
        import datasets
    except ImportError:
        raise _part("reading a Hub data set") from None
    try:
        rows = datasets.load_dataset(name, split=split)
    except (datasets.exceptions.DatasetsError, ValueError, OSError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{source}: data set {name!r}, split {split!r} cannot be read: {reason}",
            "check the name and the split; offline, only folders and data sets fetched before can be read",
        ) from None
    return Table(source, [(number, dict(row)) for number, row in enumerate(rows, start=1)])


def _part(what: str) -> MissingPart:
    return MissingPart(f"{what} needs an optional part of Trimtab", "pip install 'trimtab[data]'")
