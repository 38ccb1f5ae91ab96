"""A trial on a real network: one pass for all metrics, scores in order, tables aligned and oriented."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.measure.models import Tiny
from trimtab.errors import MetricError, TrimtabError
from trimtab.measure import Suite, find, measure, of_outputs, paired, table
from trimtab.records import Example, Message, Output, Progress, Sampling, Score

ITEMS = [
    Example(
        (Message("user", f"Say {word}."),), (word,), id=word, fields={"choices": (word, "zz"), "answer": 0}
    )
    for word in ("tea", "milk", "water")
]
SHORT = Sampling(max_new_tokens=6)


@pytest.fixture(scope="module")
def tiny() -> Tiny:
    return Tiny()


def test_one_pass_serves_all_metrics_and_scores_are_not_averaged(tiny: Tiny) -> None:
    metrics = [find("length"), find("nll"), find("bleu"), find("choice")]
    seen: list[Progress] = []
    tiny.asked.clear()
    outputs, scores = measure(
        Suite("s", tuple(ITEMS), ()),
        metrics,
        generate=tiny.answers,
        likelihood=tiny.likely,
        sampling=SHORT,
        seeds=(3, 5),
        report=seen.append,
    )
    assert tiny.asked == [6, 6]  # six answers; three references and three other choices, each once
    assert [(o.example, o.seed) for o in outputs] == [(e.id, s) for e in ITEMS for s in (3, 5)]
    assert outputs[0].text != outputs[1].text
    assert [s.metric for s in scores] == ["length"] * 6 + ["nll"] * 3 + ["bleu"] * 6 + ["choice"] * 3
    assert [p.done for p in seen] == [1, 2, 3, 4]
    assert seen[-1].total == 4


def test_likelihood_scores_are_those_of_the_network(tiny: Tiny) -> None:
    _, scores = measure(ITEMS, [find("nll"), find("choice")], likelihood=tiny.likely)
    for example, score in zip(ITEMS, scores[:3], strict=True):
        (total, tokens), (other, others) = tiny.likely(
            [(example.messages, example.references[0]), (example.messages, "zz")]
        )
        assert score.value == pytest.approx(-total / tokens)
        choice = next(s for s in scores if s.metric == "choice" and s.example == example.id)
        assert choice.value == float(total / tokens > other / others)


def test_plain_text_is_scored_without_messages(tiny: Tiny) -> None:
    passage = Example((), ("some text",), id="p")
    _, scores = measure([passage], find("nll"), likelihood=tiny.likely)
    total, tokens = tiny.likely([((), "some text")])[0]
    assert scores == [Score("p", "nll", 0, -total / tokens)]


def test_a_suites_own_metrics_are_the_default(tiny: Tiny) -> None:
    suite = Suite("s", tuple(ITEMS), (find("choice"),))
    _, scores = measure(suite, likelihood=tiny.likely)
    assert {score.metric for score in scores} == {"choice"}


def test_what_cannot_be_measured_is_said(tiny: Tiny) -> None:
    with pytest.raises(MetricError, match="metric nll: needs log-probabilities"):
        measure(ITEMS, find("nll"), generate=tiny.answers)
    with pytest.raises(MetricError, match="metric length: needs sampled answers"):
        measure(ITEMS, find("length"), likelihood=tiny.likely)
    with pytest.raises(MetricError, match="repeated id: 'tea'"):
        measure([ITEMS[0], ITEMS[0]], find("nll"), likelihood=tiny.likely)
    with pytest.raises(MetricError, match="no items"):
        measure([], find("nll"), likelihood=tiny.likely)
    with pytest.raises(MetricError, match="no metric"):
        measure(ITEMS, likelihood=tiny.likely)
    with pytest.raises(MetricError, match="named twice: nll"):
        measure(ITEMS, [find("nll"), find("nll")], likelihood=tiny.likely)
    with pytest.raises(MetricError, match="needs likelihood, not answers"):
        of_outputs(ITEMS, [], find("nll"))
    with pytest.raises(MetricError, match="item 'juice', which is not in the suite"):
        of_outputs(ITEMS, [Output("juice", 0, "")], find("length"))


def test_answers_out_of_order_are_our_fault(tiny: Tiny) -> None:
    with pytest.raises(TrimtabError, match="not in the order"):
        measure(
            ITEMS, find("length"), generate=lambda e, p, s=(0,): tiny.answers(e, p, s)[::-1], sampling=SHORT
        )


def scored(metric: str, values: dict[str, list[float]]) -> list[Score]:
    return [
        Score(item, metric, seed, value) for item, row in values.items() for seed, value in enumerate(row)
    ]


def test_a_table_has_a_row_for_each_item_and_a_column_for_each_seed() -> None:
    scores = scored("chrf", {"b": [1.0, 2.0], "a": [3.0, 4.0]}) + scored("length", {"b": [7.0, 8.0]})
    ids, values = table(scores[::-1], find("chrf"))
    assert ids == ["a", "b"]
    assert values.tolist() == [[3.0, 4.0], [1.0, 2.0]]


def test_a_table_of_a_lower_is_better_metric_changes_sign() -> None:
    assert table(scored("length", {"b": [7.0, 8.0]}), find("length"))[1].tolist() == [[-7.0, -8.0]]


def test_a_table_of_a_corpus_metric_holds_sufficient_statistics_summed_over_seeds() -> None:
    metric = find("false_positive_rate", {"positive": "x"})
    scores = [Score("a", metric.name, seed, math.nan, (float(seed), 1.0)) for seed in (0, 1, 2)]
    ids, rows = table(scores, metric)
    assert (ids, rows.tolist()) == (["a"], [[3.0, 3.0]])
    assert metric.oriented_statistic is not None
    assert metric.oriented_statistic(rows) == -1.0


def test_a_table_with_holes_is_refused() -> None:
    with pytest.raises(MetricError, match="items without all seeds: a"):
        table(scored("chrf", {"b": [1.0, 2.0], "a": [3.0]}), find("chrf"))
    with pytest.raises(MetricError, match="no scores"):
        table(scored("chrf", {"b": [1.0]}), find("length"))
    with pytest.raises(MetricError, match="without sufficient statistics"):
        table(scored("bleu", {"b": [1.0]}), find("bleu"))


def test_pairs_are_aligned_and_items_to_which_the_metric_does_not_apply_are_left_out() -> None:
    nan = math.nan
    before = scored("chrf", {"a": [1.0], "b": [nan], "c": [2.0]})
    after = scored("chrf", {"c": [5.0], "b": [nan], "a": [nan]})
    ids, first, second = paired(before, after, find("chrf"))
    assert ids == ["a", "c"]
    assert first.tolist() == [[1.0], [2.0]]
    np.testing.assert_equal(second, [[nan], [5.0]])
    with pytest.raises(MetricError, match="measured for one stack only, such as 'b'"):
        paired(before, [score for score in after if score.example != "b"], find("chrf"))
    with pytest.raises(MetricError, match="undefined for every item"):
        paired(before[1:2], after[1:2], find("chrf"))
