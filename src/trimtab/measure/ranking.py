"""Retrieval by itself: is the document that holds the answer among the first that are found?"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from trimtab import stats
from trimtab.records import Estimate


def recall_at(found: Sequence[Sequence[str]], sought: Sequence[Sequence[str]], k: int) -> list[float]:
    """Of each question, the share of its documents that are among the first k found, 0 to 1.

    found: names of documents, best first, for each question. sought: names that would be right, at least one.
    """
    return [
        len(set(right) & set(names[:k])) / len(set(right)) for names, right in zip(found, sought, strict=True)
    ]


def reciprocal_rank(found: Sequence[Sequence[str]], sought: Sequence[Sequence[str]]) -> list[float]:
    """Of each question, 1 / rank of its first right document among those found, 0 where none is there."""
    return [
        next((1 / rank for rank, name in enumerate(names, start=1) if name in right), 0.0)
        for names, right in zip(found, sought, strict=True)
    ]


def mean_share(values: Sequence[float], clusters: Sequence[str], *, level: float = 0.95) -> Estimate:
    """Mean of values in [0, 1] with its interval, which lies in [0, 1] too; rows of a cluster are not independent."""
    # Around the middle of their range the values lie within half of it: the tightest range there is.
    found = stats.interval([v - 0.5 for v in values], clusters=clusters, bounds=(0.0, 0.5), level=level)
    if found.undefined:
        return found
    low, high = max(0.0, found.low + 0.5), min(1.0, found.high + 0.5)
    return dataclasses.replace(found, value=found.value + 0.5, low=low, high=high)
