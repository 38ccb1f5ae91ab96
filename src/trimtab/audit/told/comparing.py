"""Answers held against the facts of their prompts: what is left out, and what nobody gave.

How a set says a fact (`familyFriendly[no]` as "adults only") cannot be known beforehand, and is learned from the set:
for each value, a logistic regression over the words and pairs of words of the answers says whether an answer tells it,
fitted on rows with other prompts (cross-validation). Where a fact is given that the answer's words speak against, or
one is not given that they speak for, the row is at odds with the rest of the set: label noise as in Northcutt, Jiang
and Chuang 2021, "Confident learning", with one threshold. Values that answers repeat word for word need no learning.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from trimtab.audit.features import digest
from trimtab.audit.findings import Hit
from trimtab.audit.told.logistic import unseen
from trimtab.audit.told.pairs import Pairs
from trimtab.language.names import Known
from trimtab.language.text import normal

LEFT_OUT, ADDED = "fact_left_out", "fact_added"
# An answer that is this likely to tell otherwise is named.
AT_ODDS = 0.5
# Of a name whose values nine in ten answers repeat, the value itself is looked for.
_REPEATED = 0.9
_FEWEST = 20  # rows with a value, to learn how it is said
_RARE = 3  # answers that a word must stand in
_FOLDS = 4
_MOST_VALUES = 200
_YES_OR_NO = ("yes", "no", "true", "false")
_WORD = re.compile(r"[\w£$€%'’-]+")


@dataclass(frozen=True, slots=True)
class Described:
    """A row to be compared: its number, the facts of its prompt, and its answers as one text."""

    number: int
    pairs: Pairs
    answer: str


def compared(rows: Sequence[Described]) -> list[Hit]:
    """Rows whose answers leave a fact out or add one, `fact_left_out` and `fact_added`, in the order of the rows.

    Notes name facts; values only where at least 20 rows share them.
    """
    known = [Known([row.answer]) for row in rows]
    repeated = _repeated(rows, known)
    hits = list(_lost(rows, known, repeated))
    counts = Counter(pair for row in rows for pair in row.pairs.items() if pair[0] not in repeated)
    values = [pair for pair, count in counts.most_common(_MOST_VALUES) if count >= _FEWEST]
    if values:
        hits += _learned(rows, known, repeated, values)
    return sorted(hits, key=lambda hit: (hit.row, hit.kind, hit.note))


def _repeated(rows: Sequence[Described], known: Sequence[Known]) -> set[str]:
    """The names whose values nearly all answers repeat."""
    held: dict[str, list[bool]] = {}
    for row, answer in zip(rows, known, strict=True):
        for name, value in row.pairs.items():
            held.setdefault(name, []).append(answer.keeps(value))
    return {name for name, kept in held.items() if sum(kept) >= _REPEATED * len(kept)}


def _lost(rows: Sequence[Described], known: Sequence[Known], repeated: set[str]) -> Iterator[Hit]:
    for row, answer in zip(rows, known, strict=True):
        for name in sorted(repeated & row.pairs.keys()):
            if not answer.keeps(row.pairs[name]):
                yield Hit(LEFT_OUT, row.number, note=f"does not repeat its {name}")


def _learned(
    rows: Sequence[Described],
    known: Sequence[Known],
    repeated: set[str],
    values: Sequence[tuple[str, str]],
) -> Iterator[Hit]:
    given = np.array([[row.pairs.get(name) == value for name, value in values] for row in rows])
    folds = np.array([digest(repr(sorted(row.pairs.items()))) % _FOLDS for row in rows])
    if len(np.unique(folds)) < _FOLDS:
        return
    told = unseen(_words(rows, repeated), given.astype(np.float64), folds)
    odds = np.where(given, 1.0 - told, told)
    for place, column in zip(*np.nonzero(odds > AT_ODDS), strict=True):
        (name, value), row = values[column], rows[place]
        if not given[place, column]:
            yield Hit(ADDED, row.number, note=f"reads like {name}: {value}")
        elif normal(value) in _YES_OR_NO or not known[place].keeps(value):
            yield Hit(LEFT_OUT, row.number, note=f"does not read like {name}: {value}")


def _words(rows: Sequence[Described], repeated: set[str]) -> sparse.csr_matrix:
    """Which words and pairs of words each answer holds, (n, d); values that are repeated stand as their name."""
    held = [_held(row, repeated) for row in rows]
    counts = Counter(word for words in held for word in words)
    places = {word: place for place, word in enumerate(sorted(w for w, n in counts.items() if n >= _RARE))}
    columns = [[places[word] for word in words if word in places] for words in held]
    starts = np.cumsum([0, *map(len, columns)])
    flat = np.array([place for own in columns for place in own], dtype=np.int64)
    return sparse.csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(rows), len(places)))


def _held(row: Described, repeated: set[str]) -> set[str]:
    text = row.answer
    for name in sorted(repeated & row.pairs.keys()):
        text = text.replace(row.pairs[name], f" <{name}> ")
    words = _WORD.findall(text.lower())
    return {*words, *(f"{one} {other}" for one, other in itertools.pairwise(words))}
