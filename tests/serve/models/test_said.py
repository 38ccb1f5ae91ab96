"""What users say of their answers, and what is kept of both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.test_answers import kept
from tests.serve.models.live import Live, error_of
from trimtab.live import answers, feedback, forgetting
from trimtab.review.store import Store
from trimtab.serve.models.recording import Recorder


@pytest.fixture
def live(tmp_path: Path, quick: Store) -> Iterator[Live]:
    found = Live(tmp_path, quick)
    yield found
    found.stop()


def say(live: Live, key: str, id: str, **more: Any) -> Any:
    return live.ask("POST", "/v1/feedback", key, json={"id": id} | more)


def test_feedback_is_bound_to_an_answer_and_its_owner_and_may_be_given_again(live: Live) -> None:
    ann, bob = live.key("Ann"), live.key("Bob")
    id = live.chat(ann, n=2).json()["id"]
    assert say(live, ann, id, thumb=-1, reason="dull").json() == {
        "object": "feedback",
        "id": id,
        "index": 0,
        "kept": True,
    }
    assert say(live, ann, id, rating=4, correction=" Better. ").status_code == 200
    assert say(live, ann, id, index=1, thumb=1).status_code == 200
    for key, other, index in ((bob, id, 0), (ann, id, 2), (ann, id[:-1], 0), (ann, f"{id}-0", 0)):
        assert error_of(say(live, key, other, index=index, thumb=1)) == (404, "answer_not_found")
    for wrong in ({}, {"thumb": 0}, {"rating": 9}, {"thumb": 1, "more": 1}, {"correction": "x" * 20_001}):
        assert say(live, ann, id, **wrong).status_code == 400
    (first, said), (second, other_said) = feedback.of(live.store)
    assert (said.thumb, said.rating, said.correction, said.reason) == (None, 4, "Better.", "")
    assert (second.id, other_said.thumb) == (f"{id}-1", 1)
    # Nothing of the question and the answer is kept unless the operator says so.
    assert (first.model, first.stack, first.prompt, first.answer) == ("plain", "base", "", "")


def test_a_streamed_answer_can_be_spoken_of_as_soon_as_it_says_that_it_is_finished(live: Live) -> None:
    found = []
    with live.client.chat.completions.create(
        model="plain", messages=[{"role": "user", "content": "Say 1."}], seed=3, stream=True
    ) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].finish_reason:
                found.append(say(live, "", chunk.id, thumb=1).status_code)
    assert found == [200]


@pytest.mark.parametrize("way", ["whole", "stream", "text"])
def test_texts_are_kept_where_the_operator_says_so(tmp_path: Path, quick: Store, way: str) -> None:
    live = Live(tmp_path, quick, texts=True)
    try:
        if way == "text":
            body = {"model": "plain", "prompt": "Once", "seed": 3}
            expected = live.ask("POST", "/v1/completions", json=body).json()["choices"][0]["text"]
        else:
            expected = live.chat(model="signed", stream=way == "stream").text
            pieces = [line[6:] for line in expected.splitlines() if line.startswith("data: {")] or [expected]
            choices = [choice for piece in pieces for choice in json.loads(piece)["choices"]]
            expected = "".join(one.get("delta", one.get("message", {})).get("content", "") for one in choices)
        (row,) = answers.kept(quick)
        assert (row.prompt, row.answer) == ("Once" if way == "text" else "Say 1.", expected)
        assert row.fired == (() if way == "text" else ("sign",))
        assert (row.owner, row.model) == ("", "plain" if way == "text" else "signed")
    finally:
        live.stop()


def test_who_was_forgotten_leaves_nothing_and_adds_nothing(tmp_path: Path, quick: Store) -> None:
    live = Live(tmp_path, quick, texts=True)
    try:
        ann = live.key("Ann Secret")
        say(live, ann, live.chat(ann, text="a secret of hers").json()["id"], correction="a secret, better")
        (row,) = answers.kept(quick)
        assert forgetting.forget(quick, "Ann Secret") == 1
        answers.keep(quick, [row])
        assert answers.kept(quick) == []
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"secret" not in content.lower()
    finally:
        live.stop()


def test_where_the_store_fails_answers_go_on_unless_they_must_be_kept(tmp_path: Path, quick: Store) -> None:
    for texts, status in ((False, 200), (True, 503)):
        live = Live(tmp_path, quick, texts=texts)
        try:
            with quick.writing() as connection:
                connection.exec_driver_sql("ALTER TABLE live_answers RENAME TO elsewhere")
            assert live.chat().status_code == status
            assert live.chat(stream=True).text.count('"code": "store"') == (1 if texts else 0)
            assert live.counted("trimtab_answers_not_kept_total 2.0")
            assert say(live, "", "x", thumb=1).status_code == 503
        finally:
            with quick.writing() as connection:
                connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO live_answers")
            live.stop()


def test_old_answers_go_after_their_days(quick: Store) -> None:
    rows = [kept(0, time="2020-01-01T00:00:00+00:00"), kept(1, "bob", time="2099-01-01T00:00:00+00:00")]
    answers.keep(quick, rows)
    recorder = Recorder(quick, days=30)
    recorder.sweep()
    recorder.close()
    assert [one.id for one in answers.kept(quick)] == ["chatcmpl-1-0"]
