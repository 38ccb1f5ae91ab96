"""Groups that share all facts that others may know."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.made import read_rows, write
from trimtab.audit import as_json, audit
from trimtab.audit.examples import examples
from trimtab.audit.findings import Row
from trimtab.audit.privacy.quasi import KIND, Facts, Singled, finding, groups, quasi_columns
from trimtab.records import plain

FACTS: list[dict[str, Any]] = [
    {"zip": "0350", "gender": "f"},
    {"zip": "0350", "gender": "F "},
    {"zip": "0350", "gender": "m"},
    {"zip": 8200, "gender": "m"},
    {"zip": None, "gender": ""},
]
ROWS = [fact | {"prompt": f"ask {n}", "completion": "yes"} for n, fact in enumerate(FACTS)]


def hashed(facts: Facts, rows: Sequence[Row]) -> np.ndarray:
    """The hashes of some rows, gathered in two parts."""
    parts = [Singled(facts), Singled(facts)]
    for row in rows:
        parts[row.number > 1].add(row)
    parts[0].join(parts[1])
    return np.array(parts[0].hashes, dtype=np.uint64)


def test_columns_are_known_by_their_names() -> None:
    told = ["postcode", "birthDate", "date_of_birth", "Gender", "job_title", "ZIP", "user.age"]
    assert quasi_columns([*told, "text", "page", "message", "image"]) == told


def test_rows_that_no_other_agrees_with_are_counted() -> None:
    rows = read_rows(*ROWS)
    facts = Facts.of(rows)
    found = groups(facts.columns, hashed(facts, rows), wanted=2)
    assert found.columns == ("zip", "gender")
    assert (found.rows, found.k, found.alone, found.below, found.sizes) == (4, 1, 2, (2, 3), (1, 1))


def test_columns_of_shops_or_of_one_fact_alone_are_none() -> None:
    assert Facts.of(read_rows({"prompt": "a", "completion": "b", "city": "x", "state": "y"})).columns == ()
    assert Facts.of(read_rows({"prompt": "a", "completion": "b", "language": "en"})).columns == ()
    assert Facts.of(read_rows({"prompt": "a", "completion": "b", "age": 4, "city": "x"})).columns == (
        "age",
        "city",
    )
    assert finding((), np.empty(0, dtype=np.uint64)) is None


def test_nested_facts_count_and_go_to_other_processes() -> None:
    rows = read_rows(*({"prompt": "a", "completion": "b", "who": {"age": n, "sex": "f"}} for n in (7, 7, 8)))
    facts = pickle.loads(pickle.dumps(Facts.of(rows)))
    assert facts.columns == ("who.age", "who.sex")
    assert groups(facts.columns, hashed(facts, rows), wanted=2).below == (2,)


def test_an_audit_tells_columns_and_counts_and_no_value(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"ask {n}", "completion": f"answer {n}", "postcode": "Q7Z", "birth_year": 1971 + (n == 9)}
        for n in range(10)
    ]
    source = write(tmp_path / "r.jsonl", rows)
    found = audit(source)
    one = found.of(KIND)
    assert one
    assert one.rows == (9,)
    assert one.detail == {
        "columns": ["postcode", "birth_year"],
        "k": 1,
        "wanted": 5,
        "rows_with_values": 10,
        "alone": 1,
        "below": 1,
    }
    shown = examples(source, {}, [one])[KIND][0]
    said = json.dumps(plain(as_json(found))) + str(shown)
    assert "no other row" in shown.note
    assert "1972" not in said
    assert "Q7Z" not in said


def test_the_excerpt_of_a_row_without_an_answer_is_no_fact(tmp_path: Path) -> None:
    rows = [{"postcode": f"Q{n}Z", "prompt": f"ask {n}"} for n in range(6)]
    source = write(tmp_path / "r.jsonl", rows)
    one = audit(source).of(KIND)
    assert one
    assert [shown.excerpts for shown in examples(source, {}, [one])[KIND]] == [
        ("ask 0",),
        ("ask 1",),
        ("ask 2",),
    ]


def test_groups_of_five_are_no_finding(tmp_path: Path) -> None:
    rows = [{"prompt": f"ask {n}", "completion": "b", "age": n % 2, "sex": "f"} for n in range(10)]
    assert audit(write(tmp_path / "r.jsonl", rows)).of(KIND) is None


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), min_size=2, max_size=40), st.integers(2, 6)
)
def test_against_a_plain_count(values: list[tuple[str, int]], wanted: int) -> None:
    rows = read_rows(
        *({"prompt": "p", "completion": "c", "city": place, "age": age} for place, age in values)
    )
    facts = Facts.of(rows)
    found = groups(facts.columns, hashed(facts, rows), wanted)
    counts = Counter(values)
    assert found.k == min(counts.values())
    assert found.alone == sum(counts[value] == 1 for value in values)
    assert found.below == tuple(n for n, value in enumerate(values) if counts[value] < wanted)
