"""What users said, as rows of the next round: corrections and liked answers, tuned on, never what decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.rounds import made
from trimtab import lineage, previous, reviewing
from trimtab.data.split import prompt_key
from trimtab.erasure import Asked, erase
from trimtab.errors import RunError
from trimtab.live import answers, feedback
from trimtab.live.answers import Kept
from trimtab.live.feedback import Given
from trimtab.pipeline import begun
from trimtab.prepare import prepare
from trimtab.recipe import load
from trimtab.review.store import Store
from trimtab.rounds import begin, of_users
from trimtab.run import RunFolder
from trimtab.watching import next_round
from trimtab.watching.learned import learnable

NOW = "2024-05-01T12:00:00"


def kept(number: int, prompt: str, answer: str = "an answer", owner: str = "k1", stack: str = "s") -> Kept:
    return Kept(f"r{number}-0", NOW, owner, "m", stack, prompt, answer, None, ())


def given(number: int, owner: str = "k1", **said: object) -> Given:
    return Given(f"r{number}-0", owner, NOW, **said)  # type: ignore[arg-type]


def test_a_correction_is_learned_in_place_of_the_answer_and_of_those_others_liked() -> None:
    said = [
        (kept(1, "What is it?", owner="k1"), given(1, thumb=-1, correction="A tab.")),
        (kept(2, " what IS it?", owner="k2"), given(2, "k2", thumb=1)),
        (kept(3, "Who made it?", "We did."), given(3, thumb=1, rating=5)),
        (kept(4, "When?", "Now."), given(4, thumb=1)),
        (kept(5, "When?", "Now.", "k2"), given(5, "k2", thumb=-1)),
        (kept(6, "Where?"), given(6, thumb=1, rating=2)),
        (kept(7, "How?"), given(7, rating=5)),
        (kept(8, ""), given(8, correction="Texts were not kept.")),
        (kept(9, "Which?", ""), given(9, thumb=1)),
    ]
    found = {example.prompt: example for example in learnable(said)}
    assert {prompt: example.references for prompt, example in found.items()} == {
        "What is it?": ("A tab.",),
        "Who made it?": ("We did.",),
    }
    assert found["What is it?"].subject == "k1"
    assert found["What is it?"].source == "feedback"


def test_an_instruction_that_clients_send_is_known_as_the_recipes() -> None:
    said = [(kept(1, "Be brief.\n\nWhat is it?"), given(1, correction="A tab."))]
    (plain,), (known,) = learnable(said), learnable(said, "Be brief.")
    assert prompt_key(plain) != prompt_key(known)
    assert prompt_key(known) == prompt_key(learnable([(kept(1, "What is it?"), given(1, correction="x"))])[0])


def test_near_copies_of_what_decides_are_left_out() -> None:
    texts = (
        "How do I return a parcel that came to the wrong address last week?",
        "how do i return a parcel that came to the wrong address last week",
        "Is there a shop of yours in the town that opens on Sundays at all?",
    )
    rows = learnable([(kept(n, text), given(n, correction="So.")) for n, text in enumerate(texts)])
    found = of_users.learned(rows, rows[:1])
    assert ([row.prompt for row in found.rows], found.sealed) == ([texts[2]], 2)
    assert of_users.learned(rows, ()).rows == tuple(rows)


def test_the_next_round_tunes_on_them_and_decides_without_them(run: RunFolder) -> None:
    store = Store.open(reviewing.address(run.path))
    stack = run.verdict().stack
    with pytest.raises(RunError, match="was corrected or liked"):
        next_round(run.path, store)
    sealed = {
        example.id: example.prompt for example in prepare(load(run.path / "recipe.yaml")).parts["confirm"]
    }
    known = next(iter(sealed.values()))
    answers.keep(
        store, [kept(1, "quite another question", stack=stack), kept(2, known, owner="k2", stack=stack)]
    )
    answers.keep(store, [kept(3, "a question of a stack that is no more", stack="gone")])
    feedback.give(store, given(1, correction="quite well"))
    feedback.give(store, given(2, "k2", correction="leaked"))
    feedback.give(store, given(3, correction="nothing"))
    done = next_round(run.path, store)
    assert (done.corrected, done.liked, done.sealed, done.owners, done.most) == (1, 0, 1, 1, 1)
    assert next_round(run.path, store) == done
    after = prepare(load(done.recipe))
    before = prepare(load(run.path / "recipe.yaml"))
    new = {e.id: e for e in after.parts["tune"]}.keys() - {e.id for e in before.parts["tune"]}
    assert new == {"live-r1-0"}
    assert [[e.id for e in after.parts[part]] for part in ("select", "confirm")] == [
        [e.id for e in before.parts[part]] for part in ("select", "confirm")
    ]
    assert after.identity != before.identity
    text = done.rows.read_text(encoding="utf-8")
    assert "quite well" in text
    assert "leaked" not in text
    # A row that the data gain later, and that asks the same, is kept apart: it may decide.
    data = Path(run.recipe()["data"]["examples"])
    rows = [{"prompt": "Quite another  question", "completion": "ok", "part": "confirm"}]
    data.write_text(data.read_text() + "".join(json.dumps(row) + "\n" for row in rows))
    assert "live-r1-0" not in {e.id for e in prepare(load(done.recipe)).parts["tune"]}
    store.close()


def test_rows_of_users_stay_learned_in_later_rounds_and_beside_a_review(run: RunFolder) -> None:
    live = learnable([(kept(1, "quite another question"), given(1, correction="quite well"))])
    (name, *_) = made.ids(run, "select")
    made.review(run, corrections={name: ["fine"]})
    recipe = begin(run.path, live=live)
    tune = {e.id: e.references for e in prepare(load(recipe)).parts["tune"]}
    assert (tune["live-r1-0"], tune[name]) == (("quite well",), ("fine",))
    assert previous.read(recipe.parent).facts["live"] == {"rows": 1, "sealed": 0}
    # As if that round had been tuned: it is the run that the next one goes on from.
    (run.path / "recipe.yaml").write_text(recipe.read_text().replace("folder: .", f"folder: {recipe.parent}"))
    parts = prepare(load(run.path / "recipe.yaml")).parts
    (run.path / lineage.ROWS).unlink()
    lineage.record(run, parts)
    made.review(run)
    later = begin(run.path)
    assert "live-r1-0" in {e.id for e in prepare(load(later)).parts["tune"]}


def test_a_users_rows_are_erased_before_and_after_the_round_is_begun(run: RunFolder) -> None:
    home = run.path.parents[1]
    store = Store.open(reviewing.address(run.path))
    stack = run.verdict().stack
    prompts = ["harbour boats", "lighthouse oil"]
    answers.keep(store, [kept(n, text, owner=f"key{n}", stack=stack) for n, text in enumerate(prompts)])
    for n in range(2):
        feedback.give(store, given(n, f"key{n}", correction=f"{prompts[n]}!"))
    done = next_round(run.path, store)
    store.close()
    assert erase(Asked("key0", home))["checked"]["found"] == []
    assert [row["subject"] for row in RunFolder(done.rows.parent).rows(done.rows.name)] == ["key1"]
    assert not erased_texts(home, prompts[0])
    second = begun(prepare(load(done.recipe)), home / "runs")
    assert [row.part for row in lineage.rows(second) if row.subject == "key1"] == ["tune"]
    assert erase(Asked("key1", home))["checked"]["found"] == []
    assert not erased_texts(home, prompts[1])
    assert not any(row.subject == "key1" for row in lineage.rows(second))


def erased_texts(home: Path, text: str) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
