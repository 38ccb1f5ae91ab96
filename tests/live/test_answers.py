"""Answers and what was said of them: kept on disk, found by their owner alone, forgotten to the last byte."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.review.stored import rows
from trimtab.errors import ReviewError
from trimtab.live import answers, feedback
from trimtab.live.answers import Kept
from trimtab.live.feedback import Given, Unknown
from trimtab.review.store import Store
from trimtab.review.tables import feedback as table
from trimtab.watch.rows import Traffic


def kept(number: int = 0, owner: str = "ann", **more: Any) -> Kept:
    time = answers.iso(1_800_000_000.123456 + number)
    fields: dict[str, Any] = {"model": "voice", "stack": "c" * 16, "confidence": 0.25, "fired": ("sign",)}
    fields |= {"prompt": f"Where, {owner}?", "answer": f"There, \x00 {number}."}
    return Kept(**{"id": f"chatcmpl-{number}-0", "time": time, "owner": owner} | fields | more)


def given(number: int = 0, owner: str = "ann", **more: Any) -> Given:
    return Given(f"chatcmpl-{number}-0", owner, answers.iso(1_800_000_100), **more)


def test_answers_come_back_as_they_were_in_the_order_of_time(store: Store) -> None:
    later = kept(2, arm="warm", confidence=None, fired=())
    answers.keep(store, [later, kept(1, "bob"), kept(0)])
    first, second, third = answers.kept(store)
    assert (third, second.owner) == (dataclasses.replace(later, answer="There, \ufffd 2."), "bob")
    assert [one.id for one in answers.kept(store, owner="ann")] == [first.id, third.id]
    assert answers.kept(store, owner="") == []
    assert answers.kept(store, since=third.time) == [third]
    assert answers.kept(store, since="2027-01-15T09:00:01+01:00")[0].id == second.id
    assert answers.kept(store, model="other") == answers.kept(store, stack="d") == []
    assert answers.traffic([third]) == [
        Traffic(third.time, third.prompt, third.answer, None, (), third.stack)
    ]
    with pytest.raises(ReviewError, match="is no time"):
        answers.kept(store, since="yesterday")


def test_an_answer_is_found_by_its_owner_alone(store: Store) -> None:
    answers.keep(store, [kept(0), kept(1, "")])
    assert answers.found(store, "chatcmpl-0-0", "ann") is not None
    assert answers.found(store, "chatcmpl-0-0", "bob") is None
    assert answers.found(store, "chatcmpl-0-0", "") is None
    assert answers.found(store, "chatcmpl-1-0", "ann") is None
    assert answers.found(store, "\ud800' OR 1=1", "ann") is None


def test_the_last_word_counts_and_nobody_speaks_of_anothers_answer(store: Store) -> None:
    answers.keep(store, [kept(0), kept(1, "bob")])
    feedback.give(store, given(thumb=-1, reason="dull"))
    feedback.give(store, given(thumb=1, rating=5, correction="Here."))
    for other in (given(1, thumb=1), given(0, "bob", thumb=-1), given(0, "", thumb=-1), given(7, thumb=1)):
        with pytest.raises(Unknown, match="no such answer of yours"):
            feedback.give(store, other)
    ((answer, said),) = feedback.of(store)
    assert answer.id == said.answer == "chatcmpl-0-0"
    assert said == given(thumb=1, rating=5, correction="Here.")
    assert feedback.of(store, model="other") == feedback.of(store, since="2030-01-01") == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "nothing"),
        ({"thumb": 0}, "thumb 0"),
        ({"rating": 6}, "1 to 5"),
        ({"correction": "x" * 20_001}, "at most 20,000"),
    ],
)
def test_what_cannot_be_taken_is_named(quick: Store, said: dict[str, Any], problem: str) -> None:
    answers.keep(quick, [kept(0)])
    with pytest.raises(ReviewError, match=problem):
        feedback.give(quick, given(**said))
    assert feedback.of(quick) == []


def test_who_is_forgotten_leaves_no_byte(store: Store, tmp_path: Path) -> None:
    answers.keep(
        store, [kept(number, owner, prompt=f"secret of {owner}") for number, owner in enumerate("abab")]
    )
    feedback.give(store, given(0, "a", correction="secret of a, better"))
    feedback.give(store, given(1, "b", correction="secret of b, better"))
    assert answers.forget(store, owner="a") == 2
    assert answers.forget(store, owner="a") == 0
    assert [one.owner for one in answers.kept(store)] == ["b", "b"]
    assert [row["owner"] for row in rows(store, table)] == ["b"]
    assert answers.forget(store, model="voice", before=answers.kept(store)[1].time) == 1
    if store.engine.dialect.name == "sqlite":
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"secret of a" not in content
        assert b"secret of b" in content


KILLED = """
import os, signal, sys
from tests.live.test_answers import given, kept
from trimtab.live import answers, feedback
from trimtab.review.store import Store
store = Store.open(sys.argv[1])
answers.keep(store, [kept(0)])
feedback.give(store, given(rating=4))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/people.db"
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, url], check=False, env=os.environ | {"PYTHONPATH": path}
    )
    assert done.returncode == -signal.SIGKILL
    store = Store.open(url)
    assert [said.rating for _, said in feedback.of(store)] == [4]
    store.close()
