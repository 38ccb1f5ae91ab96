"""The verdict and what it was read from, use, failures and dose, from what a run recorded."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.document import made
from tests.document.model_card.made import cells, deviations, of, review, told
from tests.document.test_doses import study
from trimtab import taint
from trimtab.document.model_card import evidence
from trimtab.records import plain


@pytest.mark.parametrize("kind", made.KINDS)
def test_every_number_of_the_comparisons_is_the_record_s_own(tmp_path: Path, kind: str) -> None:
    folder = made.folder(tmp_path, kind)
    found = evidence.verdict(of(folder))
    verdict = folder.verdict()
    reasons = [table for table in found.tables if table.caption == "Reasons"]
    shown = cells(table for table in found.tables if table not in reasons)
    listed = [name if why == "-" else f"{name}: {why}" for table in reasons for name, why in table.rows]
    assert listed == list(verdict.reasons)
    assert shown["seed"] == "0"
    assert (shown["look at confirm"] == "none was taken") == (verdict.look == 0)
    if verdict.target is not None and not math.isnan(verdict.difference.value):
        text = " ".join(shown[name] for name in shown if name.startswith("target"))
        for number in (verdict.difference.value, verdict.difference.low, verdict.difference.high):
            assert repr(number) in text
        named = next(name for name in shown if name.startswith("target"))
        assert verdict.difference.method in named
    drawn = [picture for picture in found.pictures if picture.drawn()]
    assert len(drawn) == sum(
        not one.undefined for one in [verdict.difference, *(g.comparison.difference for g in verdict.guards)]
    )


def test_what_is_no_release_says_why(tmp_path: Path) -> None:
    said = {kind: evidence.warning(of(made.folder(tmp_path / kind, kind))) for kind in made.KINDS}
    assert said["ship"] == ""
    assert "hold" in said["breached"]
    assert "inconclusive" in said["review"]
    assert "explored" in said["explored"]
    assert all(text.startswith("Not a release.") for kind, text in said.items() if kind != "ship")
    folder = made.folder(tmp_path / "tainted")
    taint.mark(folder.trial(made.STACK), "erasure-1", 4)
    assert evidence.warning(of(folder)).startswith(
        "Not to be used. It learned from 4 rows that were erased on"
    )


def test_use_is_as_said_or_missing_with_where_to_say_it(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    before = cells(evidence.use(of(folder)).tables)
    assert before["intended use"] == "not known (say it with --use uses=TEXT)"
    assert before["readers, by the guidelines"] == "no guidelines"
    told(folder)
    folder.write_text(
        "recipe.yaml", "model: smollm2-135m-instruct\ngoal: {metric: chrf}\ndata: {instruction: Be brief.}\n"
    )
    after = cells(evidence.use(of(folder, uses="Shop texts; mail a@b.org")).tables)
    assert after["intended use"] == "Shop texts; mail [e-mail address]"
    assert after["readers, by the guidelines"] == "Buyers."
    assert after["what every prompt begins with"] == "Be brief."
    assert "How much of the references' spelling" in after["what was to improve"]


def test_limits_do_not_deny_a_review(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    denied = "No person has judged the answers: every figure here is computed."
    assert denied in cells(evidence.use(of(folder)).tables).values()
    review(folder)
    assert denied not in cells(evidence.use(of(folder)).tables).values()


def test_kinds_of_failure_are_shown_without_their_texts(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert "not known (trimtab probe RUN finds kinds of failure)" in evidence.failures(of(folder)).said[0]
    deviations(folder)
    found = evidence.failures(of(folder))
    assert cells(found.tables)["1: brakes, gears"] == "2 0.100 (0.040 to 0.200) prompt, then adapter"
    assert "Of 49 items of select, 0.100 (0.040 to 0.200) fail" in found.said[0]
    assert "95% interval, wilson; seed 5" in found.said[0]
    assert "secret" not in f"{plain(found)}"


def test_a_dose_is_shown_where_it_was_measured(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert "not known (trimtab dose RUN measures it)" in evidence.dose(of(folder)).said[0]
    content = study()
    folder.write("dose.json", content)
    found = evidence.dose(of(folder))
    assert f"{content['smallest_effective']:g}" in found.said[0]
    assert found.said[1] == "Each on 49 items of select (bootstrap-t)."
    assert len(found.tables[0].rows) == len(content["doses"])
    assert found.data["first_harmful"] == content["first_harmful"]
