"""Profiles as files, what feedback makes of their stacks, what is learned from it, and that nothing stays."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from tests import projects
from trimtab.erasure import Asked, erase
from trimtab.errors import ProfileError
from trimtab.live import answers, choosing, deleting, feedback, learning, profiles
from trimtab.live.answers import Kept
from trimtab.live.feedback import Given
from trimtab.live.profiles import Profile
from trimtab.review.store import Store
from trimtab.run import RunFolder

MARKER = "ZEBRA-4711"


def kept(number: int, model: str = "ann", *, arm: str = "", answer: str = "so") -> Kept:
    time = f"2026-03-01T00:{number // 60:02}:{number % 60:02}+00:00"
    return Kept(f"{model}{number}-0", time, "", model, "base", f"item {number}", answer, None, (), arm)


def said(store: Store, rows: list[Kept], **what: Any) -> None:
    answers.keep(store, rows)
    for row in rows:
        feedback.give(store, Given(row.id, "", row.time, **what))


def test_a_profile_is_read_as_it_was_written_by_its_owner_alone(tmp_path: Path) -> None:
    ann = Profile(
        stack="r1", facts=("She cooks.",), style=("Be short.",), arms=("r2",), strengths={"adapter": 0.5}
    )
    path = profiles.write(tmp_path, "ann", ann)
    assert profiles.read(tmp_path, "ann") == ann
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ann.words == "About the user:\n- She cooks.\n\nHow to answer:\n- Be short."
    (tmp_path / "not a name.yaml").write_text("stack: base\n")
    assert profiles.names(tmp_path) == ["ann"]


def test_mistakes_are_named_all_at_once_with_the_nearest_key(tmp_path: Path) -> None:
    (tmp_path / "ann.yaml").write_text('stakc: r1\nstrengths: {adapter: 9}\nfacts: ["two\\nlines"]\n')
    with pytest.raises(ProfileError) as error:
        profiles.read(tmp_path, "ann")
    assert "stakc: unknown key; did you mean stack?" in error.value.message
    assert "strengths.adapter: Input should be less than or equal to 4" in error.value.message
    assert "facts.0: expected one line of printable characters" in error.value.message
    for wrong in ({"arms": ["base"]}, {"stack": "own"}, {"facts": ["x"] * 33}, {"own": "../other"}):
        with pytest.raises(ProfileError):
            profiles.parse(wrong)
    (tmp_path / "big.yaml").write_text("facts: [" + "x" * 70_000 + "]")
    with pytest.raises(ProfileError, match="larger than 64 KiB"):
        profiles.read(tmp_path, "big")
    for name in ("", "../ann", "a/b", "a.b", ".ann", "a" * 65, "ann\n"):
        with pytest.raises(ProfileError, match="is no name of a profile"):
            profiles.read(tmp_path, name)
    with pytest.raises(ProfileError, match="no such file"):
        profiles.read(tmp_path, "ben")


def test_feedback_counts_for_the_stack_that_answered(quick: Store) -> None:
    one, two = choosing.label("r1", "a" * 16), choosing.label("r2", "b" * 16)
    said(quick, [kept(n, arm=one) for n in range(20)], thumb=1)
    said(quick, [kept(n, arm=two) for n in range(20, 40)], rating=1)
    said(quick, [kept(n, arm=two) for n in range(40, 42)], reason="hm")
    said(quick, [kept(n, arm=two) for n in range(42, 44)], correction="better")
    said(quick, [kept(n, "ben", arm=two) for n in range(44, 99)], thumb=1)
    found = choosing.learned([one, two], feedback.of(quick, model="ann"))
    best, worst = found.arms()
    assert (best.rewards.value, best.rewards.n, best.stopped) == (1.0, 20, 0)
    assert (worst.rewards.value, worst.rewards.n) == (0.0, 22)
    assert 20 < worst.stopped <= 42
    assert best.rewards.low > worst.rewards.high
    assert {found.draw([seed]) for seed in range(50)} == {one}
    assert choosing.latest("r2", feedback.of(quick, model="ann")) == two
    fresh = choosing.learned([one, choosing.label("r2", "c" * 16)], feedback.of(quick, model="ann"))
    assert fresh.arms()[1].rewards.undefined
    assert [fresh.draw([seed]) for seed in range(9)] == [fresh.draw([seed]) for seed in range(9)]
    assert len({fresh.draw([seed]) for seed in range(50)}) == 2


def test_what_was_corrected_or_liked_is_learned_and_the_last_word_counts(quick: Store) -> None:
    said(quick, [kept(1)], thumb=1)
    said(quick, [kept(2)], thumb=-1)
    said(quick, [kept(3)], rating=2, correction="Better.")
    again = Kept("again-0", "2026-03-02T00:00:00+00:00", "", "ann", "base", "item 1", "newer", None, ())
    said(quick, [again], rating=5)
    said(quick, [Kept("none-0", again.time, "", "ann", "base", "", "", None, ())], thumb=1)
    rows = learning.rows_of("ann", Profile(facts=("She cooks.",)), feedback.of(quick, model="ann"))
    told = [[turn["content"] for turn in row["messages"]] for row in rows]
    assert told == [
        ["About the user:\n- She cooks.", "item 3", "Better."],
        ["About the user:\n- She cooks.", "item 1", "newer"],
    ]
    assert {row["subject"] for row in rows} == {"ann"}


def test_a_run_of_its_own_answers_alone_only_where_it_was_held_against_what_answered() -> None:
    assert learning.entered(Profile(), "r9") == Profile(stack="own", own="r9")
    assert learning.entered(Profile(stack="r1"), "r9") == Profile(stack="r1", arms=("own",), own="r9")
    assert learning.entered(Profile(stack="own", own="r8"), "r9") == Profile(stack="own", own="r9")


@pytest.mark.usefixtures("cache")
def test_an_erasure_of_a_person_takes_the_profile_that_bears_their_name(tmp_path: Path) -> None:
    row = {"prompt": "Where does she live?", "completion": "By the harbour.", "subject": "ann"}
    projects.lines(tmp_path / "rows.jsonl", [row])
    for name in ("ann", "ben"):
        profiles.write(tmp_path / "profiles", name, Profile(facts=("Likes boats.",)))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "ann.yaml").write_text("colour: blue\n")
    erase(Asked("ann", tmp_path))
    assert profiles.names(tmp_path / "profiles") == ["ben"]
    assert (tmp_path / "other" / "ann.yaml").is_file()


def holding(folder: Path, text: str) -> list[str]:
    """Files that hold a text."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.mark.usefixtures("cache")
def test_a_profile_learns_a_stack_of_its_own_and_deleting_it_leaves_nothing(
    tmp_path: Path, network: Path
) -> None:
    folder, store = tmp_path / "profiles", Store.open(f"sqlite:///{tmp_path}/runs/people.db")
    for name in ("ann", "ben"):
        profiles.write(folder, name, Profile())
    with pytest.raises(ProfileError, match="0 answers that were liked or corrected, at least 60"):
        learning.learn(folder, "ann", store)
    said(store, [kept(n, answer=MARKER) for n in range(90)], correction="ok")
    said(store, [kept(n, "ben") for n in range(3)], thumb=1)
    like = projects.written(tmp_path / "like", network)
    found = learning.learn(folder, "ann", store, like=like)
    assert (found.run.verdict.outcome, found.entered, found.rows, found.corrected) == ("ship", True, 90, 90)
    assert profiles.read(folder, "ann") == Profile(stack="own", own=found.run.folder.path.name)
    assert (
        RunFolder.open(folder / "ann" / "runs" / profiles.read(folder, "ann").own).verdict().outcome == "ship"
    )
    # The same history takes no second look.
    assert learning.learn(folder, "ann", store, like=like).run.folder.path == found.run.folder.path

    profiles.write(folder, "ann", Profile(facts=(MARKER,), stack="own", own=found.run.folder.path.name))
    before = set(holding(tmp_path, MARKER))
    assert before
    assert list((tmp_path / "cache" / "tokens").glob("*.npz"))
    gone = deleting.delete(folder, "ann", store)
    assert (gone.answers, gone.files > 10) == (90, True)
    store.close()
    for trace in (MARKER, "item 7", "ann7-0"):
        assert holding(tmp_path, trace) == ([str(like.parent / "rows.jsonl")] if trace == "item 7" else [])
    assert not list((tmp_path / "cache" / "tokens").glob("*.npz"))
    assert [path.name for path in folder.iterdir()] == ["ben.yaml"]
    store = Store.open(f"sqlite:///{tmp_path}/runs/people.db")
    assert len(feedback.of(store, model="ben")) == 3
    with pytest.raises(ProfileError, match="no profile ann; there are: ben"):
        deleting.delete(folder, "ann", store)
    store.close()


@pytest.mark.usefixtures("cache")
def test_a_run_that_does_not_ship_stays_outside(tmp_path: Path, network: Path, quick: Store) -> None:
    profiles.write(tmp_path, "ann", Profile())
    said(quick, [kept(n) for n in range(90)], correction="ok")
    like = projects.written(tmp_path / "like", network, training={"epochs": 0.05, "learning_rate": 1e-6})
    found = learning.learn(tmp_path, "ann", quick, like=like)
    assert (found.run.verdict.outcome != "ship", found.entered) == (True, False)
    assert profiles.read(tmp_path, "ann") == Profile()
