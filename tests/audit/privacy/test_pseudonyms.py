"""One person, one pseudonym; nobody real; nothing to go back by."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.audit.privacy.pseudonyms import Pseudonyms
from trimtab.errors import UserError
from trimtab.language.personal.numbers import luhn, mod97
from trimtab.language.personal.scan import patterns

KEY, OTHER = b"k" * 32, b"o" * 32
TEXT = "Dr. Anna Berg: anna@corp.test, +44 20 7946 0018, 4111 1111 1111 1111, 219-09-9999, 10.20.30.77"


def test_the_same_person_keeps_the_pseudonym_and_another_key_gives_another() -> None:
    mine = Pseudonyms(KEY)
    assert (
        mine.name("Anna Berg", "PERSON")
        == mine.name("anna  BERG", "PERSON")
        == Pseudonyms(KEY).name("Anna Berg", "PERSON")
    )
    assert mine.name("Anna Berg", "PERSON") != mine.name("Anna Borg", "PERSON")
    assert mine.name("Anna Berg", "PERSON") != Pseudonyms(OTHER).name("Anna Berg", "PERSON")
    assert re.sub(r"\D", "", mine.name("020 7946 0018", "PHONE_NUMBER")) == re.sub(
        r"\D", "", mine.name("020-7946-0018", "PHONE_NUMBER")
    )


def test_a_thousand_people_stay_apart() -> None:
    mine = Pseudonyms(KEY)
    assert len({mine.name(f"Anna Berg{n}", "PERSON") for n in range(1000)}) == 1000
    assert len({mine.name(f"p{n}@corp.test", "EMAIL_ADDRESS") for n in range(1000)}) == 1000


def test_nothing_of_the_text_stays_but_what_stood_between() -> None:
    fresh = Pseudonyms(KEY).replace(TEXT, patterns(TEXT))
    assert not any(word in fresh for word in ("Anna", "Berg", "corp.test", "7946", "4111", "219-09", "10.20"))
    assert fresh.startswith("Dr. ")
    assert [one.type for one in patterns(fresh) if one.type in ("EMAIL_ADDRESS", "IP_ADDRESS")] == [
        "EMAIL_ADDRESS",
        "IP_ADDRESS",
    ]


@given(st.integers(0, 10**12))
def test_invented_values_come_from_reserved_ranges(number: int) -> None:
    mine = Pseudonyms(KEY)
    assert mine.name(f"{number}@corp.test", "EMAIL_ADDRESS").endswith("@example.com")
    assert mine.name(f"203.0.{number}", "IP_ADDRESS").startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    assert mine.name(f"2001:{number}::1", "IP_ADDRESS").startswith("2001:db8::")
    assert re.search(r"55501\d\d$", re.sub(r"\D", "", mine.name(f"+1 {number:012d}", "PHONE_NUMBER")))
    assert mine.name(f"{number:09d}", "US_SSN").startswith("9")


@given(
    st.from_regex(r"[0-9]{4}( [0-9]{4}){3}", fullmatch=True),
    st.from_regex(r"[A-Z]{2}[0-9]{20}", fullmatch=True),
)
def test_numbers_keep_their_shape_and_are_nobodys(card: str, account: str) -> None:
    mine = Pseudonyms(KEY)
    made = mine.name(card, "CREDIT_CARD")
    assert re.fullmatch(r"\d{4}( \d{4}){3}", made)
    assert not luhn(made.replace(" ", ""))
    other = mine.name(account, "IBAN_CODE")
    assert re.fullmatch(r"[A-Z]{2}\d{20}", other)
    assert not mod97(other)


def test_a_kind_without_a_form_of_its_own_is_named_by_its_hash() -> None:
    assert re.fullmatch(r"UK_NHS-[0-9a-f]{10}", Pseudonyms(KEY).name("943 476 5919", "UK_NHS"))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(UserError, match="8 bytes"):
        Pseudonyms(b"12345678")
