"""Answers that users corrected or liked, as rows to tune on: never what select or confirm asks, or nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.audit.near import LEAST, candidates, jaccard
from trimtab.audit.shingles import grams, plain, signatures
from trimtab.data.split import instruction_before, prompt_key
from trimtab.records import Example


@dataclass(frozen=True, slots=True)
class Learned:
    """Rows to tune on. `sealed`: how many were left out, as other parts ask the same."""

    rows: tuple[Example, ...]
    sealed: int


def learned(rows: Sequence[Example], others: Sequence[Example]) -> Learned:
    """Leave out rows whose question is one of the others', or a near copy of it.

    others: rows that choose or decide, or may: all that are not tuned on.
    """
    held = {prompt_key(example) for example in others}
    kept = [example for example in rows if prompt_key(example) not in held]
    close = _near(kept, others)
    left = tuple(example for place, example in enumerate(kept) if place not in close)
    return Learned(left, len(rows) - len(left))


def _near(rows: Sequence[Example], others: Sequence[Example]) -> set[int]:
    """Places of rows whose question shares 0.8 of its 5-grams (Jaccard) with one of the others."""
    texts = [plain(_question(example)) for example in (*rows, *others)]
    if not rows or not others:
        return set()
    hashes, starts = grams(texts)
    pieces = np.split(hashes, starts[1:])
    found = set()
    for one, other in candidates(signatures(hashes, starts)).tolist():
        if one < len(rows) <= other and jaccard(*(np.unique(pieces[n]) for n in (one, other))) >= LEAST:
            found.add(one)
    return found


def _question(example: Example) -> str:
    return example.prompt.removeprefix(instruction_before(example))
