"""Character 5-grams of texts, their MinHash signatures, and runs of thirteen words: all as arrays of hashes.

Rows are laid out one after another, ragged: `starts` (n,) is where each begins.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

GRAM = 5
PERMUTATIONS = 64
WORDS = 13
_BITS = np.uint64(32)
_WORD = re.compile(r"\w+")


def _drawn(count: int, seed: int) -> np.ndarray:
    """Odd multipliers (count,) uint64."""
    return np.random.default_rng(seed).integers(1, 2**63, count, dtype=np.uint64) | np.uint64(1)


_GRAM, _WORDS = _drawn(GRAM, 11), _drawn(WORDS, 12)
_TIMES = _drawn(PERMUTATIONS, 13).astype(np.uint32) | np.uint32(1)
_PLUS = (_drawn(PERMUTATIONS, 14) >> _BITS).astype(np.uint32)


def plain(text: str) -> str:
    """A text in lower case with single spaces: what is compared of it."""
    return " ".join(text.lower().split())


def mixed(values: np.ndarray) -> np.ndarray:
    """Hashes (n,) of values (n,), both uint64: the finaliser of MurmurHash3 (Appleby, 2011)."""
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


def grams(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of the 5-grams of plain texts, (m,) uint32 in order with repeats, and starts (n,) int64.

    A text of fewer than five characters is filled up with spaces, so that each has at least one.
    """
    padded = [text.ljust(GRAM) for text in texts]
    lengths = np.array([len(text) for text in padded], dtype=np.int64)
    joined = "".join(padded).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(joined, dtype=np.uint32).astype(np.uint64)
    hashes, starts = _runs(codes, lengths, _GRAM)
    return (hashes >> _BITS).astype(np.uint32), starts


def _runs(codes: np.ndarray, lengths: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all runs of as many codes as there are weights, those across two texts left out, and starts."""
    size = len(weights)
    count = len(codes) - size + 1
    total = np.zeros(max(count, 0), dtype=np.uint64)
    for place, weight in enumerate(weights):
        total += codes[place : place + count] * weight
    kept = np.maximum(lengths - size + 1, 0)
    starts = np.concatenate([[0], np.cumsum(kept)[:-1]]).astype(np.int64)
    inside = np.ones(len(codes), dtype=bool)
    ends = np.cumsum(lengths)
    for back in range(1, size):
        at = ends - back
        inside[at[(back <= lengths)]] = False
    return mixed(total[inside[: len(total)]]), starts


def signatures(hashes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """MinHash signatures (n, 64) uint32 of ragged hashes.

    Broder, On the resemblance and containment of documents (1997), with the linear permutations h -> a h + b modulo
    2^32 of already mixed hashes: the share of equal places of two signatures estimates their Jaccard index.
    """
    found = np.empty((len(starts), PERMUTATIONS), dtype=np.uint32)
    buffer = np.empty_like(hashes)
    for place, (times, plus) in enumerate(zip(_TIMES, _PLUS, strict=True)):
        np.multiply(hashes, times, out=buffer)
        np.add(buffer, plus, out=buffer)
        found[:, place] = np.minimum.reduceat(buffer, starts)
    return found


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words that `words` gives begin and end."""
    return [match.span() for match in _WORD.finditer(text)]


def thirteens(texts: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes (m,) uint64 of the runs of thirteen words of texts, and starts (n,); a shorter text has none."""
    known: dict[str, int] = {}
    for text in texts:
        for word in text:
            if word not in known:
                known[word] = zlib.crc32(word.encode("utf-8", "surrogatepass"))
    codes = np.array([known[word] for text in texts for word in text], dtype=np.uint64)
    return _runs(codes, np.array([len(text) for text in texts], dtype=np.int64), _WORDS)
