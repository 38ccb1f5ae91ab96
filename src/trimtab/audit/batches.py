"""Items in batches that are bounded by their count and by the text in them, so that long rows cost no more memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

# Characters of text in one batch; a longer item is a batch of its own.
MOST = 8 * 2**20
_DEEPEST = 8
T = TypeVar("T")


def batches(
    items: Iterable[T], count: int, weight: Callable[[T], int], most: int = MOST
) -> Iterator[list[T]]:
    """Items in their order, in lists of at most `count`, each closed as soon as it weighs `most`."""
    batch: list[T] = []
    held = 0
    for item in items:
        batch.append(item)
        held += weight(item)
        if len(batch) >= count or held >= most:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def characters(value: Any, depth: int = 0) -> int:
    """The characters of text in a JSON value."""
    if isinstance(value, str):
        return len(value)
    if depth >= _DEEPEST:
        return 0
    if isinstance(value, Mapping):
        return sum(characters(inner, depth + 1) for inner in value.values())
    if isinstance(value, list):
        return sum(characters(inner, depth + 1) for inner in value)
    return 0
