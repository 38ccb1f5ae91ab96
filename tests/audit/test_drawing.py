"""A sample that does not depend on how the rows were parted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trimtab.audit.drawing import MOST, Sample, rank


def drawn(count: int, part: int) -> list[int]:
    whole: Sample[int] = Sample()
    for begin in range(0, count, part):
        one: Sample[int] = Sample()
        for number in range(begin, min(begin + part, count)):
            if one.wants(number):
                one.take(number, -number)
        whole.join(one)
    found = whole.drawn()
    assert all(value == -number for number, value in found)
    return [number for number, _ in found]


@pytest.mark.parametrize("count", [10, MOST, 7000, 60_000])
def test_it_is_the_rows_of_the_smallest_hashes_however_they_come(count: int) -> None:
    expected = sorted(sorted(range(count), key=rank)[:MOST])
    assert drawn(count, 1000) == drawn(count, count) == drawn(count, 777) == expected


def test_every_row_is_as_likely() -> None:
    places = np.array(drawn(100_000, 1000)) / 100_000
    assert stats.kstest(places, "uniform").pvalue > 0.01


def test_later_parts_are_small() -> None:
    one: Sample[int] = Sample()
    assert sum(one.wants(number) for number in range(1_000_000, 1_010_000)) < 60


def test_the_hash_is_splitmix64() -> None:
    # The first values of the generator seeded with 0, as published with its reference implementation.
    assert [rank(number) for number in range(3)] == [
        0xE220A8397B1DCDAF,
        0x6E789E6AA1B965F4,
        0x06C45D188009454F,
    ]
