"""Rungs that learn from pairs: what is learned, what is refused, what it costs, and that a run ships with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import trimtab
from tests import projects
from tests.rungs.made import base
from trimtab.adjust.preference import Pairs
from trimtab.candidates import AdapterCandidate, LayersCandidate, Trained
from trimtab.errors import MaskError, RecipeError
from trimtab.prepare import prepare
from trimtab.recipe import parse
from trimtab.records import Example, Message
from trimtab.rungs import adapter, augmenting, layers, preferring, training
from trimtab.rungs.workshop import Speed, Workshop

pytestmark = pytest.mark.usefixtures("cache")
SPEED = Speed(1e-3, 1e-2, 10.0)


def rows(count: int = 40) -> list[dict[str, Any]]:
    return [
        {"prompt": f"item {n}", "chosen": f"fine and kind {n % 5}", "rejected": f"bad and rude {n % 5}"}
        for n in range(count)
    ]


def shop(folder: Path, written: list[dict[str, Any]] | None = None, **changes: Any) -> Workshop:
    folder.mkdir(parents=True, exist_ok=True)
    projects.lines(folder / "rows.jsonl", written or rows())
    content: dict[str, Any] = {
        "data": {"examples": str(folder / "rows.jsonl"), "max_tokens": 96},
        "goal": {"metric": "preference"},
        "training": {"epochs": 2, "batch_size": 4, "learning_rate": 0.005},
    }
    return Workshop(prepare(parse(content | changes)), base(), folder / "fit")


def texts(work: Workshop, pairs: Pairs) -> list[list[str]]:
    """What is learned of each row, by side."""
    return [
        [work.base.tokenizer.decode(row.ids[row.supervised]).strip() for row in side] for side in pairs.sides
    ]


def test_a_pair_is_learned_by_its_last_answers(tmp_path: Path) -> None:
    work = shop(tmp_path)
    talk = (Message("user", "p"), Message("assistant", "an answer"), Message("user", "q"))
    item = Example(talk, ("good", "fine"), id="e", fields={"rejected": "bad"})
    found, told = preferring.pairs(work, [item], "dpo")
    assert texts(work, found) == [["good<|im_end|>", "fine<|im_end|>"], ["bad<|im_end|>", "bad<|im_end|>"]]
    assert {row.example for row in found.rows()} == {"e"}
    assert told["pairs"] == 2
    assert told["chosen"]["supervised"] == 2 * len("good") + 2
    assert told["rejected"]["supervised"] == len("bad") + 1


def test_of_tune_alone_and_followed_on_select(tmp_path: Path) -> None:
    work = shop(tmp_path)
    how = training.settings(work, Trained(loss="kto", beta=0.3, undesirable=2.0))
    assert (how.loss, how.beta, how.undesirable) == ("kto", 0.3, 2.0)
    lesson = training.lesson(work, how)
    pairs, judged = lesson.beside.pairs, lesson.beside.judged
    assert pairs
    assert judged
    assert [row.example for row in lesson.rows] == [e.id for e in work.prepared.parts["tune"]]
    assert [row.example for row in judged.chosen] == [e.id for e in work.prepared.parts["select"]][:16]
    assert len(pairs.sides) == 4
    assert lesson.told["preferences"]["pairs"] == len(lesson.rows)
    assert training.held_out(work, how) == ()


def test_pairs_that_are_the_same_teach_nothing(tmp_path: Path) -> None:
    work = shop(tmp_path)
    ask = (Message("user", "q"),)
    same = Example(ask, ("good",), id="s", fields={"rejected": "good"})
    differ = Example(ask, ("good",), id="d", fields={"rejected": "bad"})
    found, told = preferring.pairs(work, [same, differ], "dpo")
    assert [row.example for row in found.rows()] == ["d", "d"]
    assert (told["pairs"], told["alike"]) == (1, 1)
    with pytest.raises(RecipeError, match="in each of 1 pairs both answers are the same"):
        preferring.pairs(work, [same], "dpo")


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_an_answer_that_is_cut_off_is_refused(tmp_path: Path, side: str) -> None:
    work = shop(tmp_path)
    long = "x" * 200
    good, bad = ("good", "bad")
    item = Example((Message("user", long),), (good,), id="e", fields={"rejected": bad})
    with pytest.raises(MaskError, match="nothing supervised in 1 row: e"):
        preferring.pairs(work, [item], "dpo")
    endless = long if side == "chosen" else good, long if side == "rejected" else bad
    item = Example((Message("user", "q"),), (endless[0],), id="e", fields={"rejected": endless[1]})
    with pytest.raises(MaskError, match="the stop token was cut off in 1 row: e"):
        preferring.pairs(work, [item], "dpo")


@pytest.mark.parametrize("loss", ["dpo", "kto"])
@pytest.mark.parametrize("rung", ["adapter", "layers"])
def test_both_rungs_learn_pairs(rung: str, loss: Any, tmp_path: Path) -> None:
    work = shop(tmp_path)
    if rung == "adapter":
        fitted = adapter.fit(work, AdapterCandidate(rank=2, loss=loss))
    else:
        fitted = layers.fit(work, LayersCandidate(loss=loss))
    assert {"loss", "reward_margin", "reward_accuracy"} <= fitted.history[-1].keys()
    assert fitted.history[-1]["reward_accuracy"] > 0.9
    assert fitted.history[-1]["select_loss"] < fitted.history[0]["loss"]
    assert fitted.cost["preferences"]["pairs"] == len(work.prepared.parts["tune"])
    told = fitted.adjustment.describe().settings
    assert (told["loss"].value, told["beta"].value) == (loss, 0.1)


def test_rows_without_a_rejected_answer_are_refused_before_anything_is_spent(tmp_path: Path) -> None:
    plain = [{"prompt": f"item {n}", "completion": "ok"} for n in range(40)]
    with pytest.raises(RecipeError, match=r"loss dpo: 40 of 40 rows of .* have no rejected answer") as raised:
        shop(tmp_path, plain, candidates={"adapter": [{"loss": "dpo"}]})
    assert "prompt, chosen and rejected" in raised.value.hint
    assert shop(tmp_path, plain, candidates={"adapter": [{}]})


@pytest.mark.parametrize(
    ("name", "value"), [("replay", 0.2), ("kl", 0.1), ("balance", 1.0), ("counterfactual", True)]
)
def test_penalties_and_other_rows_are_refused_beside_pairs(name: str, value: Any, tmp_path: Path) -> None:
    work = shop(tmp_path, training={name: value})
    with pytest.raises(RecipeError, match=f"loss dpo: not available together with .*{name}"):
        training.seconds(work, Trained(loss="dpo"), SPEED)
    assert training.settings(work, Trained())
    off: dict[str, Any] = {"replay": 0.0, "kl": 0.0, "balance": 0.0, "counterfactual": False}
    assert training.settings(work, Trained(loss="dpo", **off))


def test_a_search_or_changed_rows_are_refused_beside_pairs() -> None:
    with pytest.raises(ValidationError, match="search: judges settings by likelihood, not by loss dpo"):
        AdapterCandidate.model_validate({"loss": "dpo", "search": {"trials": 4, "epochs": [1, 4]}})
    with pytest.raises(ValidationError, match="augment: a changed row has no rejected answer for loss kto"):
        Trained.model_validate({"loss": "kto", "augment": True})


def test_changed_rows_are_for_likelihood_alone(tmp_path: Path) -> None:
    work = shop(tmp_path, augment=[{"kind": "noise"}])
    recipe = work.prepared.recipe
    assert augmenting.learned_by(recipe, Trained())
    assert not augmenting.learned_by(recipe, Trained(loss="dpo"))
    assert augmenting.both_ways(recipe, [Trained(loss="dpo")]) == [Trained(loss="dpo")]


def test_pairs_cost_time(tmp_path: Path) -> None:
    work = shop(tmp_path)
    one, two, three = (
        training.seconds(work, Trained(loss=loss), SPEED) / 10.0 for loss in ("sft", "dpo", "kto")
    )
    assert one == pytest.approx(2 * training.UPDATE)
    assert two == pytest.approx(2 * one + 2)
    assert three == pytest.approx(2 * one + 4 + 2 * 2)


def test_training_twice_gives_the_same(tmp_path: Path) -> None:
    candidate = AdapterCandidate(rank=2, loss="kto")
    one = adapter.fit(shop(tmp_path / "a"), candidate)
    other = adapter.fit(shop(tmp_path / "b"), candidate)
    assert one.adjustment.hash == other.adjustment.hash
    apart = adapter.fit(shop(tmp_path / "c"), candidate.model_copy(update={"beta": 0.5}))
    assert apart.adjustment.hash != one.adjustment.hash


def test_a_run_on_pairs_ships(tmp_path: Path, network: Path) -> None:
    """The goal is measured on pairs, compared by item, and the report is written."""
    path = projects.written(
        tmp_path,
        network,
        goal={"metric": "preference", "min_gain": 0.05, "expected_gain": 0.5},
        ladder=["adapter"],
        candidates={"adapter": [{"loss": "dpo", "rank": 4}]},
        training={"epochs": 3, "batch_size": 4, "learning_rate": 0.01},
    )
    pairs = [
        {"prompt": f"item {n}", "chosen": "yes, fine" if n % 2 else "ok", "rejected": "no"} for n in range(90)
    ]
    projects.lines(tmp_path / "rows.jsonl", pairs)
    run = trimtab.tune(path, root=tmp_path / "runs")
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert run.verdict.target
    assert run.verdict.target.difference.n == 23
    assert (run.folder.path / "report.html").is_file()
    (record,) = [
        run.folder.read(str(p.relative_to(run.folder.path))) for p in run.folder.path.rglob("stack.json")
    ]
    assert record["adjustments"][0]["settings"]["loss"]["value"] == "dpo"
