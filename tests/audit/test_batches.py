"""Batches are bounded by count and by text, and keep the order."""

from __future__ import annotations

import pytest

from trimtab.audit.batches import batches, characters


@pytest.mark.parametrize(
    ("weights", "sizes"),
    [([1] * 7, [3, 3, 1]), ([5, 5, 5, 5], [2, 2]), ([99, 1, 1, 99], [1, 3]), ([], [])],
)
def test_a_batch_ends_with_its_count_or_its_weight(weights: list[int], sizes: list[int]) -> None:
    found = list(batches(weights, 3, lambda weight: weight, 10))
    assert [len(batch) for batch in found] == sizes
    assert [weight for batch in found for weight in batch] == weights


def test_nothing_is_taken_ahead() -> None:
    items = iter(range(10))
    assert next(batches(items, 4, lambda item: 1)) == [0, 1, 2, 3]
    assert next(items) == 4


def test_characters_of_all_texts_inside() -> None:
    assert characters({"a": "four", "b": [{"content": "xy"}, 7, None], "c": True}) == 6
    assert characters(None) == 0
