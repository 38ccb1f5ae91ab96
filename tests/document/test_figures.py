"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from trimtab.document.figures import (
    duration,
    fixed,
    interval,
    moment,
    percent,
    places,
    significant,
    size,
    tagged,
)
from trimtab.records import NAN, Estimate


def estimate(value: float, low: float, high: float, undefined: str = "") -> Estimate:
    return Estimate(value, low, high, 0.95, 30, "t", undefined)


@pytest.mark.parametrize(
    ("value", "count", "signed", "text"),
    [
        (1234.5, 1, False, "1,234.5"),
        (-0.05, 2, False, "−0.05"),
        (0.4, 0, True, "0"),
        (-0.001, 2, True, "0.00"),
        (3.0, 1, True, "+3.0"),
    ],
)
def test_fixed_has_a_true_minus_and_no_negative_zero(
    value: float, count: int, signed: bool, text: str
) -> None:
    assert fixed(value, count, signed=signed) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.05, "0.05"),
        (2.0, "2"),
        (31.2384, "31.2"),
        (0.000213, "0.000213"),
        (134515008, "134,515,008"),
        (None, "not recorded"),
        (NAN, "not recorded"),
        (math.inf, "not recorded"),
        (0.0, "0"),
        (2.5e-9, "2.50e−09"),
    ],
)
def test_significant(value: float | None, text: str) -> None:
    assert significant(value) == text


def test_an_interval_shows_two_digits_of_its_half_width() -> None:
    assert interval(estimate(31.2384, 28.9312, 33.5729)) == "+31.2 (+28.9 to +33.6)"
    assert interval(estimate(-0.0124, -0.0217, -0.0031)) == "−0.0124 (−0.0217 to −0.0031)"


def test_a_bound_never_prints_as_a_threshold_that_it_is_not() -> None:
    close = estimate(5.0, 2.0004, 8.0)
    assert places(close, 2.0) == 4
    assert "+2.0004" in interval(close, 2.0)
    assert interval(estimate(5.0, 2.0, 8.0), 2.0) == "+5.0 (+2.0 to +8.0)"


def test_an_undefined_estimate_prints_its_reason() -> None:
    assert interval(estimate(NAN, NAN, NAN, "1 items")) == "undefined (1 items)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.21, "4.2 s"),
        (59.6, "1 min"),
        (372, "6 min 12 s"),
        (3599.7, "1 h"),
        (7500, "2 h 5 min"),
        (None, "not recorded"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(1893400576, "1.89 GB"), (19539968, "19.5 MB"), (512, "512 bytes"), (None, "not recorded")],
)
def test_size(count: float | None, text: str) -> None:
    assert size(count) == text


def test_percent_keeps_the_digits_that_a_shared_level_needs() -> None:
    assert [percent(level) for level in (0.95, 0.965, 0.99475)] == ["95%", "96.5%", "99.475%"]


def test_moment() -> None:
    assert moment("2026-03-04T09:05:31Z") == "4 March 2026, 09:05 UTC"
    assert moment("yesterday") == "yesterday"
    assert moment(None) == ""


def test_tagged_holds_the_whole_number_and_escapes_its_text() -> None:
    assert tagged(0.1 + 0.2, "0.3") == '<data value="0.30000000000000004">0.3</data>'
    assert tagged(None, "<none>") == "&lt;none&gt;"
