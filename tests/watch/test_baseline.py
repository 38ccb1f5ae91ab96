"""What traffic is held against: from a run's answers on select, or from traffic; what cannot be watched is said."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.audit.meaning.vectors import around
from tests.watch.traffic import traffic
from trimtab.errors import RunError, StatisticsError
from trimtab.model.sentences import default_encoder
from trimtab.records import Output
from trimtab.run import RunFolder
from trimtab.stats.sequential import begun, noticed
from trimtab.watch import Traffic, baseline, begin, look, of_run, watched
from trimtab.watch.features import COSINE, Grid
from trimtab.watch.meaning import landmarks


def test_the_parts_of_alpha_follow_the_weights_and_sum_to_it() -> None:
    found = baseline(traffic(50, 1), alpha=0.1, weights={"words": 3, "refusal": 1, "prompts": 5})
    assert {quantity.name: quantity.alpha for quantity in found.quantities} == {
        "words": pytest.approx(0.075),
        "refusal": pytest.approx(0.025),
    }
    assert found.missing == {"prompts": "no sentence encoder was given"}
    assert found.quantities[0].needed == pytest.approx(math.log(1 / 0.075))


def test_a_stack_without_confidence_is_watched_without_it() -> None:
    found = baseline(traffic(50, 1, confidence=None))
    assert found.missing["confidence"] == "the stack gives no confidence"
    assert "confidence" not in {quantity.name for quantity in found.quantities}


def test_another_row_alpha_or_weight_is_another_baseline() -> None:
    rows = traffic(50, 1)
    prints = [
        baseline(rows).fingerprint,
        baseline(rows[:-1]).fingerprint,
        baseline(rows, alpha=0.01).fingerprint,
        baseline(rows, weights={"words": 1}).fingerprint,
    ]
    assert len(set(prints)) == 4
    assert baseline(rows).fingerprint == prints[0]


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (traffic(19, 1), {}, "19 rows of 1 stacks"),
        (traffic(20, 1) + traffic(20, 1, stack="base"), {}, "40 rows of 2 stacks"),
        (traffic(20, 1), {"weights": {"wrods": 1}}, "wrods"),
        (traffic(20, 1), {"weights": {"words": 0}}, "words"),
        (traffic(20, 1), {"alpha": 1.0}, "alpha 1"),
        (traffic(20, 1), {"weights": {"topics": 1}}, "nothing can be watched: topics: no sentence encoder"),
    ],
)
def test_what_makes_no_baseline_is_refused(rows: list[Traffic], options: dict, said: str) -> None:
    with pytest.raises(StatisticsError, match=said):
        baseline(rows, **options)


def test_a_run_gives_what_its_stack_answered_on_select(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "0123456789abcdef")
    rows = traffic(40, 3, stack="s1")
    messages = [
        [{"role": "system", "content": "Be kind."}, {"role": "user", "content": r.prompt}] for r in rows
    ]
    folder.write_rows("examples.jsonl", [{"id": str(n), "messages": m} for n, m in enumerate(messages)])
    outputs = [
        Output(str(n), seed, r.answer if seed == 0 else "nothing", fired=r.fired, confidence=r.confidence)
        for n, r in enumerate(rows)
        for seed in (0, 1)
    ]
    folder.write_trial("s1", outputs, [])
    assert of_run(folder, "s1").fingerprint == baseline(rows).fingerprint
    with pytest.raises(RunError, match="no answers of stack s2"):
        of_run(folder, "s2")
    with pytest.raises(RunError, match="no verdict"):
        of_run(folder)


def test_values_are_put_on_the_nearest_place_of_a_grid() -> None:
    grid = Grid(-1, 1, 0.5, "")
    places = grid.place(np.array([-3, -0.8, -0.2, 0.1, 0.9, math.nan]))
    assert places.tolist() == [0, 0, 2, 2, 4, -1]
    assert grid.value(places[:5]).tolist() == [-1, -1, 0, 0, 1]


def test_what_lies_far_from_all_known_texts_is_noticed() -> None:
    vectors, groups = around((250, 250, 100), 0.7, seed=1)
    familiar = np.random.default_rng(1).permutation(vectors[groups < 2])
    known, fresh, strange = familiar[:300], familiar[300:], vectors[groups == 2]
    found = landmarks(known[::2])
    start = begun(COSINE.place(found.figures(known[1::2])["nearest"]), COSINE.codes, 0)
    quiet, evidence = noticed(start, COSINE.place(found.figures(fresh)["nearest"]))
    assert evidence.max() < math.log(20)
    _, evidence = noticed(quiet, COSINE.place(found.figures(strange)["nearest"]))
    assert evidence.max() > math.log(1e4)


def test_topics_are_shares_of_clusters() -> None:
    vectors, groups = around((120, 80), 0.5)
    texts = [("card lost stolen", "loan rate interest")[group] for group in groups.tolist()]
    found = landmarks(vectors, texts)
    columns = found.topic(vectors)
    assert list(columns) == ["topic 1", "topic 2"]
    assert [int(values.sum()) for values in columns.values()] == [120, 80]
    assert np.array_equal(columns[next(iter(columns))] == 1, groups == 0)
    assert landmarks(vectors[:30], texts[:30]).topic(vectors) == {}


@pytest.mark.embedded
def test_other_questions_are_noticed_by_their_meaning() -> None:
    kinds = ("My card number {} was lost, what now?", "What is the rate of a loan over {} months?")
    other = "Who painted the picture number {} in the museum of the town?"
    numbers = np.random.default_rng(1).permutation(400).tolist()
    weights = {"prompts": 1, "answers": 1, "topics": 1}

    def row(n: int, question: str) -> Traffic:
        return Traffic("", question.format(n), f"Please call us about {n}.", stack="s")

    rows = [row(n, kinds[n % 2]) for n in numbers[:160]]
    before = baseline(rows, weights=weights, encoder=default_encoder())
    few = baseline(rows[:40], weights=weights, encoder=default_encoder())
    assert few.missing == {"topics": "fewer than 160 rows"}
    assert [quantity.name for quantity in before.quantities] == ["prompts", "topics", "answers"]
    watch = look(before, begin(before), [row(n, kinds[n % 2]) for n in numbers[160:240]])
    assert watch.alarms == ()
    alarms = look(before, watch, [row(n, (*kinds, other)[n % 3]) for n in numbers[240:340]]).alarms
    assert {alarm.quantity for alarm in alarms} >= {"prompts"}
    assert "answers" not in {alarm.quantity for alarm in alarms}
    assert watched(before, watch).alpha == 0.05
