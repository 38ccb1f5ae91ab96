"""The verb profile: what it writes, shows and takes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from trimtab.live import answers, choosing, feedback
from trimtab.live.answers import Kept
from trimtab.live.feedback import Given
from trimtab.review.store import Store


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIMTAB_DATABASE", raising=False)


def test_a_profile_is_set_step_by_step_shown_and_listed(call: Call) -> None:
    use = [
        "--use",
        "stack=r1",
        "--use",
        "strength=adapter:0.5",
        "--use",
        "fact=She cooks.",
        "--use",
        "arm=r2",
    ]
    done = call("profile", "ann", *use)
    assert done.code == 0
    for line in ("Stack     r1", "Strength  adapter 0.5", "Arm       r2", "  - She cooks."):
        assert line in done.out
    call("profile", "ann", "--use", "style=Be short.", "--use", "drop=She cooks.", "--use", "stack=r2")
    found = call("profile", "ann", "--json").document
    assert (found["stack"], found["arms"], found["facts"]) == ("r2", [], [])
    assert (found["words"], found["strengths"]) == ("How to answer:\n- Be short.", {"adapter": 0.5})
    assert call("profile", "--json").document["profiles"].keys() == {"ann"}
    assert "ann" in call("profile").out


def test_mistakes_change_nothing(call: Call) -> None:
    call("profile", "ann", "--use", "fact=x")
    before = Path("profiles/ann.yaml").read_bytes()
    for wrong, said in (
        (["ann", "--use", "drop=y"], "no such fact, style or arm"),
        (["ann", "--use", "strength=adaptor:1"], "strengths.adaptor"),
        (["ann", "--use", "strength=adapter:much"], "valid number"),
        (["ann", "--use", "fakt=y"], "did you mean fact"),
        (["ann", "--learn"], "no answers are kept"),
        (["ann", "--delete", "--learn"], "nothing else can be done"),
        (["../ann"], "is no name of a profile"),
        (["ben"], "no such file"),
        (["ben", "--delete"], "there are: ann"),
    ):
        done = call("profile", *wrong)
        assert (done.code, said in " ".join(done.err.split())) == (2, True), done.err
    assert Path("profiles/ann.yaml").read_bytes() == before


def test_how_its_stacks_were_received_is_shown_and_deleted(call: Call) -> None:
    call("profile", "ann", "--use", "stack=r1", "--use", "arm=r2")
    store = Store.open("sqlite:///runs/people.db")
    for number in range(40):
        arm = choosing.label("r2" if number % 2 else "r1", "0" * 16)
        time = f"2026-03-01T00:00:{number:02}+00:00"
        answers.keep(store, [Kept(f"a{number}", time, "", "ann", "s", "", "", None, (), arm)])
        feedback.give(store, Given(f"a{number}", "", time, thumb=-1 if number % 2 else 1))
    store.close()
    found = call("profile", "ann", "--json").document
    best, worst = found["feedback"]
    assert (best["rewards"]["value"], worst["rewards"]["value"], best["stopped"]) == (1.0, 0.0, 0)
    assert worst["stopped"] > 0
    assert f"stopped after {worst['stopped']}: worse" in call("profile", "ann").out
    assert (
        call("profile", "ann", "--delete").out
        == "Deleted ann: 1 files, 40 answers with what was said of them.\n"
    )
    assert not list(Path("profiles").iterdir())
