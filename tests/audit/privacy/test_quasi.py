"""Groups that share all facts that others may know."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trimtab.audit.privacy.quasi import groups, quasi_columns

ROWS: list[dict[str, Any]] = [
    {"zip": "0350", "gender": "f", "text": "a"},
    {"zip": "0350", "gender": "F ", "text": "b"},
    {"zip": "0350", "gender": "m", "text": "c"},
    {"zip": 8200, "gender": "m", "text": "d"},
    {"text": "e"},
]


def test_columns_are_known_by_their_names() -> None:
    names = [
        "postcode",
        "birthDate",
        "date_of_birth",
        "Gender",
        "job_title",
        "text",
        "page",
        "message",
        "image",
        "ZIP",
    ]
    assert quasi_columns(names) == ["postcode", "birthDate", "date_of_birth", "Gender", "job_title", "ZIP"]


def test_rows_that_no_other_agrees_with_are_named_by_number() -> None:
    found = groups(ROWS, wanted=2)
    assert found is not None
    assert found.columns == ("zip", "gender")
    assert (found.rows, found.k, found.alone, found.below) == (4, 1, (2, 3), 2)
    assert found.smallest == ((2,), (3,), (0, 1))


def test_no_such_column_or_no_rows_is_none() -> None:
    assert groups([{"text": "a"}, {"text": "b"}]) is None
    assert groups(ROWS[:1]) is None
    assert groups(ROWS, columns=["height"]) is None


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), min_size=2, max_size=40), st.integers(2, 6)
)
def test_against_a_plain_count(values: list[tuple[str, int]], wanted: int) -> None:
    found = groups([{"city": place, "age": age} for place, age in values], wanted=wanted)
    plain = Counter(values)
    assert found is not None
    assert found.k == min(plain.values())
    assert found.alone == tuple(n for n, value in enumerate(values) if plain[value] == 1)
    assert found.below == sum(1 for value in values if plain[value] < wanted)
