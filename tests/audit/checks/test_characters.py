from __future__ import annotations

import pytest

from tests.audit.planted import read
from trimtab.audit.checks import characters

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "clean", "spans"),
    [
        ("a\x00b", "ab", [(1, 2)]),
        ("a\x1b[31mred\x1b[0m", "ared", [(1, 6), (9, 13)]),
        ("one\x0ctwo", "one\ntwo", [(3, 4)]),
        ("a\tb\r\nc", "a\tb\r\nc", []),
        ("x\x07\x08y\x9d", "xy", [(1, 3), (4, 5)]),
    ],
)
def test_control_characters(text: str, clean: str, spans: list[tuple[int, int]]) -> None:
    found = [hit.span for hit in characters.control(read(0, {"prompt": "q", "completion": text}))]
    assert [(span.start, span.end) for span in found if span] == spans
    assert characters.without_control(text) == clean


def test_half_of_a_broken_letter_is_no_control_character() -> None:
    text = "the cafÃ©â\x80\x99s terrace"
    assert list(characters.control(read(0, {"prompt": "q", "completion": text}))) == []
    assert characters.without_control(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("pass\u200bword", "password"),
        ("\ufeffHello", "Hello"),
        ("soft\u00adhyphen", "softhyphen"),
        ("safe\u202efdp.exe", "safefdp.exe"),
        ("mark\u200e.", "mark."),
        ("hid\U000e0041\U000e0042den", "hidden"),
        ("a\u200d\u200d\u200bb", "ab"),
        (FAMILY, FAMILY),
        (SCOTLAND, SCOTLAND),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("שלום\u200f!", "שלום\u200f!"),
        ("10\u00a0km – so", "10\u00a0km – so"),
    ],
)
def test_invisible_characters(text: str, clean: str) -> None:
    found = list(characters.invisible(read(0, {"prompt": "q", "completion": text})))
    assert bool(found) == (text != clean)
    assert characters.without_invisible(text) == clean
