"""Texts that rows must not hold: of the guards that come with Trimtab, and of a file that is kept for measuring."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any

import numpy as np

from trimtab.audit.batches import batches
from trimtab.audit.features import digest
from trimtab.audit.findings import Hit, Row, Span, Text
from trimtab.audit.rows import rows
from trimtab.audit.shingles import WORDS, thirteens, word_spans, words
from trimtab.errors import DataError
from trimtab.measure.suites import BUILT_IN

# Shorter texts are said by chance.
SHORTEST = 6
COMMON, FEWEST_COMMON = 0.1, 10
_CHUNK, _MOST_WORDS, _MOST_FILES = 1000, 1_000_000, 200


@dataclass(frozen=True, slots=True)
class Known:
    """Runs of thirteen words of known texts, and the shorter of those texts as a whole.

    Attributes:
        grams: (m,) uint64, ascending; `of` (m,) uint8 says whose each is.
        whole: hash of a text of 6 to 12 words, to whose it is.
        names: what they are called.
        common: (k,) uint64, ascending: runs that stand in many rows. They are no leak, nor is what they reach into.
    """

    grams: np.ndarray
    of: np.ndarray
    whole: Mapping[int, int]
    names: tuple[str, ...]
    common: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    def __len__(self) -> int:
        return len(self.grams) + len(self.whole)

    def without(self, common: np.ndarray) -> Known:
        """The same, for rows of which many have some runs."""
        return replace(self, common=np.unique(common))


def known(sources: Iterable[tuple[str, Iterable[str]]]) -> Known:
    """Of texts by the name of their source; what several of them hold counts for the first."""
    names: list[str] = []
    grams: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    whole: dict[int, int] = {}
    for place, (name, texts) in enumerate(sources):
        names.append(name)
        said = map(words, texts)
        for batch in batches(said, _CHUNK, len, _MOST_WORDS):
            for one in batch:
                if SHORTEST <= len(one) < WORDS:
                    whole.setdefault(digest(" ".join(one)), place)
            found, _ = thirteens([one for one in batch if len(one) >= WORDS])
            grams.append(np.unique(found))
            owners.append(np.full(len(grams[-1]), place, dtype=np.uint8))
    every = np.concatenate(grams) if grams else np.zeros(0, dtype=np.uint64)
    owner = np.concatenate(owners) if owners else np.zeros(0, dtype=np.uint8)
    every, first = np.unique(every, return_index=True)
    return Known(every, owner[first], whole, tuple(names))


def gathered(against: Sequence[str] = ()) -> Known:
    """The built-in suites, and the rows of some files, 200 at most.

    Raises:
        DataError: a file cannot be read, or there are more.
    """
    sources = [(f"the guard {name}", _suite(file)) for name, (file, _) in BUILT_IN.items()]
    if len(against) > _MOST_FILES:
        raise DataError(
            f"expected at most {_MOST_FILES} files to hold the rows against, received {len(against)}",
            "join them, or audit several times",
        )
    return known([*sources, *((path, said_in(rows(path))) for path in against)])


def often(rows: Sequence[Row]) -> np.ndarray:
    """Runs of thirteen words (m,) uint64 that more than a tenth of some rows share, and at least ten of them.

    They are an instruction, not an item: a file kept for measuring has the same one.
    """
    texts = {text.text for row in rows for text in row.texts if text.side == "prompt"}
    said = [one for one in map(words, texts) if len(one) >= WORDS]
    if not said:
        return np.zeros(0, dtype=np.uint64)
    hashes, starts = thirteens(said)
    every = np.concatenate([np.unique(piece) for piece in np.split(hashes, starts[1:])])
    grams, counts = np.unique(every, return_counts=True)
    common: np.ndarray = grams[counts > max(FEWEST_COMMON, COMMON * len(texts))]
    return common


def leaks(rows: Sequence[Row], known: Known) -> Iterator[Hit]:
    """`leak`: texts that share thirteen words in a row with a known text, or say a shorter one whole."""
    texts = [
        (row.number, text, words(text.text)) for row in rows for text in row.texts if text.side != "other"
    ]
    for number, text, said in texts:
        if SHORTEST <= len(said) < WORDS and (place := known.whole.get(digest(" ".join(said)))) is not None:
            yield _hit(number, text, (0, len(said)), known.names[place])
    long = [one for one in texts if len(one[2]) >= WORDS]
    if not long or not len(known.grams):
        return
    hashes, starts = thirteens([said for _, _, said in long])
    at = np.minimum(np.searchsorted(known.grams, hashes), len(known.grams) - 1)
    held = np.flatnonzero(known.grams[at] == hashes)
    owners = np.searchsorted(starts, held, side="right") - 1
    apart = ~_reached(held, owners, np.flatnonzero(np.isin(hashes, known.common)), starts)
    held, owners = held[apart], owners[apart]
    for owner in np.unique(owners).tolist():
        number, text, _ = long[owner]
        mine = held[owners == owner]
        for first, last in _stretches((mine - starts[owner]).tolist()):
            yield _hit(number, text, (first, last), known.names[int(known.of[at[mine[0]]])])


def _reached(held: np.ndarray, owners: np.ndarray, common: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Which runs (n,) share a word with a common one of the same text; all by their places in the ragged hashes."""
    if not len(common):
        return np.zeros(len(held), dtype=bool)
    ends = np.append(starts[1:], np.iinfo(np.int64).max)[owners]
    first = np.searchsorted(common, np.maximum(held - WORDS + 1, starts[owners]))
    reached: np.ndarray = first < np.searchsorted(common, np.minimum(held + WORDS, ends))
    return reached


def _stretches(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First word and the one behind the last of runs that touch one another."""
    first, last = places[0], places[0] + WORDS
    for place in places[1:]:
        if place > last:
            yield first, last
            first = place
        last = place + WORDS
    yield first, last


def _hit(row: int, text: Text, at: tuple[int, int], name: str) -> Hit:
    spans = word_spans(text.text)
    span = Span(row, text.field, spans[at[0]][0], spans[at[1] - 1][1], "leak")
    return Hit("leak", row, span, note=f"shares words with {name}")


def _suite(file: str) -> Iterator[str]:
    with resources.files("trimtab").joinpath("demo", file).open(encoding="utf-8") as lines:
        for line in lines:
            item: dict[str, Any] = json.loads(line)
            yield from (str(item[name]) for name in ("text", "question") if name in item)


def said_in(read: Iterable[Row]) -> Iterator[str]:
    """The texts of rows that a model reads or learns to write."""
    return (text.text for row in read for text in row.texts if text.side != "other")
