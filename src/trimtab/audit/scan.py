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

import numpy as np

from trimtab.audit.features import Features, features, joined
from trimtab.audit.findings import Hit, Row, RowCheck, Span
from trimtab.audit.known import Known, leaks
from trimtab.audit.packed import Collected, Pack, pack
from trimtab.audit.privacy import detect
from trimtab.audit.privacy.quasi import Facts
from trimtab.audit.rows import Maker, Source
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
        facts: columns of which it is asked whether they single people out.
    """

    maker: Maker
    checks: tuple[RowCheck, ...]
    known: Known
    names: bool = False
    begin: str = ""
    facts: Facts = field(default_factory=Facts)
    missing: dict[str, str] = field(default_factory=dict)
    _detector: detect.Detector | None = None

    def done(self, first: int, records: Sequence[Record]) -> Part:
        """The part of the rows that these records are, the first of them with this number."""
        rows = [self.maker.row(first + place, record) for place, record in enumerate(records)]
        hits, facts = pack(self._hits(rows)), self.facts.hashes(rows)
        return Part(len(rows), hits, features(rows, self.begin), dict(self.missing), facts)

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
    """What one chunk of rows gave. `missing` maps a check that could not look to why; `facts`: a hash a row."""

    rows: int
    hits: dict[str, Pack]
    features: Features
    missing: dict[str, str]
    facts: np.ndarray


@dataclass(slots=True)
class Scanned:
    """What all rows gave; `facts`: (rows,) uint64, or empty where no column holds facts."""

    rows: int
    hits: Collected
    features: Features
    missing: dict[str, str]
    facts: np.ndarray


def called(check: Any) -> str:
    """What a check is called: its function or its class."""
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
    began = list(itertools.islice(chunks, -(-ALONE // CHUNK)))
    alone = workers == 1 or len(began) * CHUNK < ALONE
    chunks = itertools.chain(began, chunks)
    parts = (work.done(*chunk) for chunk in chunks) if alone else _spread(chunks, work, workers)
    hits, kept, missing, rows, start = Collected(), list[Features](), dict[str, str](), 0, time.monotonic()
    facts: list[np.ndarray] = []
    for part in parts:
        hits.add(part.hits)
        kept.append(part.features)
        facts.append(part.facts)
        missing |= part.missing
        rows += part.rows
        if report:
            speed = rows / max(time.monotonic() - start, 1e-9)
            done, total = source.stream.done, source.stream.total
            report(Progress("read and check", done, total, {"rows": float(rows), "rows/s": speed}))
    return Scanned(rows, hits, joined(kept), missing, np.concatenate(facts or [np.empty(0, np.uint64)]))


def _chunks(records: Iterator[Record]) -> Iterator[tuple[int, list[Record]]]:
    for first in itertools.count(0, CHUNK):
        chunk = list(itertools.islice(records, CHUNK))
        if not chunk:
            return
        yield first, chunk


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
