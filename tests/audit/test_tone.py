"""Tone of a whole set: the spread over a sample, and strong feelings among the mild."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.audit.made import raw, read, write
from trimtab.audit import audit
from trimtab.audit.known import gathered
from trimtab.audit.rows import opened
from trimtab.audit.scan import Work, scan
from trimtab.audit.tone import Tone
from trimtab.errors import MissingPart

MILD = "The room is small and near the station."
LOUD = "This is a wonderful, fantastic and amazing place, I love it!"


def counted(*answers: str) -> Tone:
    found = Tone()
    for row in read(*((f"ask {place}", answer) for place, answer in enumerate(answers))):
        found.add(row)
    return found


def test_the_spread_is_a_section() -> None:
    (section,) = counted(*[MILD] * 30, "Short one.").sections()
    assert section.data["answers"] == 30
    assert section.data["readability"]["0.5"] > 80
    assert [row[0] for row in section.tables[0].rows] == ["readability", "sentiment", "advertising"]
    assert "Of 30 answers" in section.said[0]


def test_strong_praise_among_mild_answers_is_a_finding() -> None:
    (found,) = counted(*[MILD] * 30, LOUD).findings()
    assert (found.kind, found.rows) == ("outlier_sentiment", (30,))
    assert found.detail["answers"] == 31
    assert counted(*[LOUD] * 30).findings() == ()


def test_few_answers_have_no_spread() -> None:
    found = counted(*[MILD] * 19)
    assert (found.sections(), found.findings()) == ((), ())


def test_what_is_drawn_does_not_depend_on_the_processes(tmp_path: Path) -> None:
    rows = raw(*((f"ask {n}", LOUD if n % 97 == 0 else f"{MILD} It has {n} beds.") for n in range(4500)))
    source = write(tmp_path / "r.jsonl", rows)
    found = []
    for workers in (1, 2):
        opening = opened(source)
        tally: Any = scan(
            opening, Work(opening.maker, (), gathered(), tallies=(Tone,)), workers=workers
        ).tallies["tone"]
        assert tally.rows == 4500
        found.append(tally)
    assert found[0].sample.drawn() == found[1].sample.drawn()
    assert len(found[0].sample.drawn()) == 2000
    (one,) = found[0].findings()
    assert one.detail["looked_at"] == (
        "2,000 answers of five words or more among 2,000 rows drawn by a seed from 4,500"
    )
    assert all(row % 97 == 0 for row in one.rows)


def test_without_the_library_the_rest_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vaderSentiment", None)
    with pytest.raises(MissingPart, match="vaderSentiment"):
        counted(MILD)
    source = write(tmp_path / "r.jsonl", raw(*((f"ask {n}", MILD) for n in range(30))))
    found = audit(source)
    assert any(text.startswith("tone: ") and "pip install" in text for text in found.not_looked_at)
    assert found.of("missing_licence")
    assert "tone" not in {one.name for one in found.sections}
