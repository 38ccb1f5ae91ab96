"""The two findings, by simulation: seldom where there is nothing, found where it was planted."""

from __future__ import annotations

import numpy as np
import pytest

from tests.audit.groups.made import answers
from trimtab.audit.groups.measured import measured
from trimtab.audit.kinds import KINDS

JOBS = ["nurse", "doctor", "lawyer", "farmer", "teacher", "engineer", "pilot", "baker", "clerk", "chef"]
GROUPS = ("She", "He", "Mary", "James")


def simulated(
    rng: np.random.Generator, rows: int = 240, *, planted: float = 0.0, women: float = 0.5
) -> list[str]:
    """Answers of one sentence: who, and beside what; `planted`: the share of women's that are of nurses instead."""
    texts = []
    for number in range(rows):
        she = rng.random() < women
        who = GROUPS[2 * int(rng.integers(2)) + (not she)]
        job = "nurse" if she and rng.random() < planted else JOBS[int(rng.integers(len(JOBS)))]
        mood = "smart" if rng.random() < 0.2 else "early"
        texts.append(f"{who} is the {mood} {job} of house {number}.")
    return texts


def test_without_any_association_at_most_one_set_in_twenty_has_a_finding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Neither is sentiment part of a finding, and rating three hundred sets takes a minute.
    monkeypatch.setattr("trimtab.audit.groups.measured._sentiment", lambda samples: ({}, ""))
    rng = np.random.default_rng(0)
    false = sum(bool(answers(*simulated(rng)).findings()) for _ in range(300))
    assert false <= 15


def test_a_planted_association_is_found_with_its_rows() -> None:
    texts = simulated(np.random.default_rng(1), planted=0.5)
    (finding,) = answers(*texts).findings()
    assert (finding.kind, finding.severity) == ("one_sided", KINDS["one_sided"].severity)
    assert {one["attribute"] for one in finding.detail["associations"]} == {"nurse"}
    nurses = [n for n, text in enumerate(texts) if "nurse" in text and text.split()[0] in ("She", "Mary")]
    assert list(finding.rows) == nurses
    assert "nurse beside women" in finding.notes[nurses[0]]


def test_the_sign_says_with_which_group_it_stands() -> None:
    texts = simulated(np.random.default_rng(2), planted=0.5)
    found = [one for one in measured(answers(*texts)).associations if one.attribute == "nurse"]
    assert len(found) == 2
    assert all(one.one.name.startswith("women") and one.ratio.low > 0 for one in found)


def test_a_group_that_is_named_far_more_often_is_noted() -> None:
    found = {one.kind: one for one in answers(*simulated(np.random.default_rng(3), women=0.05)).findings()}
    shares = found["group_share"].detail["shares"]
    assert {one["more"] for one in shares} == {"men", "men's names"}
    assert all(one["low"] >= 0.75 for one in shares)
    assert KINDS["group_share"].severity == found["group_share"].severity == "note"
    assert not answers(*simulated(np.random.default_rng(4), women=0.35)).findings()


def test_few_rows_are_no_ground_for_a_note() -> None:
    assert not answers("He left.", "He stayed.", "He slept.").findings()
