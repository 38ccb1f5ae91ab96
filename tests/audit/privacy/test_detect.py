"""Personal data in rows: where it stands is told exactly, and nothing of it leaves in a note."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.audit.findings import Row, Text
from trimtab.audit.kinds import KINDS
from trimtab.audit.privacy import names, national
from trimtab.audit.privacy.detect import KIND, Detector, check, patterns
from trimtab.audit.privacy.masking import mask
from trimtab.errors import MissingPart

modelled = pytest.mark.skipif(names.installed() is None, reason="no spaCy model of English is installed")
SECRET = "Write to anna.berg@example.org or ring +44 20 7946 0018."
ROW = Row(
    7,
    "data.jsonl:8",
    {},
    (
        Text("prompt", "Who is it?", "prompt"),
        Text("completion", SECRET, "answer"),
        Text("note", "4111 1111 1111 1111", "other"),
    ),
)


def test_each_find_of_a_row_is_a_hit_with_its_place() -> None:
    hits = list(check(ROW))
    texts = {text.field: text.text for text in ROW.texts}
    told = [
        (hit.span.field, texts[hit.span.field][hit.span.start : hit.span.end], hit.span.type)
        for hit in hits
        if hit.span
    ]
    assert told == [
        ("completion", "anna.berg@example.org", "EMAIL_ADDRESS"),
        ("completion", "+44 20 7946 0018", "PHONE_NUMBER"),
        ("note", "4111 1111 1111 1111", "CREDIT_CARD"),
    ]
    assert {(hit.kind, hit.row) for hit in hits} == {(KIND, 7)}
    assert KIND in KINDS


def test_a_note_tells_the_type_and_nothing_else() -> None:
    assert [hit.note for hit in check(ROW)] == ["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD"]


def test_the_row_check_goes_to_other_processes() -> None:
    assert list(pickle.loads(pickle.dumps(check))(ROW)) == list(check(ROW))


def test_without_names_a_detector_is_the_patterns_and_says_so() -> None:
    detector = Detector()
    assert list(detector.find([SECRET, "nothing"])) == [patterns(SECRET), []]
    assert list(detector.check(ROW)) == list(check(ROW))
    assert "patterns only" in detector.seen


MASKED = ["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS", "US_SSN", "MAC_ADDRESS"]
VALUES = [
    "anna.berg@example.org",
    "+44 20 7946 0018",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "203.0.113.77",
    "219-09-9999",
    "00:1A:2B:3C:4D:5E",
    "12 Mill Lane",
    "Dr. Anna Berg",
    "and",
    "call",
    "card",
    "2024",
    ",",
    "\n",
    "x",
]


@given(st.lists(st.sampled_from(VALUES), max_size=14), st.sampled_from([" ", ", ", "; "]))
@settings(max_examples=200, deadline=None)
def test_a_masked_text_holds_nothing_more_to_mask(parts: list[str], between: str) -> None:
    text = between.join(parts)
    masked = mask(text, patterns(text, 0.4))
    assert [one for one in patterns(masked, 0.4) if one.type in MASKED] == []


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPart, match="spaCy"):
        names.Names()
    with pytest.raises(MissingPart, match="Presidio"):
        national.National()


def test_patterns_need_neither_presidio_nor_spacy() -> None:
    probe = (
        "import sys; from trimtab.audit.privacy.detect import Detector, check; list(Detector().find(['a@b.example']));"
        "sys.exit(bool({'spacy', 'presidio_analyzer', 'tldextract'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


@modelled
def test_names_are_found_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    texts = [
        "Yesterday Maria Gonzalez flew from Oslo to Berlin; write to maria@example.org.",
        "> Maria Gonzalez\n> Oslo",
        "the meeting is about nothing in particular",
    ]
    found = list(Detector(names=True).find(texts))
    told = [
        {(text[one.start : one.end], one.type) for one in ones}
        for text, ones in zip(texts, found, strict=True)
    ]
    assert {
        ("Maria Gonzalez", "PERSON"),
        ("Oslo", "LOCATION"),
        ("maria@example.org", "EMAIL_ADDRESS"),
    } <= told[0]
    assert ("Maria Gonzalez", "PERSON") in told[1]
    assert told[2] == set()


@modelled
@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("The patient's fiscal code is RSSMRA85T10A562S today", "IT_FISCAL_CODE", "RSSMRA85T10A562S"),
        (
            "Send it to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa please",
            "CRYPTO",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        ),
    ],
)
def test_presidio_adds_numbers_with_a_check_digit(text: str, kind: str, value: str) -> None:
    found = list(national.National().find(text))
    assert (kind, value) in [(one.type, text[one.start : one.end]) for one in found]
    last = "T" if value[-1] != "T" else "S"
    assert kind not in [one.type for one in national.National().find(text.replace(value, value[:-1] + last))]


@modelled
@given(st.text(max_size=120))
@settings(max_examples=60, deadline=None)
def test_names_lie_inside_the_text_and_apart(text: str) -> None:
    (found,) = Detector(names=True).find([text])
    edges = [edge for one in found for edge in (one.start, one.end)]
    assert edges == sorted(edges)
    assert all(0 <= one.start < one.end <= len(text) for one in found)


@modelled
def test_names_are_read_in_columns_of_text_too_and_cells_by_their_column() -> None:
    said = "Yesterday Maria Gonzalez flew from Oslo to Berlin."
    row = Row(
        0,
        "r:1",
        {"turns": said, "phone": "5550143", "id": "Maria"},
        tuple(
            Text(name, value, "other")
            for name, value in (("turns", said), ("phone", "5550143"), ("id", "Maria"))
        ),
    )
    found = {(hit.span.field, hit.note) for hit in Detector(names=True).check(row) if hit.span}
    assert {("turns", "PERSON"), ("turns", "LOCATION"), ("phone", "PHONE_NUMBER")} == found - {
        ("turns", "DATE_TIME")
    }
