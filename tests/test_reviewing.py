"""A run's review on a real, tiny network: what people are shown, and what their judgement turns the verdict into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import trimtab
from tests import projects
from trimtab import reviewing
from trimtab.adjust.stack import BASE
from trimtab.errors import ReviewError, RunError
from trimtab.pipeline import reopened
from trimtab.review import assigning, judging, people, sampling
from trimtab.review.store import Store
from trimtab.review.tables import answers, items
from trimtab.reviewing import Wanted

pytestmark = pytest.mark.usefixtures("cache")
RULES = {
    "version": "2",
    "audience": "Everyone.",
    "rules": [
        {
            "id": "short",
            "text": "Be short.",
            "limit": {"words": 2},
            "good": ["ok", "all right"],
            "bad": ["this is not short", "nor is this at all"],
        }
    ],
}


def ran(folder: Path, network: Path, **changes: Any) -> trimtab.Run:
    """A run that ships but for people."""
    (folder / "guidelines.yaml").write_text(yaml.safe_dump(RULES), encoding="utf-8")
    asked = {"review": {"required": True}, "guidelines": "guidelines.yaml"}
    recipe = projects.written(folder, network, **(asked | changes))
    return trimtab.tune(recipe, root=folder / "runs")


def store_of(run: trimtab.Run) -> Store:
    return Store.open(reviewing.address(run.folder.path))


def entered(store: Store, name: str) -> int:
    found = people.enter(store, people.invite(store, name, "rater"))
    assert found is not None
    return found[1].id


def judged(store: Store, review: int, person: int, choose: Any) -> int:
    """Have a person judge all that is shown to them; returns how many pairs that was."""
    count = 0
    while (shown := assigning.next_task(store, review, person)) is not None:
        answer = judging.Answer(shown.task, f"{person:04}{count:06}", choose(shown), seconds=2.0)
        judging.judge(store, person, answer)
        count += 1
    return count


def says_ok(shown: assigning.Shown) -> str:
    """What a careful rater says in this project: the answer that is just "ok", which the rows teach."""
    left, right = shown.left in ("ok", "all right"), shown.right in ("ok", "all right")
    return "tie" if left == right else "left" if left else "right"


def test_the_review_for_the_verdict_is_of_confirm_and_stays_in_the_store(
    tmp_path: Path, network: Path
) -> None:
    run = ran(tmp_path, network)
    assert run.verdict.outcome == "inconclusive"
    assert run.folder.measured().outcome == "ship"
    before = {path: path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file()}
    store = store_of(run)
    review = reviewing.begin(run.folder.path, store, Wanted())
    assert review.purpose == "verdict"
    assert review.stacks == (BASE, run.verdict.stack)
    _, prepared = reopened(run.folder.path)
    confirm = {example.id for example in prepared.parts["confirm"]}
    with store.reading() as connection:
        shown = {
            row.example for row in connection.execute(items.select()) if row.share in ("estimate", "chosen")
        }
    assert shown == confirm
    assert {path: path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file()} == before
    assert reviewing.begin(run.folder.path, store, Wanted()).id == review.id
    sampling.close(store, review.id)
    with pytest.raises(ReviewError, match="judged confirm already"):
        reviewing.begin(run.folder.path, store, Wanted(purpose="verdict"))
    store.close()


def test_the_review_for_learning_is_of_select(tmp_path: Path, network: Path) -> None:
    run = ran(tmp_path, network)
    store = store_of(run)
    reviewing.begin(run.folder.path, store, Wanted(purpose="learning", items=6))
    _, prepared = reopened(run.folder.path)
    select = {example.id for example in prepared.parts["select"]}
    with store.reading() as connection:
        rows = list(connection.execute(items.select()))
        texts = {(row.item, row.stack): row.text for row in connection.execute(answers.select())}
    real = [row for row in rows if row.share in ("estimate", "chosen")]
    assert {row.example for row in real} < select
    assert [row.share for row in real].count("estimate") == 3
    recorded = {row["example"]: row["text"] for row in run.folder.rows(f"trials/{BASE}/outputs.jsonl")}
    assert all(texts[row.id, BASE] == recorded[row.example] for row in real)
    assert [row.rule for row in rows if row.share == "training"] == ["short", "short"]
    # All rows have the same answer, so that no pair of answers is right and wrong.
    assert not any(row.share == "attention" for row in rows)
    store.close()


def test_a_run_that_only_explored_has_nothing_to_judge_for_a_verdict(tmp_path: Path, network: Path) -> None:
    recipe = projects.written(tmp_path, network)
    run = trimtab.tune(recipe, root=tmp_path / "runs", explore=True)
    store = store_of(run)
    with pytest.raises(RunError, match="took no look at confirm"):
        reviewing.begin(run.folder.path, store, Wanted(purpose="verdict"))
    assert reviewing.begin(run.folder.path, store, Wanted()).purpose == "learning"
    store.close()
