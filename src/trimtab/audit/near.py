"""Near duplicates: candidates by MinHash and banding, each verified by its exact Jaccard index, in stars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from trimtab.audit.shingles import PERMUTATIONS, mixed

LEAST = 0.8
# At an index of 0.8 a pair shares one of 16 bands of 4 in 1 - (1 - 0.8^4)^16 = 0.9998 of cases (Leskovec, Rajaraman,
# Ullman, Mining of Massive Datasets, 3rd ed., section 3.4.2).
BANDS, WIDE = 16, 4
# An estimate of 64 places has a standard error of 0.05 at 0.8: three of them below.
LEAST_ESTIMATE = 0.65
_NEIGHBOURS = 6
_BLOCK = 200_000

Sides = tuple[np.ndarray, np.ndarray]
Shingles = Callable[[np.ndarray], Mapping[int, Sides]]


def candidates(signatures: np.ndarray) -> np.ndarray:
    """Pairs (m, 2) int64 of places, the smaller first, that may be near duplicates.

    Rows that share a band are compared with the first of them and with the next six, so that a band that
    very many rows share costs no more than its rows.

    Args:
        signatures: (n, 64) uint32.
    """
    found = np.zeros(0, dtype=np.int64)
    count = len(signatures)
    for band in range(BANDS):
        pairs = _band(signatures[:, band * WIDE : (band + 1) * WIDE])
        codes = np.unique(pairs[:, 0] * count + pairs[:, 1])
        codes = np.setdiff1d(codes, found, assume_unique=True)
        kept = [
            block[_estimate(signatures, block // count, block % count) >= LEAST_ESTIMATE]
            for block in (codes[at : at + _BLOCK] for at in range(0, len(codes), _BLOCK))
        ]
        found = np.union1d(found, np.concatenate(kept)) if kept else found
    return np.stack([found // max(count, 1), found % max(count, 1)], axis=1)


def _band(columns: np.ndarray) -> np.ndarray:
    keys = np.zeros(len(columns), dtype=np.uint64)
    for column in columns.T:
        keys = mixed(keys * np.uint64(0x9E3779B97F4A7C15) + column)
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    pairs = []
    for step in range(1, _NEIGHBOURS + 1):
        at = np.flatnonzero(ranked[step:] == ranked[:-step])
        pairs.append(np.stack([order[at], order[at + step]], axis=1))
    begins = np.concatenate([[True], ranked[1:] != ranked[:-1]]) if len(ranked) else np.zeros(0, dtype=bool)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(ranked)), 0))
    far = np.flatnonzero(np.arange(len(ranked)) - first > _NEIGHBOURS)
    pairs.append(np.stack([order[first[far]], order[far]], axis=1))
    return np.concatenate(pairs).astype(np.int64)


def _estimate(signatures: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    equal: np.ndarray = (signatures[one] == signatures[other]).sum(axis=1) / PERMUTATIONS
    return equal


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """The Jaccard index of two ascending arrays without repeats; 0 for two empty ones."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    together = len(one) + len(other) - shared
    return shared / together if together else 0.0


def alike(one: Sides, other: Sides) -> float:
    """The Jaccard index of the side, prompt or answer, in which two rows are less alike.

    A long prompt would else outweigh an answer of one word, and hide that two rows contradict one another.
    """
    sides = zip(one, other, strict=True)
    return min((jaccard(a, b) for a, b in sides if len(a) or len(b)), default=0.0)


def stars(pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Groups of a centre and its neighbours, so that a row is never grouped with one that it only leads to.

    The row with most neighbours is a centre first, of equal ones the earlier. Each group is in the order of its rows.
    """
    neighbours: dict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        neighbours[one].add(other)
        neighbours[other].add(one)
    taken: set[int] = set()
    groups = []
    for centre in sorted(neighbours, key=lambda row: (-len(neighbours[row]), row)):
        if centre in taken:
            continue
        members = neighbours[centre] - taken
        if members:
            taken |= members | {centre}
            groups.append(tuple(sorted((centre, *members))))
    return tuple(sorted(groups))


def near(rows: np.ndarray, signatures: np.ndarray, shingles: Shingles) -> tuple[tuple[int, ...], ...]:
    """Groups of near duplicates among some rows.

    Args:
        rows: (n,) int64, numbers of rows that are no exact copies of each other; signatures: (n, 64) uint32.
        shingles: gives for numbers of rows, ascending, the hashes of each one's prompt and of its answer, ascending
            and without repeats.
    """
    places = candidates(signatures)
    pairs = rows[places]
    held = shingles(np.unique(pairs))
    same = [
        (one, other)
        for one, other in pairs.tolist()
        if one in held and other in held and alike(held[one], held[other]) >= LEAST
    ]
    return stars(same)
