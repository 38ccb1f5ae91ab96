"""What rows do not say of where they come from, and what they say in sum."""

from __future__ import annotations

from typing import Any

import pytest

from trimtab.audit.findings import Row
from trimtab.audit.kinds import KINDS
from trimtab.audit.provenance import FIELDS, MANY, Origins, missing
from trimtab.records import Example, Message

WHOLE = {
    "source": "letters",
    "licence": "CC0-1.0",
    "subject": "p-1",
    "consent": "form 3",
    "collected_at": "2026-03-31",
}


def row(number: int = 0, **given: Any) -> Row:
    """A row that says all of it, but for what is given otherwise."""
    said = WHOLE | given
    return Row(number, f"rows:{number}", said, example=Example((Message("user", "Hi"),), ("Ho",), **said))


def kinds(found: Row) -> list[str]:
    """The kinds of its findings."""
    return [hit.kind for hit in missing(found)]


def test_a_whole_row_has_no_finding() -> None:
    assert kinds(row()) == []


@pytest.mark.parametrize("kind", FIELDS)
def test_each_missing_field_is_a_finding_of_its_own_kind(kind: str) -> None:
    (hit,) = missing(row(7, **{FIELDS[kind]: ""}))
    assert (hit.kind, hit.row) == (kind, 7)
    assert KINDS[kind].severity == "note"


def test_consent_is_asked_of_rows_about_people_and_a_refusal_is_none() -> None:
    assert kinds(row(subject="", consent="")) == []
    (hit,) = missing(row(consent="No"))
    assert hit.kind == "missing_consent"
    assert "not given" in hit.note


def test_a_row_with_a_broken_shape_is_read_by_its_columns() -> None:
    broken = Row(3, "rows:3", {"license": "MIT", "subject": "p-2", "source": None}, problem="no answer")
    assert kinds(broken) == ["missing_source", "missing_consent", "missing_date"]


def counted(*rows: Row) -> Origins:
    """Some rows, counted."""
    found = Origins()
    for one in rows:
        found.add(one)
    return found


ROWS = (
    row(0),
    row(1, licence="MIT"),
    row(2, subject="", collected_at="2025-01-02T10:00:00Z"),
    row(3, source="letters of anna@example.org"),
)


def test_rows_are_counted_by_what_they_say_and_by_what_they_do_not() -> None:
    (section,) = counted(*ROWS, row(4, licence="")).sections()
    assert section.data["licence"] == {"CC0-1.0": 3, "MIT": 1}
    assert section.data["source"] == {"letters": 4, "letters of [e-mail address]": 1}
    assert (section.data["subjects"], section.data["unnamed"]) == (1, 1)
    assert section.data["days"] == ["2025-01-02", "2026-03-31"]
    assert ("not said", "1") in section.tables[0].rows
    assert "anna" not in repr(section)


def test_values_that_may_not_be_told_apart_are_counted_together() -> None:
    rows = [row(n, source=f"letter of {who}@example.org") for n, who in enumerate(("anna", "anna", "bert"))]
    (section,) = counted(*rows).sections()
    assert section.data["source"] == {"letter of [e-mail address]": 3}
    assert ("letter of [e-mail address]", "3") in section.tables[1].rows


@pytest.mark.parametrize("cut", range(5))
def test_parts_that_are_joined_count_like_the_whole(cut: int) -> None:
    parts = counted(*ROWS[:cut])
    parts.join(counted(*ROWS[cut:]))
    assert parts == counted(*ROWS)


def test_rows_that_say_nothing_have_no_section() -> None:
    assert counted(row(0, **dict.fromkeys(WHOLE, ""))).sections() == ()


def test_many_values_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.audit.provenance._MOST", 2)
    found = counted(*(row(n, source=f"page {n}") for n in range(5)))
    assert found.counts["source"] == {"page 0": 1, "page 1": 1, MANY: 3}
