"""Texts that rows must not hold: of the guards that come with Trimtab, and of a file that is kept for measuring."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from trimtab.audit.features import digest
from trimtab.audit.findings import Hit, Row
from trimtab.audit.rows import opened
from trimtab.audit.shingles import WORDS, thirteens, words
from trimtab.measure.suites import BUILT_IN

# Shorter texts are said by chance.
SHORTEST = 6
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """Runs of thirteen words of known texts, and the shorter of those texts as a whole.

    Attributes:
        grams: (m,) uint64, ascending; `of` (m,) uint8 says whose each is.
        whole: hash of a text of 6 to 12 words, to whose it is.
        names: what they are called.
    """

    grams: np.ndarray
    of: np.ndarray
    whole: Mapping[int, int]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.grams) + len(self.whole)


def gathered(against: str = "") -> Known:
    """The built-in suites, and the rows of a file.

    Raises:
        DataError: the file cannot be read.
    """
    names: list[str] = [f"the guard {name}" for name in BUILT_IN]
    sources = [_suite(file) for file, _ in BUILT_IN.values()]
    if against:
        names.append(against)
        sources.append(_rows(against))
    grams: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    whole: dict[int, int] = {}
    for place, source in enumerate(sources):
        batch: list[list[str]] = []
        for said in map(words, source):
            if len(said) >= WORDS:
                batch.append(said)
            elif len(said) >= SHORTEST:
                whole[digest(" ".join(said))] = place
        for at in range(0, len(batch), _CHUNK):
            found, _ = thirteens(batch[at : at + _CHUNK])
            grams.append(np.unique(found))
            owners.append(np.full(len(grams[-1]), place, dtype=np.uint8))
    every = np.concatenate(grams) if grams else np.zeros(0, dtype=np.uint64)
    owner = np.concatenate(owners) if owners else np.zeros(0, dtype=np.uint8)
    every, first = np.unique(every, return_index=True)
    return Known(every, owner[first], whole, tuple(names))


def leaks(rows: list[Row], known: Known) -> Iterator[Hit]:
    """`leak`: rows that share thirteen words in a row with a known text, or say a shorter one whole."""
    texts = [(row.number, words(text.text)) for row in rows for text in row.texts if text.side != "other"]
    for number, said in texts:
        if SHORTEST <= len(said) < WORDS and (place := known.whole.get(digest(" ".join(said)))) is not None:
            yield _hit(number, known.names[place])
    long = [(number, said) for number, said in texts if len(said) >= WORDS]
    if not long or not len(known.grams):
        return
    hashes, starts = thirteens([said for _, said in long])
    at = np.minimum(np.searchsorted(known.grams, hashes), len(known.grams) - 1)
    hit = np.flatnonzero(known.grams[at] == hashes)
    for place in hit.tolist():
        row = int(np.searchsorted(starts, place, side="right")) - 1
        yield _hit(long[row][0], known.names[int(known.of[at[place]])])


def _hit(row: int, name: str) -> Hit:
    return Hit("leak", row, note=f"shares words with {name}")


def _suite(file: str) -> Iterator[str]:
    with resources.files("trimtab").joinpath("demo", file).open(encoding="utf-8") as lines:
        for line in lines:
            item: dict[str, Any] = json.loads(line)
            yield from (str(item[name]) for name in ("text", "question") if name in item)


def _rows(source: str) -> Iterator[str]:
    read = opened(source)
    for number, record in enumerate(read.records):
        yield from (text.text for text in read.maker.row(number, record).texts if text.side != "other")
