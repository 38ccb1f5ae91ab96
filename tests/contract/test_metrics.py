"""Every metric against the one contract."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimtab.errors import MetricError
from trimtab.measure import Metric, find, names
from trimtab.measure.registry import METRICS
from trimtab.measure.trial import of_outputs
from trimtab.records import Example, Message, Output

RULES_FILE = Path(__file__).parent / "guidelines.yaml"
PROMPT = (Message("user", "Describe the Orrivane Swift, a kettle of 1.7 l and 2200 W."),)
GOOD = "The Orrivane Swift is a kettle. The kettle holds 1.7 l and draws 2200 W."
BROKEN = "wow wow wow wow wow wow, 99 kg of Zumba Pixels shit"
PLAIN = Example(PROMPT, (GOOD,), id="a", fields={"engagement": {GOOD: 9.0, BROKEN: 1.0}})
NOTHING = Example((), (), id="b")
LABEL = Example(PROMPT, ("spam",), id="c")
LIST = Example(PROMPT, ("tea", "coffee", "milk"), id="d")
RULES = Example(
    PROMPT,
    id="e",
    fields={
        "instruction_id_list": ("punctuation:no_comma", "length_constraints:number_words"),
        "kwargs": ({}, {"relation": "at least", "num_words": 8}),
    },
)
ASKED = Example(
    PROMPT,
    ("a",),
    id="f",
    fields={"choices": ("a", "b"), "answer": 0, "good": "aa", "bad": "bb", "rejected": "b"},
)


@dataclass(frozen=True)
class Case:
    """A metric's options, an item, an answer that is as good as can be and one that is bad in this respect.

    `undefined`: an item and an answer for which there is no score; None: it is always defined.
    """

    example: Example = PLAIN
    good: str = GOOD
    bad: str = BROKEN
    options: Mapping[str, Any] = field(default_factory=dict)
    undefined: tuple[Example, str] | None = (NOTHING, GOOD)


CASES: dict[str, Case] = {
    "bleu": Case(),
    "chrf": Case(),
    "rouge_l": Case(),
    "exact_match": Case(),
    "similarity": Case(),
    "relevance": Case(),
    "coherence": Case(
        bad="The kettle holds water. Parliament voted on Tuesday.", undefined=(PLAIN, "One sentence.")
    ),
    "coverage": Case(),
    "invented": Case(undefined=None),
    "phrase_rate": Case(undefined=None),
    "sentiment": Case(
        good="It is a wonderful, lovely kettle.", bad="It is a horrible kettle.", undefined=None
    ),
    "toxicity": Case(undefined=None),
    "readability": Case(
        good="It is a cat.", bad="Extraordinarily incomprehensible terminology.", undefined=(PLAIN, "")
    ),
    "length": Case(good="Short.", undefined=None),
    "repetition": Case(undefined=None),
    "distinct": Case(undefined=(PLAIN, "one")),
    "engagement": Case(undefined=(PLAIN, "an answer nobody saw")),
    "accuracy": Case(LABEL, "Spam.", "ham"),
    "f1": Case(LABEL, "spam", "ham", {"positive": "spam"}),
    "false_positive_rate": Case(
        Example(PROMPT, ("ham",), id="h"), "ham", "spam", {"positive": "spam"}, undefined=(LABEL, "spam")
    ),
    "precision_at_k": Case(LIST, "1. Tea\n2. milk", "1. sand\n2. tea", {"k": 2}),
    "instructions": Case(RULES, "A kettle that holds water and does so well.", "A kettle, so to say."),
    "refusal": Case(
        Example(PROMPT, id="g", fields={"should_refuse": True}),
        "I'm sorry, but I cannot help with that.",
        "Sure: do it.",
    ),
    "guidelines": Case(bad="wow, 99 kg", options={"file": str(RULES_FILE)}, undefined=None),
    "consistency": Case(undefined=None),
    "answer_entropy": Case(undefined=None),
    "dispersion": Case(undefined=None),
    "nll": Case(ASKED),
    "choice": Case(ASKED),
    "minimal_pair": Case(ASKED),
    "preference": Case(ASKED),
    "bias_gap": Case(ASKED),
    "twin_gap": Case(),
}
ANSWERS = {
    "empty": "",
    "blank": " \n\t ",
    "unicode": "Käse 🧀 — 中文測試。 عربى \u200b \ud83d".encode("utf-16", "surrogatepass").decode(
        "utf-16", "ignore"
    ),
    "marks": "?!... ((( [x] {{ \\d+ ** ``` <<",
    "long": "The kettle holds 1.7 l, and then some more. " * 500,
}
SEVERAL = ["consistency", "answer_entropy", "dispersion"]
CONTRASTED = ["twin_gap"]
SAMPLED = [
    name
    for name in CASES
    if name not in ("nll", "choice", "minimal_pair", "preference", "bias_gap", *SEVERAL, *CONTRASTED)
]
CORPUS = ["bleu", "f1", "false_positive_rate"]


@cache
def build(name: str) -> Metric:
    """The metric with the options of its case, built once: some load a model."""
    return find(name, CASES[name].options)


def score(metric: Metric, example: Example, text: str) -> float:
    """The score of one answer, of a metric that reads answers."""
    assert metric.score is not None
    return metric.score(example, text)


def test_every_metric_has_a_case() -> None:
    assert set(CASES) == set(names())


@pytest.mark.parametrize("name", CASES)
def test_the_four_facts_are_stated(name: str) -> None:
    metric = build(name)
    module, function = METRICS[name]
    text = inspect.getdoc(getattr(importlib.import_module(f"trimtab.measure.{module}"), function)) or ""
    assert metric.name == name
    assert metric.unit
    assert metric.question.endswith("?")
    assert len(metric.limits) > 20
    assert "Question: " in text
    assert "Limits: " in text
    assert "better" in text


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("name", SAMPLED)
def test_any_answer_gives_a_score_within_bounds_or_nan(name: str, kind: str) -> None:
    metric = build(name)
    value = score(metric, CASES[name].example, ANSWERS[kind])
    assert isinstance(value, float)
    assert not math.isinf(value)
    if metric.bounds is not None and not math.isnan(value):
        assert metric.bounds[0] - 1e-9 <= value <= metric.bounds[1] + 1e-9


@pytest.mark.parametrize("name", SAMPLED)
def test_a_good_answer_beats_a_broken_one(name: str) -> None:
    metric, case = build(name), CASES[name]
    good, bad = score(metric, case.example, case.good), score(metric, case.example, case.bad)
    assert metric.sign * good > metric.sign * bad


@pytest.mark.parametrize("name", SAMPLED)
def test_two_builds_agree_to_the_last_bit(name: str) -> None:
    case, used, fresh = CASES[name], build(name), find(name, CASES[name].options)
    score(used, case.example, ANSWERS["marks"])  # what was scored before must not matter
    for text in (case.bad, case.good):
        assert score(used, case.example, text) == score(fresh, case.example, text)


@pytest.mark.parametrize("name", [name for name in SAMPLED if CASES[name].undefined])
def test_nan_where_undefined(name: str) -> None:
    undefined = CASES[name].undefined
    assert undefined is not None
    assert math.isnan(score(build(name), *undefined))


@pytest.mark.parametrize("name", [name for name in SAMPLED if not CASES[name].undefined])
def test_defined_even_without_input_or_answer(name: str) -> None:
    assert math.isfinite(score(build(name), NOTHING, ""))


@pytest.mark.parametrize(
    "name", ["bleu", "chrf", "rouge_l", "exact_match", "similarity", "coverage", "accuracy", "f1"]
)
def test_the_reference_itself_scores_the_most(name: str) -> None:
    metric, case = build(name), CASES[name]
    assert metric.bounds is not None
    assert score(metric, case.example, case.example.references[0]) == pytest.approx(
        metric.bounds[1], abs=1e-6
    )


@pytest.mark.parametrize("name", CORPUS)
def test_sufficient_statistics_suffice(name: str) -> None:
    metric, case = build(name), CASES[name]
    assert metric.values is not None
    assert metric.statistic is not None
    texts = [case.good, case.bad, "", case.good]
    rows = np.array([metric.values(case.example, text) for text in texts])
    assert metric.statistic(rows) == pytest.approx(metric.statistic(rows.sum(axis=0, keepdims=True)))
    good, bad = metric.statistic(rows[[0, 3]]), metric.statistic(rows[[1, 2]])
    assert metric.sign * good > metric.sign * bad
    oriented = metric.oriented_statistic
    assert oriented is not None
    assert oriented(rows[:1]) == metric.sign * metric.statistic(rows[:1])
    assert metric.bounds is not None
    assert all(
        metric.bounds[0] <= metric.statistic(rows[i : i + 1]) <= metric.bounds[1] + 1e-9 for i in range(4)
    )
    if case.undefined and not case.undefined[0].references:
        assert np.isnan(metric.values(*case.undefined)).all()


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("name", SEVERAL)
def test_several_answers_give_one_score_within_bounds(name: str, kind: str) -> None:
    metric = build(name)
    assert metric.agree is not None
    assert metric.bounds is not None
    assert metric.least_seeds == 2
    for texts in ([ANSWERS[kind], GOOD], [ANSWERS[kind]] * 3, [GOOD, BROKEN, ANSWERS[kind]]):
        assert metric.bounds[0] <= metric.agree(texts, []) <= metric.bounds[1] + 1e-9
        assert metric.agree(texts, []) == metric.agree(texts[::-1], [])


@pytest.mark.parametrize("name", SEVERAL)
def test_equal_answers_score_best_and_a_group_needs_another_item(name: str) -> None:
    metric, grouped = build(name), find(name, {"over": "group"})
    assert metric.agree is not None
    assert grouped.agree is not None
    same, unlike = metric.agree([GOOD, GOOD], []), metric.agree([GOOD, BROKEN], [])
    assert metric.sign * same > metric.sign * unlike
    assert same == metric.bounds[1 if metric.direction == "higher" else 0] if metric.bounds else False
    assert math.isnan(grouped.agree([GOOD, GOOD], []))
    assert grouped.agree([GOOD], [[GOOD]]) == same
    assert grouped.least_seeds == 1


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("name", CONTRASTED)
def test_answers_to_a_pair_give_one_score_within_bounds(name: str, kind: str) -> None:
    metric = build(name)
    pair = [dataclasses.replace(PLAIN, id=item, group="pair") for item in "ab"]
    alone = dataclasses.replace(PLAIN, id="c", group="other")
    outputs = [Output("a", 0, ANSWERS[kind]), Output("b", 0, GOOD), Output("c", 0, GOOD)]
    one, *twin_and_alone = (found.value for found in of_outputs([*pair, alone], outputs, metric))
    assert metric.bounds is not None
    assert metric.bounds[0] <= one <= metric.bounds[1]
    assert all(map(math.isnan, twin_and_alone))


@pytest.mark.parametrize("name", ["nll", "choice", "minimal_pair", "preference"])
def test_likelihood_metrics_prefer_likely_references(name: str) -> None:
    metric = build(name)
    assert metric.needs != "generation"
    assert metric.asks is not None
    assert metric.combine is not None
    asks = metric.asks(ASKED)
    first_likely = [(-1.0, 2), (-8.0, 2)][: len(asks)]
    first_unlikely = [(-9.0, 2), (-2.0, 2)][: len(asks)]
    good, bad = metric.combine(ASKED, first_likely), metric.combine(ASKED, first_unlikely)
    assert metric.sign * good > metric.sign * bad
    assert metric.asks(NOTHING) == []


@pytest.mark.parametrize("name", ["nll", "choice", "bias_gap"])
def test_no_token_no_likelihood(name: str) -> None:
    metric = build(name)
    assert metric.asks is not None
    assert metric.combine is not None
    assert math.isnan(metric.combine(ASKED, [(-1.0, 0)] * len(metric.asks(ASKED))))


@pytest.mark.parametrize("name", CASES)
def test_an_unknown_option_is_refused(name: str) -> None:
    with pytest.raises(MetricError, match="no_such_option: unknown option"):
        find(name, {**CASES[name].options, "no_such_option": 1})


def test_bounds_turn_round_with_the_direction() -> None:
    assert build("coverage").oriented_bounds == (0.0, 1.0)
    assert find("sentiment", {"toward": "negative"}).oriented_bounds == (-1.0, 1.0)
    assert build("repetition").oriented_bounds == (-1.0, 0.0)
    assert build("nll").oriented_bounds is None
