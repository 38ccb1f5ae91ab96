"""A run's review on a real, tiny network: what people are shown, and what their judgement turns the verdict into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import trimtab
from tests import projects
from trimtab import concluding, reviewing
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
    assert any("people each are" in note for note in run.folder.read("plan.json")["notes"])
    before = {path: path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file()}
    store = store_of(run)
    review = reviewing.begin(run.folder.path, store, Wanted())
    assert review.purpose == "verdict"
    assert review.stacks == (BASE, run.verdict.stack)
    confirm = confirm_of(run)
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


def likes_the_old(shown: assigning.Shown) -> str:
    """What somebody says who likes anything better than "ok", but knows the rules."""
    if shown.kind == "training":
        return says_ok(shown)
    return {"left": "right", "right": "left", "tie": "tie"}[says_ok(shown)]


@pytest.mark.parametrize(
    ("asked", "choose", "outcome"),
    [
        ({"role": "guard", "margin": 0.1}, says_ok, "ship"),
        ({"role": "guard", "margin": 0.1}, likes_the_old, "hold"),
        ({"role": "goal", "min_gain": 0.05}, says_ok, "ship"),
        ({"role": "goal", "min_gain": 0.05}, likes_the_old, "hold"),
    ],
)
def test_what_people_judge_on_confirm_decides(
    tmp_path: Path, network: Path, asked: dict[str, Any], choose: Any, outcome: str
) -> None:
    run = ran(tmp_path, network, review={"required": True, "per_item": 2} | asked)
    store = store_of(run)
    review = reviewing.begin(run.folder.path, store, Wanted())
    shown = [judged(store, review.id, entered(store, name), choose) for name in ("Ann", "Bob", "Cay")]
    assert shown[0] > 20
    found = concluding.standing(run.folder.path, store)
    assert found.verdict.outcome == outcome, (shown, found.analysis)
    assert run.verdict.outcome == "inconclusive"
    assert concluding.conclude(run.folder.path, store).verdict == found.verdict
    assert run.verdict.outcome == outcome
    assert run.verdict.decided_by == ("people" if asked["role"] == "goal" else "metric")
    content = run.folder.read("review.json")["verdict"]
    assert content["analysis"]["counts"]["bad"] == 0
    page = (run.folder.path / "report.html").read_text(encoding="utf-8")
    assert "What people say, blindly, on confirm" in page
    confirm = confirm_of(run)
    assert set(run.folder.read("review/seen.json")["confirm"]) == confirm
    assert not (run.folder.path / "review/corrections.jsonl").exists()
    with store.reading() as connection:
        of_review = items.c.review == review.id
        texts = connection.scalars(
            answers.select().with_only_columns(answers.c.text).join(items).where(of_review)
        )
        assert set(texts) == {""}
    # Concluded again, it says the same: the verdict is made from what was measured, not from itself.
    concluding.conclude(run.folder.path, store)
    assert run.verdict.outcome == outcome
    assert trimtab.tune(tmp_path / "recipe.yaml", root=tmp_path / "runs").verdict.outcome == outcome
    store.close()


def test_what_people_write_on_select_becomes_rows_to_learn_from(tmp_path: Path, network: Path) -> None:
    run = ran(tmp_path, network)
    before = run.verdict
    store = store_of(run)
    review = reviewing.begin(run.folder.path, store, Wanted(purpose="learning"))
    person = entered(store, "Ann")
    number = 0
    while (shown := assigning.next_task(store, review.id, person)) is not None:
        real = shown.kind == "task"
        answer = judging.Answer(
            shown.task,
            f"key-{number:06}",
            says_ok(shown),  # type: ignore[arg-type]
            ratings={"short": {"left": True}} if real else {},
            correction="okay" if real and number == 3 else "",
            flags={"left": ["wrong fact"]} if real and number == 4 else {},
        )
        judging.judge(store, person, answer)
        number += 1
    found = concluding.conclude(run.folder.path, store)
    (correction,) = run.folder.rows("review/corrections.jsonl")
    (flag,) = run.folder.rows("review/flags.jsonl")
    assert correction["completion"] == "okay"
    assert flag["flag"] == "wrong fact"
    preferences = run.folder.rows("review/preferences.jsonl")
    assert all(row["chosen"] == "ok" for row in preferences)
    _, prepared = reopened(run.folder.path)
    select = {example.id for example in prepared.parts["select"]}
    assert {correction["example"], flag["example"], *(row["example"] for row in preferences)} <= select
    assert run.folder.read("review/seen.json") == {"schema": 1, "select": sorted(select), "confirm": []}
    assert found.content["ratings"]["short"]
    assert run.verdict.outcome == before.outcome
    assert "Ann" not in str([path.read_text() for path in (run.folder.path / "review").iterdir()])
    store.close()


def test_nothing_is_concluded_where_nobody_judged(tmp_path: Path, network: Path) -> None:
    run = ran(tmp_path, network)
    store = store_of(run)
    with pytest.raises(ReviewError, match="no review was begun"):
        concluding.conclude(run.folder.path, store)
    reviewing.begin(run.folder.path, store, Wanted())
    with pytest.raises(ReviewError, match="nobody has judged"):
        concluding.conclude(run.folder.path, store)
    assert concluding.standing(run.folder.path, store).analysis.win_rate.outcome == "undefined"
    store.close()


def test_a_model_judges_the_same_pairs_and_is_held_against_people(tmp_path: Path, network: Path) -> None:
    run = ran(tmp_path, network)
    store = store_of(run)
    review = reviewing.begin(run.folder.path, store, Wanted())
    reviewing.machine(run.folder.path, store, review, str(network))
    (judge,) = concluding.standing(run.folder.path, store).content["machines"]
    assert judge["agreement"]["undefined"] == "not yet compared with people"
    assert judge["alone"]["value"] is None
    judged(store, review.id, entered(store, "Ann"), says_ok)
    found = concluding.conclude(run.folder.path, store)
    (judge,) = found.content["machines"]
    assert judge["agreement"]["n"] == len(confirm_of(run))
    assert judge["corrected"]["value"] is not None
    # It is no person: what decides is read from people alone.
    assert found.analysis.raters == 1
    page = (run.folder.path / "report.html").read_text(encoding="utf-8")
    assert "corrected by people" in page
    store.close()


def confirm_of(run: trimtab.Run) -> set[str]:
    _, prepared = reopened(run.folder.path)
    return {example.id for example in prepared.parts["confirm"]}
