"""Numbers and negations of an answer."""

from __future__ import annotations

import pytest

from trimtab.audit.stance import stance


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It isn't open at 9:30.", "At 9:30 it is not open."),
        ("1,200 grams and two bags", "2 bags and 1200 grams"),
        ("You can't; don’t!", "You cannot, do not!"),
        ("This one is good", "This is good"),
        ("Das kostet nichts", "Es kostet nichts"),
        ("5 * 3 = 15, so 15", "5 * 3 = 15"),
    ],
)
def test_the_same_said_otherwise(one: str, other: str) -> None:
    assert stance(one) == stance(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 euros", "15 euros"),
        ("It is open", "It is not open"),
        ("three days", "four days"),
        ("1.5 mg", "15 mg"),
        ("Das ist erlaubt", "Das ist nicht erlaubt"),
        ("5 of 5", "5 of 10"),
    ],
)
def test_what_changes_the_meaning_differs(one: str, other: str) -> None:
    assert stance(one) != stance(other)
