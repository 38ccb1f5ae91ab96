"""What people were shown of a person's rows, and wrote of it, leaves the store of judgements; their choices stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests.erasure import made
from tests.test_reviewing import entered, store_of
from trimtab import concluding, reviewing
from trimtab.erasure import Asked, erase
from trimtab.live import answers, feedback, profiles
from trimtab.live.answers import Kept
from trimtab.live.feedback import Given
from trimtab.live.profiles import Profile
from trimtab.review import assigning, judging, reading
from trimtab.reviewing import Wanted

pytestmark = pytest.mark.usefixtures("cache")


def tuned(home: Path, network: Path, rows: list[dict[str, Any]]) -> trimtab.Run:
    """A run of the project of these rows."""
    recipe = made.project(home, network, rows, data={"examples": "rows.jsonl", "max_tokens": 96})
    return trimtab.tune(recipe, root=home / "runs")


def test_a_store_forgets_the_rows_and_what_was_written_of_them(
    tmp_path: Path, network: Path, cache: Path
) -> None:
    home = tmp_path / "home"
    rows = made.rows()
    run = tuned(home, network, rows)
    store = store_of(run)
    own = made.texts_of(rows)
    for purpose in ("learning", "verdict"):
        review = reviewing.begin(run.folder.path, store, Wanted(purpose=purpose))  # type: ignore[arg-type]
        person = entered(store, "Ann")
        number = 0
        while (shown := assigning.next_task(store, review.id, person)) is not None:
            quoted = f"It says: {shown.messages[-1].content}"
            corrected = f"{quoted}, which is better." if purpose == "learning" else ""
            answer = judging.Answer(
                shown.task, f"{purpose}-{number}", "left", reason=quoted, correction=corrected
            )
            judging.judge(store, person, answer)
            number += 1
        judging.comment(store, review.id, person, "", f"What of {own[0]}?")
        if purpose == "learning":
            concluding.conclude(run.folder.path, store)
    votes = [reading.votes(store, number) for number in (1, 2)]
    store.close()
    found = made.holding(own, home)
    assert {"people.db", "corrections.jsonl"} <= found, found

    record = erase(Asked(made.WHO, home))

    assert record["state"] == "done"
    assert made.holding(own, home, cache) == set()
    assert record["checked"]["found"] == []
    (change,) = [c for c in record["attempts"][0]["changes"] if c["place"] == "judgements"]
    # One row of theirs lay in select and one in confirm; a comment in each review quotes another.
    assert (change["rows"], change["texts"]) == (2, 2)
    store = store_of(run)
    assert [reading.votes(store, number) for number in (1, 2)] == votes
    strangers = [one for one in reading.said(store, 2) if one.messages]
    assert len(strangers) == len(votes[1]) - 1
    assert all(one.reason and one.texts for one in strangers)
    store.close()
    assert erase(Asked(made.WHO, home))["state"] == "nothing left"


def test_answers_of_served_models_and_a_profile_of_the_person_go_too(
    tmp_path: Path, network: Path, cache: Path
) -> None:
    home = tmp_path / "home"
    rows = made.rows()
    run = tuned(home, network, rows)
    own = made.texts_of(rows)
    store = store_of(run)
    at = "2026-06-01T10:00:00Z"
    asked = [own[0], f"So says: {own[1]}", "somebody else's question"]
    given = [
        Kept(f"chatcmpl-{number}-0", at, "key", "voice", "s", prompt, "Because of the whales.", None, ())
        for number, prompt in enumerate(asked)
    ]
    answers.keep(store, given)
    for one in given:
        feedback.give(store, Given(one.id, "key", at, thumb=1, correction="Whales it is.", reason="short"))
    store.close()
    for who in (made.WHO, "person-005"):
        profiles.write(home / "profiles", who, Profile(stack="voice", facts=(f"{who} keeps whales.",)))
    assert "people.db" in made.holding(own, home)

    record = erase(Asked(made.WHO, home))

    assert record["state"] == "done"
    assert made.holding([*own, f"{made.WHO} keeps whales."], home, cache) == set()
    changes = {c["place"]: c for c in record["attempts"][0]["changes"]}
    # Two answers that quote them and what was said of both.
    assert changes["judgements"]["texts"] == 4
    assert changes["profiles"]["rows"] == 1
    store = store_of(run)
    left = {kept.id: (kept.prompt, kept.answer, said.correction) for kept, said in feedback.of(store)}
    store.close()
    assert left == {
        given[0].id: ("", "", ""),
        given[1].id: ("", "", ""),
        given[2].id: (asked[2], "Because of the whales.", "Whales it is."),
    }
    assert [path.stem for path in (home / "profiles").glob("*.yaml")] == ["person-005"]
    assert erase(Asked(made.WHO, home))["state"] == "nothing left"
