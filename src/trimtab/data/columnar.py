"""Parquet files and Hub data sets, through libraries that are imported when they are needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trimtab.data.table import Record, Stream
from trimtab.errors import DataError, MissingPart

BATCH = 1024
_SPLIT = re.compile(r"[A-Za-z0-9_.\-\[\]%+:]+")


def parquet(path: Path) -> Stream:
    """Rows of a Parquet file, in their order, a batch at a time.

    Raises:
        MissingPart: pyarrow is not installed.
        DataError: the file is not readable Parquet; also while records are read.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise _part("reading Parquet") from None
    try:
        opened = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None
    found = Stream(str(path), iter(()), total=float(opened.metadata.num_rows))
    found.records = _batches(opened, path, found)
    return found


def _batches(opened: Any, path: Path, progress: Stream) -> Iterator[Record]:
    import pyarrow

    number = 0
    try:
        for batch in opened.iter_batches(batch_size=BATCH):
            for row in batch.to_pylist():
                number += 1
                yield Record(number, row)
            progress.done = number
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None
    finally:
        opened.close()


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: not a readable Parquet file: {error}", "write the file again")


def hub(source: str) -> Stream:
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
    found = Stream(source, iter(()), total=float(len(rows)))
    found.records = _counted(rows, found)
    return found


def _counted(rows: Any, progress: Stream) -> Iterator[Record]:
    for number, row in enumerate(rows, start=1):
        progress.done = number
        yield Record(number, dict(row))


def _part(what: str) -> MissingPart:
    return MissingPart(f"{what} needs an optional part of Trimtab", "pip install 'trimtab[data]'")
