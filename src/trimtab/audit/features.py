"""What a row is compared with others by: hashes, a MinHash signature and lengths, of a part of the rows at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.audit.checks.lengths import words_of
from trimtab.audit.findings import Row
from trimtab.audit.shingles import grams, plain, signatures
from trimtab.audit.stance import stance

PARTS = ("", "tune", "select", "confirm")
# Fields of an example, beside its messages and references, that make it what it is.
_OWN = ("rejected", "good", "bad", "choices", "answer")
_FEWEST, _SHARED, _SHORTEST = 20, 0.5, 12


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
        stance: (n,) uint64, hash of the numbers and negations of the answers.
    """

    whole: np.ndarray
    prompt: np.ndarray
    answer: np.ndarray
    signature: np.ndarray
    words: np.ndarray
    part: np.ndarray
    several: np.ndarray
    stance: np.ndarray


def features(rows: Sequence[Row], begin: str = "") -> Features:
    """The features of some rows.

    Args:
        begin: how most prompts of the source begin, which is left out of signatures.
    """
    hashes, starts = grams(["\n".join(compared(row, begin)).strip() for row in rows])
    return Features(
        np.array([_whole(row) for row in rows], dtype=np.uint64),
        np.array([_side(row, "prompt") for row in rows], dtype=np.uint64),
        np.array([_side(row, "answer") for row in rows], dtype=np.uint64),
        signatures(hashes, starts),
        np.array([words_of(row) for row in rows], dtype=np.int32).reshape(-1, 2),
        np.array([_part(row) for row in rows], dtype=np.uint8),
        np.array([bool(row.example and len(row.example.references) > 1) for row in rows], dtype=bool),
        np.array([digest(repr(stance("\n".join(_told(row))))) for row in rows], dtype=np.uint64),
    )


def joined(parts: Sequence[Features]) -> Features:
    """The features of several parts of the rows as one."""
    return Features(*(np.concatenate([getattr(part, name) for part in parts]) for name in Features.__slots__))


def compared(row: Row, begin: str = "") -> tuple[str, str]:
    """What near duplicates are looked for in, plain: the prompt without `begin`, and the answers, rejected ones too."""
    asked = [text.text.removeprefix(begin) for text in row.texts if text.side == "prompt"]
    rejected = [str(row.example.fields.get("rejected", ""))] if row.example else []
    return plain("\n".join(asked)), plain("\n".join([*_told(row), *rejected]))


def beginning(rows: Sequence[Row]) -> str:
    """How at least half of the distinct first prompts of some rows begin, whole words only.

    Empty where fewer than twenty are distinct, or what they share is shorter than twelve characters.
    """
    first = sorted(
        {next((text.text for text in row.texts if text.side == "prompt"), "") for row in rows} - {""}
    )
    if len(first) < _FEWEST:
        return ""
    # In the order of the alphabet those that begin alike are neighbours.
    shared = [_same(low, high) for low, high in zip(first, first[int(_SHARED * len(first)) :], strict=False)]
    longest = max(shared, key=len)
    whole = longest[: longest.rfind(" ") + 1]
    return whole if len(whole) >= _SHORTEST else ""


def _same(one: str, other: str) -> str:
    pairs = enumerate(zip(one, other, strict=False))
    return one[: next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))]


def digest(text: str) -> int:
    """A hash of a text, 64 bits and never 0."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _whole(row: Row) -> int:
    """The content of an example, a rejected answer and the place of the right choice included; else a row's texts."""
    texts = [(text.side, text.text.strip()) for text in row.texts if text.side != "other"]
    if not any(text for _, text in texts):
        return 0
    fields = row.example.fields if row.example else {}
    own = [(name, str(fields[name]).strip()) for name in _OWN if name in fields]
    return digest(repr((texts, own)))


def _side(row: Row, side: str) -> int:
    asked = [text.text for text in row.texts if text.side == "prompt"]
    said = plain("\n".join(asked if side == "prompt" else _told(row)))
    return digest(said) if said else 0


def _told(row: Row) -> list[str]:
    """The answers of a row; a choice may be told by its place alone."""
    texts = [text.text for text in row.texts if text.side == "answer"]
    return texts or list(row.example.references if row.example else ())


def _part(row: Row) -> int:
    part = row.example.fields.get("part", "") if row.example else ""
    return PARTS.index(part) if part in PARTS else 0
