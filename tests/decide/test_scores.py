"""Scores of two stacks, paired by example: seeds, undefined items, corpus metrics, groups, orientation."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.document import made
from trimtab import stats
from trimtab.decide.scores import Measured, Scale, judge, open_scores, pair, shared_metric
from trimtab.errors import MetricError, RunError
from trimtab.records import Score


def measured(values: dict[str, list[float]], metric: str = "m", **more: object) -> Measured:
    scores = [Score(e, metric, seed, v) for e, found in values.items() for seed, v in enumerate(found)]
    return Measured("x", tuple(scores), **more)  # type: ignore[arg-type]


def test_pairs_by_example_in_the_order_of_the_baseline() -> None:
    paired = pair(measured({"c": [1], "a": [2], "b": [3]}), measured({"b": [6], "a": [5], "z": [9]}), "m")
    assert paired.ids == ("a", "b")
    assert paired.baseline.tolist() == [2, 3]
    assert paired.candidate.tolist() == [5, 6]
    assert paired.alone == (1, 1)


def test_seeds_are_averaged_within_an_item() -> None:
    paired = pair(measured({"a": [1, 3], "b": [5, 7]}), measured({"a": [1], "b": [2]}), "m")
    assert paired.baseline.tolist() == [2, 6]
    assert paired.candidate.tolist() == [1, 2]


def test_an_item_undefined_for_one_side_stays_and_for_both_goes() -> None:
    nan = math.nan
    paired = pair(
        measured({"a": [nan], "b": [nan], "c": [1]}), measured({"a": [nan], "b": [2], "c": [2]}), "m"
    )
    assert paired.ids == ("b", "c")
    assert np.isnan(paired.baseline[0])
    assert judge(paired, Scale()).outcome == "undefined"


def test_other_metrics_do_not_mix_in() -> None:
    both = Measured("x", (Score("a", "m", 0, 1.0), Score("a", "other", 0, 99.0)))
    assert pair(both, both, "m").baseline.tolist() == [1]
    with pytest.raises(MetricError, match="no item"):
        pair(both, measured({"z": [1]}), "m")


def test_lower_is_better_where_the_scale_says_so() -> None:
    draw = np.random.default_rng(0)
    worse = {f"e{k}": [v] for k, v in enumerate(draw.normal(5, 1, 50))}
    better = {key: [value[0] - 2 + 0.2 * (k % 2)] for k, (key, value) in enumerate(worse.items())}
    paired = pair(measured(worse), measured(better), "m")
    assert judge(paired, Scale(sign=-1)).outcome == "better"
    assert judge(paired, Scale(sign=1)).outcome == "worse"
    assert judge(paired, Scale(sign=-1)).difference.value == pytest.approx(1.9)


def test_0_1_scores_are_judged_as_such_and_groups_as_clusters() -> None:
    draw = np.random.default_rng(3).random(80)
    before = {f"e{k}": [float(u < 0.3)] for k, u in enumerate(draw)}
    after = {f"e{k}": [float(u < 0.6)] for k, u in enumerate(draw)}
    scale = Scale(bounds=(0.0, 1.0))
    alone = judge(pair(measured(before), measured(after), "m"), scale)
    arrays = [np.array([value[0] for value in side.values()]) for side in (before, after)]
    assert alone == stats.compare(*arrays, bounds=(0.0, 1.0))
    groups = {f"e{k}": f"g{k // 8}" for k in range(80)}
    grouped = judge(pair(measured(before, groups=groups), measured(after), "m"), scale)
    assert grouped.difference.method != alone.difference.method
    assert grouped.difference.value == pytest.approx(alone.difference.value)


def test_a_margin_asks_for_non_inferiority() -> None:
    values = {f"e{k}": [float(k % 7)] for k in range(60)}
    shifted = {key: [value[0] - 0.01 * (k % 3)] for k, (key, value) in enumerate(values.items())}
    paired = pair(measured(values), measured(shifted), "m")
    assert judge(paired, Scale(), margin=0.5).outcome == "held"
    assert judge(paired, Scale(), margin=0.001).outcome == "breached"


def test_a_corpus_metric_uses_its_sufficient_statistics() -> None:
    draw = np.random.default_rng(0)
    hits = draw.integers(1, 5, 40)

    def side(more: int) -> Measured:
        rows = [Score(f"e{k}", "m", 0, 0.0, (hit + more * (1 + k % 3), 10.0)) for k, hit in enumerate(hits)]
        return Measured("x", tuple(rows))

    paired = pair(side(0), side(1), "m")
    assert paired.baseline.shape == (40, 2)
    found = judge(paired, Scale(statistic=lambda rows: float(rows[:, 0].sum() / rows[:, 1].sum())))
    assert found.difference.value == pytest.approx(sum(1 + k % 3 for k in range(40)) / 400)
    with pytest.raises(MetricError, match="do not fit"):
        judge(paired, Scale())


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    rows = [
        {"example": "a", "metric": "m", "value": None},
        {"example": "b", "metric": "m", "value": 1, "seed": 2},
    ]
    path = tmp_path / "scores.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    for place in (path, tmp_path):
        first, second = open_scores(place).scores
        assert math.isnan(first.value)
        assert second == Score("b", "m", 2, 1.0)


@pytest.mark.parametrize(
    "text", ["", "{\n", '{"example": "a", "metric": "m"}\n', "[1]\n", '{"example": 1}\n']
)
def test_files_without_scores_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RunError):
        open_scores(path)


def test_the_shared_metric_is_the_goal_before_anything_else() -> None:
    scores = tuple(Score("a", name, 0, 1.0) for name in ("one", "two"))
    plain, run = Measured("x", scores), Measured("y", scores, metric="two")
    assert shared_metric(run, plain) == "two"
    assert shared_metric(run, plain, "one") == "one"
    with pytest.raises(MetricError, match="several"):
        shared_metric(plain, plain)
    with pytest.raises(MetricError, match="not in both"):
        shared_metric(plain, plain, "three")


def test_a_run_is_compared_by_the_stack_of_its_verdict(tmp_path: Path) -> None:
    """Not by the last rung's choice, where a smaller rung ships or comes nearer."""
    folder = made.folder(tmp_path)
    content = made.ladder("ship")
    later = {"rung": "layers", "candidates": [{"stack": made.OTHER, "chosen": True}]}
    folder.write("ladder.json", {"rungs": [*content["rungs"], later]})
    assert open_scores(folder.path).name.endswith(made.STACK)
