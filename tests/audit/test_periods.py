"""Rows by period: counts, what is said of them, and drift, its level by simulation."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from tests.audit.made import read_rows
from trimtab.audit import drift
from trimtab.audit.findings import Row
from trimtab.audit.periods import Dated, Periods

FEELINGS = ("good", "bad", "nice", "poor", "the", "a", "room", "fine")
START = datetime.date(2023, 1, 1)
GERMAN = "Das Haus steht auf einem Hügel und bietet einen Blick auf das Meer, den viele Gäste loben."
ENGLISH = "The house stands on a hill and has a view of the sea, which many of its guests praise."


def rows(*given: tuple[Any, str]) -> list[Row]:
    return read_rows(
        *({"prompt": "What of it?", "completion": text, "date": str(day)} for day, text in given)
    )


def counted(found: list[Row]) -> Periods:
    whole = Periods()
    for begin in range(0, len(found), 7):
        part = Periods()
        for row in found[begin : begin + 7]:
            part.add(row)
        whole.join(part)
    return whole


def simulated(seed: int, moved: float = 0.0) -> Periods:
    """Rows of which lengths and words are drawn; answers of the later half are longer by e^moved."""
    rng = np.random.default_rng(seed)
    found = Periods()
    for number in range(200):
        later = moved * (number >= 100)
        words = int(rng.lognormal(3 + later, 0.5))
        day, text = START + datetime.timedelta(days=number), " ".join(rng.choice(FEELINGS, 6))
        found.sample.take(number, Dated(day, int(rng.poisson(9)), words, text))
    return found


def test_without_drift_at_most_one_in_twenty_sets_is_said_to_drift() -> None:
    found = sum(bool(simulated(seed).findings()) for seed in range(200))
    # Of a right test 10 of 200 are; 19 or more have a chance of 1 in 200.
    assert found < 19


def test_drift_that_was_planted_is_found() -> None:
    (one,) = simulated(0, moved=0.5).findings()
    assert one.rows == tuple(range(100, 200))
    assert list(one.detail["differ"]) == ["words of the answer"]
    assert one.detail["tested"] == ["words of the answer", "words of the prompt", "sentiment"]
    assert one.detail["since"] == "2023-04-11"
    assert one.notes[100].startswith("since 2023-04-11: words of the answer ")
    assert sum(bool(simulated(seed, moved=0.5).findings()) for seed in range(20)) == 20


def test_meaning_is_one_of_what_is_corrected_for() -> None:
    found = simulated(3)
    assert found.findings() == ()
    found.moved = drift.Difference("meaning", 0.02, "meaning differs")
    assert found.findings() == (), "four tests are looked at, so that 0.02 is not enough"
    found.moved = drift.Difference("meaning", 0.001, "meaning differs")
    (one,) = found.findings()
    assert one.detail["differ"] == {"meaning": pytest.approx(0.004)}


def test_rows_are_counted_by_month() -> None:
    found = counted(rows(*((f"2024-0{1 + n % 3}-10", ENGLISH) for n in range(60)), ("soon", ENGLISH)))
    (section,) = found.sections()
    assert section.data["undated"] == 1
    assert section.data["periods"]["2024-02"] == {"rows": 20, "answer_words": 19}
    assert [cells[0] for cells in section.tables[0].rows] == ["2024-01", "2024-02", "2024-03"]
    assert section.tables[0].rows[0][1:3] == ("20", "19.0")
    assert section.tables[0].head[-1] == "in en"
    assert found.findings() == ()


def test_many_months_are_shown_by_year() -> None:
    days = [(START + datetime.timedelta(days=31 * n), ENGLISH) for n in range(40)]
    (section,) = counted(rows(*days)).sections()
    assert list(section.data["periods"]) == ["2023", "2024", "2025", "2026"]


def test_a_change_of_language_is_drift() -> None:
    found = counted(
        rows(*((START + datetime.timedelta(days=n), ENGLISH if n < 40 else GERMAN) for n in range(80)))
    )
    (one,) = found.findings()
    assert "answers in " in one.notes[one.rows[0]]


def test_a_set_without_dates_or_of_one_month_has_no_periods() -> None:
    assert counted(rows(("soon", ENGLISH), ("later", ENGLISH))).sections() == ()
    one_month = [(START + datetime.timedelta(days=n % 20), ENGLISH) for n in range(60)]
    assert counted(rows(*one_month)).sections() == ()
    moved = [(day, text if day.day < 11 else f"{text} {text}") for day, text in one_month]
    (section,) = counted(rows(*moved)).sections()
    assert list(section.data["periods"]) == ["2023-01"], "it is what the finding points to"
    assert counted(rows(*((START, ENGLISH) for _ in range(50)))).findings() == ()
    assert counted(read_rows({"prompt": "a", "completion": "b", "collected_at": "2024-03-01"})).undated == 0
