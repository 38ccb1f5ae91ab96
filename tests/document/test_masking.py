"""Personal data is hidden; measures, dates and prices stay readable."""

from __future__ import annotations

import pytest

from trimtab.document.masking import mask, mask_parts, printable


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("anna.berg+shop@mail.example.org", "[e-mail address]"),
        ("o'neil@sub.example.co.uk", "[e-mail address]"),
        ("+44 20 7946 0018", "[telephone number]"),
        ("(020) 7946 0018", "[telephone number]"),
        ("+1 (555) 010-4477", "[telephone number]"),
        ("020 7946 0018", "[telephone number]"),
        ("0171/5550123", "[telephone number]"),
        ("555-010-4477", "[telephone number]"),
        ("555.010.4477", "[telephone number]"),
        ("5550104477", "[telephone number]"),
        ("07\u00a0700\u00a0900\u00a0123", "[telephone number]"),
        ("4111 1111 1111 1111", "[card number]"),
        ("4111-1111-1111-1111", "[card number]"),
        ("5555555555554444", "[card number]"),
        ("378282246310005", "[card number]"),
    ],
)
def test_personal_data_is_masked_wherever_it_stands(text: str, kind: str) -> None:
    for before, after in (("", ""), ("write to ", " today"), ("(", ")"), ("Contact: ", "."), ("a\n", "\nb")):
        assert mask(f"{before}{text}{after}") == f"{before}{kind}{after}"


@pytest.mark.parametrize(
    "text",
    [
        "1.7 l, 2200 W, 40 to 100 °C",
        "1920 x 1080 pixels",
        "EN 13432-2024",
        "2026-11-22",
        "22.11.2026",
        "01.02.2026 14:30",
        "1,234,567,890 items",
        "3.14159265358979",
        "100-2400 Hz",
        "ISO 9001:2015",
        "model 0.0012345",
        "24,999.00 euro",
        "99.475%",
        "220–240 V",
        "AB12345678901",
        "a @ b",
        "version 2.13.0",
        "-12 to 35",
        "7.5 x 10.25 x 3.125 cm",
    ],
)
def test_facts_are_kept(text: str) -> None:
    assert mask(text) == text


def test_several_in_one_text() -> None:
    text = "Mail a@b.example or ring +49 30 901820; card 4111 1111 1111 1111, size 60 cm."
    assert mask(text) == "Mail [e-mail address] or ring [telephone number]; card [card number], size 60 cm."


def test_long_hostile_text_is_quick() -> None:
    assert mask("1 " * 20_000).startswith("1 1 ")
    assert mask("a." * 20_000) == "a." * 20_000


def test_characters_that_no_page_may_hold_are_replaced() -> None:
    assert printable("a\x00b\x1b[31m\ud800\r\nc\td") == "a\ufffdb\ufffd[31m\ufffd\nc\td"


def test_parts_of_a_text_are_masked_as_the_whole_is() -> None:
    parts = ["Write to ", "ann@", "example.org", " or ring ", "+44 20 ", "7946 0958", ", please."]
    masked = mask_parts(parts)
    assert "".join(masked) == mask("".join(parts))
    assert [bool(part) for part in masked] == [True, True, False, True, True, False, True]
    assert mask_parts([]) == []
