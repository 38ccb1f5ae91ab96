"""What a row is compared with others by: hashes, a MinHash signature and lengths, of a part of the rows at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.audit.checks.lengths import words_of
from trimtab.audit.findings import Row
from trimtab.audit.shingles import grams, plain, signatures

PARTS = ("", "tune", "select", "confirm")
_FEWEST = 20


@dataclass(frozen=True, slots=True)
class Features:
    """Of n rows, in their order.

    Attributes:
        whole: (n,) uint64, hash of all that is read and written; 0 where a row has no such text.
        prompt, answer: (n,) uint64, hashes of the two sides without regard to case and spaces; 0 for none.
        signature: (n, 64) uint32.
        words: (n, 2) int32, words of the prompt and of the answers.
        part: (n,) uint8, place in `PARTS`.
        several: (n,) bool, whether a row declares more than one good answer.
    """

    whole: np.ndarray
    prompt: np.ndarray
    answer: np.ndarray
    signature: np.ndarray
    words: np.ndarray
    part: np.ndarray
    several: np.ndarray


def features(rows: Sequence[Row], begin: str = "") -> Features:
    """The features of some rows.

    Args:
        begin: how all prompts of the source begin, which is left out of signatures.
    """
    hashes, starts = grams([compared(row, begin) for row in rows])
    return Features(
        np.array([_whole(row) for row in rows], dtype=np.uint64),
        np.array([_side(row, "prompt") for row in rows], dtype=np.uint64),
        np.array([_side(row, "answer") for row in rows], dtype=np.uint64),
        signatures(hashes, starts),
        np.array([words_of(row) for row in rows], dtype=np.int32).reshape(-1, 2),
        np.array([_part(row) for row in rows], dtype=np.uint8),
        np.array([bool(row.example and len(row.example.references) > 1) for row in rows], dtype=bool),
    )


def joined(parts: Sequence[Features]) -> Features:
    """The features of several parts of the rows as one."""
    return Features(*(np.concatenate([getattr(part, name) for part in parts]) for name in Features.__slots__))


def compared(row: Row, begin: str = "") -> str:
    """What near duplicates are looked for in: prompt and answers, plain, without what all prompts begin with."""
    texts = []
    for text in row.texts:
        if text.side == "prompt":
            texts.append(text.text.removeprefix(begin) if begin else text.text)
        elif text.side == "answer":
            texts.append(text.text)
    return plain("\n".join(texts))


def beginning(rows: Sequence[Row]) -> str:
    """How the first prompts of all these rows begin, whole words only; empty for fewer than twenty rows."""
    first = [next((text.text for text in row.texts if text.side == "prompt"), "") for row in rows]
    if len(first) < _FEWEST:
        return ""
    # What the first and the last in the order of the alphabet share, all share.
    low, high = min(first), max(first)
    length = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[: low.rfind(" ", 0, length) + 1]


def digest(text: str) -> int:
    """A hash of a text, 64 bits and never 0."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _whole(row: Row) -> int:
    texts = [(text.side, text.text.strip()) for text in row.texts if text.side != "other"]
    return digest(repr(texts)) if any(text for _, text in texts) else 0


def _side(row: Row, side: str) -> int:
    said = plain("\n".join(text.text for text in row.texts if text.side == side))
    return digest(said) if said else 0


def _part(row: Row) -> int:
    part = row.example.fields.get("part", "") if row.example else ""
    return PARTS.index(part) if part in PARTS else 0
