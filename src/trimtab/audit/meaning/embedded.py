"""The rows of a set as vectors: both sides of each, of all rows or of a sample that is drawn by a seed."""

from __future__ import annotations

import datetime
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.audit.checks.dates import of_row
from trimtab.audit.features import compared
from trimtab.audit.findings import Row
from trimtab.audit.meaning.categories import FEWEST_EACH, MANY, Categories
from trimtab.audit.rows import rows
from trimtab.records import Progress, Report

MOST = 20_000
# The encoder reads 256 tokens; so many characters hold them in nearly every language.
LONGEST = 2000
_BATCH = 128
_BLOCK = 1000

# Vectors (n, hidden) float32 of length 1 of n texts; 0 for an empty one.
Encode = Callable[[tuple[str, ...]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Of n rows, in their order.

    Attributes:
        rows: (n,) int64, their numbers in the source, ascending.
        texts: the plain prompt and the plain answer of each, cut to what is read.
        prompt, answer: (n, hidden) float32, vectors of length 1; 0 where a row has no such text.
        days: the date of each; None where it has none.
        labels: the label of each, empty where it has none, and the name of their column.
        seconds: what the encoder took; read: how many distinct texts it read.
    """

    rows: np.ndarray
    texts: tuple[tuple[str, str], ...]
    prompt: np.ndarray
    answer: np.ndarray
    days: tuple[datetime.date | None, ...]
    labels: Categories
    seconds: float
    read: int

    def few(self, side: int) -> bool:
        """Whether a side, 0 the prompt and 1 the answer, is one of few texts: labels, set phrases, one instruction."""
        distinct = {pair[side] for pair in self.texts if pair[side]}
        return len(distinct) <= MANY and len(distinct) * FEWEST_EACH <= len(self.texts)

    def theme(self) -> tuple[np.ndarray, list[str]]:
        """Vectors (n, hidden) float32 of length 1 of what rows are about, and the texts that say it.

        That is both sides, by the mean of their vectors; of two sides of which one is of few texts, the other alone.
        """
        few = [self.few(0), self.few(1)]
        used = [0, 1] if few[0] == few[1] else [few.index(False)]
        vectors = np.sum([(self.prompt, self.answer)[one] for one in used], axis=0)
        return scaled(vectors), [" ".join(pair[one] for one in used) for pair in self.texts]


def scaled(vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, hidden) scaled to length 1; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: np.ndarray = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return found


def drawn(numbers: np.ndarray, most: int = MOST, seed: int = 0) -> np.ndarray:
    """At most so many of some numbers (n,), drawn by a seed, ascending."""
    if len(numbers) <= most:
        return numbers
    return np.sort(np.random.default_rng(seed).choice(numbers, most, replace=False))


def embedded(
    source: str,
    columns: Mapping[str, str],
    wanted: np.ndarray,
    encode: Encode,
    *,
    begin: str = "",
    label: str = "",
    report: Report | None = None,
) -> Embedded:
    """Read some rows again, and give their vectors; equal texts are read once.

    Args:
        wanted: numbers of rows, ascending.
        begin: how most prompts of the source begin, which is left out.
        label: the column of labels; empty: the one that looks like it, if any.

    Raises:
        DataError: the source cannot be read any more, or no row has the column of labels.
        MissingPart: the encoder is not installed.
    """
    numbers, texts, days = list[int](), list[tuple[str, str]](), list[datetime.date | None]()
    labels = Categories(label)
    for row in rows(source, columns, wanted):
        numbers.append(row.number)
        texts.append(_sides(row, begin))
        days.append(of_row(row))
        labels.add(row)
    labels.settle()
    began = time.monotonic()
    distinct = tuple(dict.fromkeys(text for pair in texts for text in pair if text))
    vectors = _encoded(distinct, encode, report)
    places = {text: place for place, text in enumerate(distinct)}
    empty = len(distinct)
    chosen = [np.array([places.get(pair[side], empty) for pair in texts], dtype=np.int64) for side in (0, 1)]
    prompt, answer = (vectors[one] for one in chosen)
    seconds = time.monotonic() - began
    return Embedded(
        np.array(numbers, dtype=np.int64), tuple(texts), prompt, answer, tuple(days), labels, seconds, empty
    )


def _sides(row: Row, begin: str) -> tuple[str, str]:
    prompt, answer = compared(row, begin)
    return prompt[:LONGEST], answer[:LONGEST]


def _encoded(texts: Sequence[str], encode: Encode, report: Report | None) -> np.ndarray:
    """Vectors (n + 1, hidden) of n texts, the last of them 0, in batches of texts of about one length."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    # A text's cost grows with its length: what is left is told by characters, not by texts.
    total, done, read, began = float(sum(map(len, texts))), 0.0, 0, time.monotonic()
    vectors: Any = None
    ahead = iter(order)
    while batch := list(itertools.islice(ahead, _BATCH)):
        found = encode(tuple(texts[place] for place in batch))
        if vectors is None:
            vectors = np.zeros((len(texts) + 1, found.shape[1]), dtype=np.float32)
        vectors[batch] = found
        done, read = done + sum(len(texts[place]) for place in batch), read + len(batch)
        if report:
            speed = read / max(time.monotonic() - began, 1e-9)
            report(Progress("read meaning", done, total, {"texts": float(read), "texts/s": speed}))
    return np.zeros((1, 1), dtype=np.float32) if vectors is None else vectors


def blocks(count: int) -> list[tuple[int, int]]:
    """Begin and end of pieces of so many rows, a thousand at most, for products that would not fit at once."""
    return [(at, min(at + _BLOCK, count)) for at in range(0, count, _BLOCK)]
