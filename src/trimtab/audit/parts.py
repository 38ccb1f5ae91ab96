"""Thirteen words in a row that rows to learn from share with rows to measure by, of one and the same source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from trimtab.audit.batches import batches, characters
from trimtab.audit.features import PARTS, Features
from trimtab.audit.findings import Hit, Row
from trimtab.audit.known import known, leaks, often, said_in
from trimtab.audit.rows import rows
from trimtab.records import Progress, Report

LEARNED = PARTS.index("tune")
_BATCH = 1000
_SAMPLE = 2000


def shared(
    source: str, columns: Mapping[str, str], features: Features, report: Report | None = None
) -> Iterator[Hit]:
    """`leak` hits in rows of the part tune that share thirteen words in a row with rows of select or confirm.

    The source is read twice more. Runs that many of the first rows to measure by hold are an instruction, and do not
    count.

    Raises:
        DataError: the source cannot be read any more.
    """
    learned, measured = features.part == LEARNED, features.part > LEARNED
    if not learned.any() or not measured.any():
        return
    sample = next(batches(_rows(source, columns, measured), _SAMPLE, lambda row: characters(row.raw)), [])
    held = known(
        (f"rows of {PARTS[part]}", said_in(_rows(source, columns, features.part == part)))
        for part in range(LEARNED + 1, len(PARTS))
    ).without(often(sample))
    looked, done = _rows(source, columns, learned), 0
    for batch in batches(looked, _BATCH, lambda row: characters(row.raw)):
        yield from leaks(batch, held)
        done += len(batch)
        if report:
            report(Progress("compare parts", float(done), float(np.count_nonzero(learned))))


def _rows(source: str, columns: Mapping[str, str], wanted: np.ndarray) -> Iterator[Row]:
    return rows(source, columns, np.flatnonzero(wanted))
