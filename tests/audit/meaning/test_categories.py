"""Which column holds labels."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit.made import read_rows
from trimtab.audit.meaning.categories import ANSWER, Categories, codes, present
from trimtab.errors import DataError


def settled(rows: list[dict[str, Any]], column: str = "") -> Categories:
    found = Categories(column)
    for row in read_rows(*rows):
        found.add(row)
    found.settle()
    return found


def rows(count: int = 60, **more: Any) -> list[dict[str, Any]]:
    return [
        {"prompt": f"ask {n}", "completion": f"tell {n}"} | {name: value(n) for name, value in more.items()}
        for n in range(count)
    ]


def test_a_column_is_known_by_its_usual_name() -> None:
    found = settled(rows(intent=lambda n: ("a", "b", "c")[n % 3], colour=lambda n: "red"))
    assert (found.column, found.values[:4]) == ("intent", ("a", "b", "c", "a"))


def test_a_named_column_goes_before_and_numbers_are_labels() -> None:
    found = settled(rows(intent=lambda n: "ab"[n % 2], grade=lambda n: n % 4), "grade")
    assert (found.column, found.values[:5]) == ("grade", ("0", "1", "2", "3", "0"))


def test_the_answer_is_a_label_where_it_is_one_of_few() -> None:
    found = settled([{"prompt": f"ask {n}", "completion": ("yes", "no")[n % 2]} for n in range(60)])
    assert (found.column, found.values[0]) == (ANSWER, "yes")
    chosen = [{"question": f"q {n}", "choices": ["true", "false"], "answer": n % 2} for n in range(60)]
    assert settled(chosen).values[:2] == ("true", "false")
    assert settled(rows()).column == ""


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (lambda n: "a", "expected 2 to 200 different labels, received 1"),
        (lambda n: f"a{n // 2}", "expected 10 rows a label on average, received 2.0"),
        (lambda n: "ab"[n % 2] if n < 9 else None, "expected at least 50 rows with a label, received 9"),
    ],
)
def test_a_named_column_that_does_not_fit_is_told(value: Any, why: str) -> None:
    found = settled(rows(kind=value), "kind")
    assert (found.column, found.missed) == ("", f"kind: {why}")
    assert settled(rows(label=value)).missed == "", "nobody asked for it"


def test_a_column_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(DataError, match="label=kind: expected a column of words"):
        settled(rows(), "kind")
    with pytest.raises(DataError, match="received none in the first 60 rows"):
        present("kind", read_rows(*rows()))
    present("prompt", read_rows(*rows()))


def test_codes_follow_the_alphabet() -> None:
    found, names = codes(("b", "", "a", "b"))
    assert (found.tolist(), names) == ([1, -1, 0, 1], ("a", "b"))
