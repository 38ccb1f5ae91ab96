"""The verdict for the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.document import made
from trimtab.document import summary


@pytest.mark.parametrize("kind", made.KINDS)
def test_within_80_columns_plain_and_ending_with_the_page(tmp_path: Path, kind: str) -> None:
    folder = made.folder(tmp_path, kind)
    text = summary(folder)
    *lines, last = text.rstrip("\n").split("\n")
    assert max(len(line) for line in lines) < 80
    assert last == f"Report: {folder.path / 'report.html'}"
    assert text.isascii()
    assert "\x1b" not in text
    assert text.endswith("\n")


def test_the_verdict_comes_first_with_everything_it_was_read_from(tmp_path: Path) -> None:
    text = " ".join(summary(made.folder(tmp_path, "open guard")).split())
    assert text.startswith(
        "INCONCLUSIVE: chrF rose from 31.2 to 62.4, but general-english could not be shown"
    )
    assert (
        "target chrF: +31.2 (+28.9 to +33.6); smallest gain worth having 2; better (74 items of confirm)"
        in text
    )
    assert (
        "guard general-english, negative log-likelihood: -0.043 (-0.068 to -0.018); margin 0.05; inconclusive"
        in text
    )
    assert "guard facts-kept, coverage: +0.022 (-0.018 to +0.062); margin 0.05; held" in text
    assert "look number 2 at this confirm set, intervals at 96.5%" in text
    assert "time 6 min 47 s" in text
    assert "Next: Add about 183 more items to general-english" in text


def test_exploring_names_no_look(tmp_path: Path) -> None:
    text = summary(made.folder(tmp_path, "explored"))
    assert text.startswith("EXPLORED, NOT DECIDED: no look at confirm was taken")
    assert "49 items of select" in text
    assert "look    number" not in text


def test_a_bare_run_has_a_summary(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    for name in ("provenance.json", "ladder.json", "plan.json", "recipe.yaml"):
        (folder.path / name).unlink()
    text = summary(folder)
    assert text.startswith("SHIP: the target metric rose")
    assert "time    " not in text


def test_a_race_has_a_line(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert "race    " not in summary(folder)
    folder.write("ladder.json", made.raced())
    text = summary(folder)
    assert max(map(len, text.splitlines()[:-1])) < 80
    assert (
        "race 1 of 3 candidates was dropped early, which saved about 3,080 of 12,200 tokens on select"
        in " ".join(text.split())
    )
