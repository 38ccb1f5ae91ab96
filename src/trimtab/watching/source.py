"""Where traffic comes from: what the server kept, or a file of who serves elsewhere; each row is taken once.

A file has a JSON object a line: `time` (ISO 8601), `prompt`, `answer`, and where there are any `confidence` (0 to 1),
`fired` (ids of rules that changed the answer) and `stack` (hash; missing: the one that is watched). Lines are added at
its end; it may be cut off at its beginning, or begun anew, as nothing is known by its place.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from trimtab.errors import DataError, ReviewError, several
from trimtab.live import answers
from trimtab.live.answers import iso, seconds
from trimtab.review.store import Store
from trimtab.watch import Traffic

# Seconds: a row that is written later than that after newer ones were looked at is not counted.
LATE = 3600.0
# Seconds by which a row's clock may be ahead of ours; bytes of a line, and problems that are read before giving up.
AHEAD, LONGEST, MOST = 300.0, 4 * 2**20, 20
COLUMNS = ("time", "prompt", "answer", "confidence", "fired", "stack")
FORM = 'each line is a JSON object: {"time": "2026-03-31T12:00:00Z", "prompt": "...", "answer": "..."}'


@dataclass(frozen=True, slots=True)
class Row:
    """One row of traffic: what it is known by, when it was answered in seconds since 1970, and the row."""

    id: str
    at: float
    traffic: Traffic


class Source(Protocol):
    """Anything that has rows of traffic."""

    @property
    def name(self) -> str:
        """What it is called."""

    def rows(self, stack: str, since: float) -> list[Row]:
        """The rows that a stack answered from a time on, and perhaps those of others; in order of time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the server kept, in the store of judgements."""

    store: Store
    name: str = "answers that the server kept"

    def rows(self, stack: str, since: float) -> list[Row]:
        """Answers of a stack from a time on; those whose texts were not kept have none to look at.

        Raises:
            StoreError: the database cannot be reached.
        """
        found = answers.kept(self.store, stack=stack, since=iso(since) if since > 0 else "")
        told = zip(found, answers.traffic(found), strict=True)
        return [Row(one.id, seconds(one.time), row) for one, row in told if one.prompt or one.answer]


@dataclass(frozen=True, slots=True)
class File:
    """A file of JSON lines."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def rows(self, stack: str, since: float) -> list[Row]:
        """Its rows from a time on, whoever answered them; a last line that is still being written is left for later.

        Raises:
            DataError: it is missing, or has lines that are no rows, with all of them.
        """
        found, times, problems = [], Counter[str](), list[str]()
        for number, content in self._lines(problems):
            try:
                at, row = _row(content, stack)
            except (KeyError, TypeError, ValueError, ReviewError) as error:
                problems.append(f"line {number}: {_said(error)}")
                continue
            if at < since:
                continue
            told = json.dumps([at, row.prompt, row.answer, row.stack], ensure_ascii=False)
            id = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
            times[id] += 1
            # The same answer to the same question at the same time is another row.
            found.append(Row(f"{id}-{times[id]}", at, row))
        if problems:
            raise DataError(f"{self.path}:\n{several(problems)}", FORM)
        return sorted(found, key=lambda one: one.at)

    def _lines(self, problems: list[str]) -> Iterator[tuple[int, Any]]:
        try:
            with self.path.open("rb") as file:
                number = 0
                while (line := file.readline(LONGEST + 1)) and len(problems) <= MOST:
                    number += 1
                    whole = line.endswith(b"\n")
                    if not whole and len(line) > LONGEST:
                        problems.append(f"line {number}: longer than {LONGEST:,} bytes")
                        return
                    try:
                        if line.strip():
                            yield number, json.loads(line)
                    except ValueError as error:
                        if whole:
                            problems.append(f"line {number}: {error}")
        except OSError as error:
            raise DataError(f"{self.path}: {error.strerror}", FORM) from None


@dataclass(frozen=True, slots=True)
class Place:
    """How far a source was read: the time of the newest row, and ids of those that lie at most `LATE` before it."""

    at: float = 0.0
    recent: Sequence[str] = field(default=())

    @property
    def since(self) -> float:
        """From when on rows may be new."""
        return self.at - LATE

    def new(self, rows: Sequence[Row], now: float) -> list[Row]:
        """Those that were not taken before; rows of a clock that is far ahead are left until their time has come.

        A single row of next year would otherwise make all rows of this year old.
        """
        known = set(self.recent)
        return [row for row in rows if self.since <= row.at <= now + AHEAD and row.id not in known]

    def after(self, rows: Sequence[Row], taken: Sequence[Row]) -> Place:
        """The place behind what was taken. rows: all that the source gave, as what was recent may be recent still."""
        if not taken:
            return self
        at = max(self.at, *(row.at for row in taken))
        known = {*self.recent, *(row.id for row in taken)}
        return Place(at, tuple(row.id for row in rows if row.id in known and row.at >= at - LATE))


BEGINNING = Place()


def _row(content: Any, stack: str) -> tuple[float, Traffic]:
    if not isinstance(content, dict):
        raise TypeError(f"expected an object, received {type(content).__name__}")
    texts = {name: content[name] for name in ("time", "prompt", "answer")}
    own, sure, fired = content.get("stack") or stack, content.get("confidence"), content.get("fired") or ()
    wrong = [name for name, value in {**texts, "stack": own}.items() if not isinstance(value, str)]
    if wrong:
        raise TypeError(f"{', '.join(wrong)}: expected text")
    if not isinstance(fired, list | tuple) or not all(isinstance(rule, str) for rule in fired):
        raise TypeError("fired: expected a list of rules")
    if sure is not None and not (isinstance(sure, int | float) and 0 <= sure <= 1):
        raise ValueError(f"confidence {sure!r}: expected 0 to 1")
    return seconds(texts["time"]), Traffic(**texts, confidence=sure, fired=tuple(fired), stack=own)


def _said(error: Exception) -> str:
    return f"no {error.args[0]}" if isinstance(error, KeyError) else str(error)
