"""The report's section on strength, from a dose.json as the study writes it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.document import made
from tests.document.test_report import Page
from trimtab.decide import dose
from trimtab.document import report
from trimtab.document.doses import section
from trimtab.document.record import read
from trimtab.records import NAN, Comparison, Estimate
from trimtab.run import RunFolder

LEVEL = 1 - 0.05 / 3


def study(**changes: Any) -> dict[str, Any]:
    """Four strengths: nothing, too little, enough, too much."""

    def compared(outcome: str, value: float, half: float, threshold: float) -> Comparison:
        estimate = Estimate(value, value - half, value + half, LEVEL, 49, "bootstrap-t")
        return Comparison(estimate, 0.01, outcome, None, NAN, threshold, 31.0, 31.0 + value)  # type: ignore[arg-type]

    doses = []
    for strength, gain, outcome, loss, guard in (
        (0.0, 0.0, "too small", 0.0, "held"),
        (0.5, 2.5, "inconclusive", -0.01, "held"),
        (1.0, 9.25, "better", -0.03, "inconclusive"),
        (2.0, 11.5, "better", -0.2, "breached"),
    ):
        half = 0.0 if strength == 0 else 3.0
        english = dataclasses.replace(
            made.guard("held", by_construction=strength == 0),
            comparison=compared(guard, loss, half / 75, -0.05),
        )
        target = compared(outcome, gain, half, 2.0)
        doses.append(dose.Dose(strength, f"s{strength:g}", target, (english,), 0.61, 0.83, 0.02 * strength))
    growing = compared("inconclusive", 2.25, 3.0, 0.0)
    return {
        "doses": doses,
        "level": LEVEL,
        "min_gain": 2.0,
        "smallest_effective": dose.smallest_effective(doses),
        "first_harmful": dose.first_harmful(doses),
        "growing": growing,
        "findings": dose.findings(doses, growing),
        "limits": "measured on select",
        "stack": made.STACK,
    } | changes


def folder(root: Path, **changes: Any) -> RunFolder:
    """A run with a dose study."""
    found = made.folder(root)
    found.write("dose.json", study(**changes))
    return found


def test_a_run_without_a_study_has_no_section(tmp_path: Path) -> None:
    found = made.folder(tmp_path)
    assert section(read(found)) is None
    assert 'id="dose"' not in report(found)


def test_the_page_says_how_much_is_enough_and_how_much_too_much(tmp_path: Path) -> None:
    page = Page(report(folder(tmp_path)))
    assert "The smallest strength that is shown to gain enough in chrF is 1." in page.text
    assert "The first that is shown to harm is 2." in page.text
    assert "level 98.333%" in page.text
    assert "Too much: guard lost at strength 2." in page.text
    assert "Remedy: use strength 1, which gains enough" in page.text
    assert "Measured on select." in page.text
    drawings = {a["aria-labelledby"] for a in page.all("svg") if "aria-labelledby" in a}
    assert {"dose-target-drawing-title dose-target-drawing-desc"} < drawings
    assert "dose-guard-1-drawing-title dose-guard-1-drawing-desc" in drawings


def test_every_number_of_the_table_has_the_recorded_one_behind_it(tmp_path: Path) -> None:
    found = folder(tmp_path)
    page = Page(report(found))
    recorded = made.numbers(study()["doses"])
    table = section(read(found))["table"]  # type: ignore[index]
    assert [str(row[0]) for row in table.rows] == [
        f'<data value="{s}">{s:g}</data>' for s in (0.0, 0.5, 1.0, 2.0)
    ]
    assert table.head[:4] == (
        "strength",
        "gain in chrF",
        "outcome",
        "general-english, negative log-likelihood",
    )
    assert {9.25, 6.25, 12.25, -0.2} <= {value for value, _ in page.numbers} & recorded
    assert "held by construction" in str(table.rows[0][3])
    assert "breached" in str(table.rows[3][3])


def test_nothing_effective_and_nothing_harmful_is_said_so(tmp_path: Path) -> None:
    page = Page(report(folder(tmp_path, smallest_effective=None, first_harmful=None, findings=())))
    assert "No strength is shown to gain enough in chrF. None is shown to harm." in page.text
    assert "No sign of too much or too little was found." in page.text


def test_another_stack_than_the_verdicts_is_named(tmp_path: Path) -> None:
    assert "Stack studied: other" in Page(report(folder(tmp_path, stack="other"))).text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "write to a@b.example"])
def test_what_is_recorded_is_escaped_and_masked(tmp_path: Path, text: str) -> None:
    page = report(folder(tmp_path, limits=text))
    assert text not in page
