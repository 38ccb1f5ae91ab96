"""Personal data in columns that no model reads: the finding names the column, pseudonyms stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.audit.made import read_rows, write
from trimtab.audit import audit
from trimtab.audit.examples import examples
from trimtab.audit.privacy.detect import KIND, check

BASE: dict[str, Any] = {"prompt": "What is it?", "completion": "Nothing."}


def told(**columns: Any) -> list[tuple[str, str, str]]:
    row = read_rows(BASE | columns)[0]
    cells: dict[str, Any] = {"": columns}
    found = []
    for hit in check(row):
        assert hit.span
        inner: Any = cells[""]
        for step in hit.span.field.replace("[", ".").replace("]", "").split("."):
            inner = inner[int(step)] if isinstance(inner, list) else inner[step]
        found.append((hit.span.field, str(inner)[hit.span.start : hit.span.end], hit.span.type))
    return found


@pytest.mark.parametrize(
    ("columns", "field", "value", "kind"),
    [
        ({"customer_email": "ann@corp.example"}, "customer_email", "ann@corp.example", "EMAIL_ADDRESS"),
        ({"meta": {"contacts": [{"mail": "ann@corp.example"}]}}, "meta.contacts[0].mail", "ann@corp.example",
         "EMAIL_ADDRESS"),
        ({"source": "letter of ann@corp.example"}, "source", "ann@corp.example", "EMAIL_ADDRESS"),
        ({"consent": "yes, by +44 20 7946 0018"}, "consent", "+44 20 7946 0018", "PHONE_NUMBER"),
        ({"phone_number": "5550143"}, "phone_number", "5550143", "PHONE_NUMBER"),
        ({"phone": 5551230143}, "phone", "5551230143", "PHONE_NUMBER"),
        ({"birth_date": "1971-03-04"}, "birth_date", "1971-03-04", "DATE_TIME"),
        ({"customer": {"name": "Anna Berg"}}, "customer.name", "Anna Berg", "PERSON"),
        ({"author": "Ragnhild Skar"}, "author", "Ragnhild Skar", "PERSON"),
        ({"id": "ann@corp.example"}, "id", "ann@corp.example", "EMAIL_ADDRESS"),
        ({"subject": "ann@corp.example"}, "subject", "ann@corp.example", "EMAIL_ADDRESS"),
        ({"subject": "+44 20 7946 0018"}, "subject", "+44 20 7946 0018", "PHONE_NUMBER"),
        ({"subject": "Anna Berg"}, "subject", "Anna Berg", "PERSON"),
        ({"subject": "Xyla Quarrington"}, "subject", "Xyla Quarrington", "PERSON"),
        ({"subject": "anna berg"}, "subject", "anna berg", "PERSON"),
    ],
)  # fmt: skip
def test_a_column_that_no_model_reads_is_searched(
    columns: dict[str, Any], field: str, value: str, kind: str
) -> None:
    assert told(**columns) == [(field, value, kind)]


@pytest.mark.parametrize(
    "columns",
    [
        {"subject": "p-0012"},
        {"subject": "S17"},
        {"subject": "1001-003-017"},
        {"subject": "user_4"},
        {"subject": "8f14e45fceea167a5a36dedd4bea2543"},
        {"subject": "4915112345678"},
        {"subject": 12},
        {"id": "0012-3456-78901"},
        {"row_id": 4111111111111112},
        {"source": "https://example.org/a/1234567"},
        {"licence": "CC BY-SA 4.0", "collected_at": "2024-05-01T12:30:00"},
        {"product_name": "Blue Spice House"},
        {"tags": ["travel", "hotel 12"]},
        {"score": 0.73, "ok": True},
        {"postcode": "0350", "zip_code": 8200},
        {"text_2": "01223812660"},
    ],
)
def test_pseudonyms_and_plain_facts_are_left(columns: dict[str, Any]) -> None:
    assert told(**columns) == []


def test_the_excerpt_of_a_column_is_masked(tmp_path: Path) -> None:
    source = write(tmp_path / "r.jsonl", [BASE | {"meta": {"mail": "write to ann@corp.example"}}])
    one = audit(source).of(KIND)
    assert one
    (shown,) = examples(source, {}, [one])[KIND]
    assert shown.excerpts == ("write to [EMAIL_ADDRESS]",)


def test_the_name_of_a_product_is_nobodys() -> None:
    assert told(name="Orrivane Swift", category="kettles") == []
    assert told(name="Orrivane Swift") == [("name", "Orrivane Swift", "PERSON")]
    assert told(name="Anna Berg", category="teachers") == [("name", "Anna Berg", "PERSON")]
    assert told(author="Ragnhild Skar", category="novels") == [("author", "Ragnhild Skar", "PERSON")]
    assert told(name="ann@corp.example", price=4) == [("name", "ann@corp.example", "EMAIL_ADDRESS")]
