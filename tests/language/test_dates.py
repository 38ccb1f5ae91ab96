"""Dates in the forms that English texts use."""

from __future__ import annotations

import time

import pytest

from trimtab.language.dates import Date, date_spans, stated

DAY = Date(2024, 3, 5)


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("on 2024-03-05.", (DAY,)),
        ("on 5 March 2024", (DAY,)),
        ("on the 5th of March, 2024", (DAY,)),
        ("on March 5, 2024,", (DAY,)),
        ("on Mar. 5th 2024", (DAY,)),
        ("on 5/3/2024", (DAY, Date(2024, 5, 3))),
        ("on 25/3/2024", (Date(2024, 3, 25),)),
        ("in March 2024", (Date(2024, 3),)),
        ("on Sept 9", (Date(None, 9, 9),)),
    ],
)
def test_forms(text: str, dates: tuple[Date, ...]) -> None:
    ((found, (start, end)),) = date_spans(text)
    assert found == dates
    assert text[start:end].strip(" .,") in text


@pytest.mark.parametrize(
    "text", ["in 2024", "in March", "version 2024-13-40", "31/31/2024", "1.7.3", "marching 5"]
)
def test_what_is_no_date(text: str) -> None:
    assert date_spans(text) == []


def test_a_part_of_a_date_agrees_with_the_whole_and_not_the_other_way_round() -> None:
    assert stated([Date(2024, 3)], [DAY])
    assert stated([Date(None, 3, 5)], [DAY])
    assert stated([Date(2024, 5, 3), DAY], [DAY])
    assert not stated([DAY], [Date(2024, 3)])
    assert not stated([Date(2024, 3, 6)], [DAY])
    assert not stated([DAY], [])


def test_time_grows_with_length_alone() -> None:
    started = time.process_time()
    assert len(date_spans("5 March " * 10_000)) > 1000
    assert time.process_time() - started < 2
