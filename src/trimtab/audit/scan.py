"""One pass over a source: every check that needs no other row, and what rows are compared by, on all cores."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from trimtab.audit.batches import batches, characters
from trimtab.audit.features import Features, features, joined
from trimtab.audit.findings import Hit, Row, RowCheck, Span
from trimtab.audit.known import Known, leaks
from trimtab.audit.packed import Collected, Pack, pack
from trimtab.audit.privacy import detect
from trimtab.audit.rows import Maker, Source
from trimtab.audit.tallies import Counting, Tally
from trimtab.data.table import Record
from trimtab.errors import MissingPart
from trimtab.records import Progress, Report

CHUNK = 1000
# Below so many rows, starting processes takes longer than the rows.
ALONE = 3000
_AHEAD = 2


@dataclass(slots=True)
class Work:
    """What is done with each row, in whichever process.

    Attributes:
        names: search for names of people and places too, which needs a language model.
        begin: how all prompts begin.
        tallies: what is counted over all rows.
    """

    maker: Maker
    checks: tuple[RowCheck, ...]
    known: Known
    names: bool = False
    begin: str = ""
    tallies: tuple[Counting, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    _detector: detect.Detector | None = None

    def done(self, first: int, records: Sequence[Record]) -> Part:
        """The part of the rows that these records are, the first of them with this number."""
        rows = [self.maker.row(first + place, record) for place, record in enumerate(records)]
        hits, tallies = pack(self._hits(rows)), self._tallied(rows)
        return Part(len(rows), hits, features(rows, self.begin), tallies, dict(self.missing))

    def _tallied(self, rows: list[Row]) -> dict[str, Tally]:
        found = {called(counting): counting() for counting in self.tallies}
        for name, tally in found.items():
            try:
                for row in () if name in self.missing else rows:
                    tally.add(row)
            except MissingPart as error:
                self.missing[name] = f"{error.message}: {error.hint}"
        return {name: tally for name, tally in found.items() if name not in self.missing}

    def _hits(self, rows: list[Row]) -> Iterator[Hit]:
        secret: dict[tuple[int, str], list[Span]] = defaultdict(list)
        for hit in self._checked(rows):
            if hit.kind == "secret" and hit.span:
                secret[hit.row, hit.span.field].append(hit.span)
            # An address with a password in it is one fault, not two.
            elif hit.kind == detect.KIND and hit.span and _inside(hit.span, secret[hit.row, hit.span.field]):
                continue
            yield hit
        yield from leaks(rows, self.known)

    def _checked(self, rows: list[Row]) -> Iterator[Hit]:
        for check in (*self.checks, *((self._named,) if self.names else ())):
            name = called(check)
            if name in self.missing:
                continue
            try:
                for row in rows:
                    yield from check(row)
            except MissingPart as error:
                self.missing[name] = f"{error.message}: {error.hint}"

    def _named(self, row: Row) -> Iterator[Hit]:
        self._detector = self._detector or detect.Detector(names=True)
        return self._detector.check(row)


def _inside(span: Span, others: Sequence[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


@dataclass(frozen=True, slots=True)
class Part:
    """What one chunk of rows gave. `missing` maps a check or a tally that could not look to why."""

    rows: int
    hits: dict[str, Pack]
    features: Features
    tallies: dict[str, Tally]
    missing: dict[str, str]


@dataclass(slots=True)
class Scanned:
    """What all rows gave."""

    rows: int
    hits: Collected
    features: Features
    tallies: dict[str, Tally]
    missing: dict[str, str]


def called(check: Any) -> str:
    """What a check or a tally is called: its function or its class."""
    check = getattr(check, "func", check)
    return str(getattr(check, "__name__", type(check).__name__)).strip("_").lower()


def scan(source: Source, work: Work, *, workers: int = 0, report: Report | None = None) -> Scanned:
    """Look at every row of a source, in parts, each forgotten when it is done.

    Args:
        workers: processes; 0: as many as there are cores to run on. Few rows are looked at in this one.

    Raises:
        DataError: the source breaks off, such as a damaged gzip file.
    """
    workers = workers or len(os.sched_getaffinity(0))
    chunks = _chunks(source.records)
    fewest = -(-ALONE // CHUNK)
    began = list(itertools.islice(chunks, fewest))
    alone = workers == 1 or len(began) < fewest
    chunks = itertools.chain(began, chunks)
    parts = (work.done(*chunk) for chunk in chunks) if alone else _spread(chunks, work, workers)
    hits, kept, missing, rows, start = Collected(), list[Features](), dict[str, str](), 0, time.monotonic()
    tallies: dict[str, Tally] = {}
    for part in parts:
        hits.add(part.hits)
        kept.append(part.features)
        for name, tally in part.tallies.items():
            if name in tallies:
                tallies[name].join(tally)
            else:
                tallies[name] = tally
        missing |= part.missing
        rows += part.rows
        if report:
            speed = rows / max(time.monotonic() - start, 1e-9)
            done, total = source.stream.done, source.stream.total
            report(Progress("read and check", done, total, {"rows": float(rows), "rows/s": speed}))
    counted = {name: tally for name, tally in tallies.items() if name not in missing}
    return Scanned(rows, hits, joined(kept), counted, missing)


def _chunks(records: Iterator[Record]) -> Iterator[tuple[int, list[Record]]]:
    first = 0
    for chunk in batches(records, CHUNK, lambda record: characters(record.row)):
        yield first, chunk
        first += len(chunk)


def _spread(chunks: Iterator[tuple[int, list[Record]]], work: Work, workers: int) -> Iterator[Part]:
    """The parts in their order, from other processes; never more of them waiting than can be worked on soon."""
    # Forked copies of a process with threads can hang, so that fresh ones are started.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(work,))
    waiting: deque[Future[Part]] = deque()
    try:
        for chunk in chunks:
            with _unheard():
                waiting.append(pool.submit(_done, *chunk))
            if len(waiting) >= _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Hold Ctrl-C back while a process may be started, which inherits it: stopped as it starts, it would complain."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Process:
    """What a worker process holds."""

    work: Work


def _begin(work: Work) -> None:
    """In a new process: the work that it has, and no ear for Ctrl-C, which the first process answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Process.work = work


def _done(first: int, records: Sequence[Record]) -> Part:
    return _Process.work.done(first, records)
