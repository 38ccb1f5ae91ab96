"""Rows that say the same in other words: pairs of near vectors, in stars."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from trimtab.audit.findings import Finding
from trimtab.audit.kinds import KINDS
from trimtab.audit.meaning.embedded import blocks

# Of the pairs of banking77 above it 97.5% have one intent (docs/results.md); at 0.85 95%, at 0.8 90%.
LEAST = 0.9
_NUMBER = re.compile(r"\d+")

Sides = Sequence[np.ndarray]
Groups = tuple[tuple[int, ...], ...]


def near(sides: Sides, keys: np.ndarray, least: float = LEAST) -> np.ndarray:
    """Which of n rows are near which: bits (n, n / 8) uint8, as `numpy.packbits` has them; no row is near itself.

    Of two rows the side counts that is less alike, as with near duplicates; a side that both lack does not.

    Args:
        sides: of each side (n, hidden) vectors of length 1, or 0 where a row lacks it; no row lacks both.
        keys: (n,); rows with different keys are not near, however alike their vectors.
    """
    count = len(keys)
    found = np.zeros((count, -(-count // 8)), dtype=np.uint8)
    lacking = [np.flatnonzero(~np.any(side != 0, axis=1)) for side in sides]
    for begin, end in blocks(count):
        close = keys[begin:end, None] == keys[None, :]
        for side, lack in zip(sides, lacking, strict=True):
            alike = side[begin:end] @ side.T >= least
            alike[np.ix_(lack[(lack >= begin) & (lack < end)] - begin, lack)] = True
            close &= alike
        close[np.arange(end - begin), np.arange(begin, end)] = False
        found[begin:end] = np.packbits(close, axis=1)
    return found


def stars(bits: np.ndarray) -> Groups:
    """Groups of a centre and its neighbours, by the rule of `trimtab.audit.near.stars`, from n rows' bits (n, n / 8).

    Every pair of 20,000 rows may be near; as bits they are 50 MB.
    """
    count = len(bits)
    degrees = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    free, groups = np.ones(count, dtype=bool), []
    for centre in np.argsort(-degrees, kind="stable").tolist():
        if not free[centre] or not degrees[centre]:
            continue
        members = np.flatnonzero(np.unpackbits(bits[centre], count=count).astype(bool) & free)
        if len(members):
            free[members] = free[centre] = False
            groups.append(tuple(sorted((centre, *members.tolist()))))
    return tuple(sorted(groups))


def numbers(texts: Sequence[tuple[str, str]]) -> np.ndarray:
    """A key (n,) int64 of the numbers in each row's prompt and answer: vectors hardly tell 20 from 200."""
    known: dict[tuple[tuple[str, ...], ...], int] = {}
    said = [tuple(tuple(sorted(_NUMBER.findall(text))) for text in pair) for pair in texts]
    return np.array([known.setdefault(one, len(known)) for one in said], dtype=np.int64)


def same_meaning(rows: np.ndarray, sides: Sides, keys: np.ndarray, copies: Groups = ()) -> Finding | None:
    """`same_meaning`: groups of rows by number (n,), without those that are near duplicates of each other anyway.

    Args:
        sides, keys: as for `near`, of rows that are no exact copies of each other.
        copies: groups of near duplicates, by number.
    """
    bits = near(sides, keys)
    places = {int(row): place for place, row in enumerate(rows)}
    for group in copies:
        _apart(bits, [places[row] for row in group if row in places])
    groups = tuple(tuple(rows[list(group)].tolist()) for group in stars(bits))
    if not groups:
        return None
    members = tuple(sorted(row for group in groups for row in group))
    detail = {"groups": len(groups), "least": LEAST, "looked_at": len(rows)}
    return Finding("same_meaning", KINDS["same_meaning"].severity, members, groups=groups, detail=detail)


def _apart(bits: np.ndarray, members: list[int]) -> None:
    """Take out of the bits that rows are near, for all pairs of some rows."""
    if len(members) < 2:
        return
    mask = np.zeros(len(bits), dtype=bool)
    mask[members] = True
    bits[members] &= ~np.packbits(mask)
