"""What people were shown of a person's rows, and wrote of it, leaves the store of judgements; their choices stay."""

from __future__ import annotations

from pathlib import Path

import pytest

import trimtab
from tests.erasure import made
from tests.test_reviewing import entered, store_of
from trimtab import concluding, reviewing
from trimtab.erasure import Asked, erase
from trimtab.review import assigning, judging, reading
from trimtab.reviewing import Wanted

pytestmark = pytest.mark.usefixtures("cache")


def test_a_store_forgets_the_rows_and_what_was_written_of_them(
    tmp_path: Path, network: Path, cache: Path
) -> None:
    home = tmp_path / "home"
    rows = made.rows()
    recipe = made.project(home, network, rows, data={"examples": "rows.jsonl", "max_tokens": 96})
    run = trimtab.tune(recipe, root=home / "runs")
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
