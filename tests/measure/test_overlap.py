"""Overlap metrics against second implementations and against the packages' own corpus scores."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import sacrebleu

from tests.reference import overlap as reference
from trimtab.measure import Metric, find
from trimtab.records import Example

TEXTS = [
    ("The kettle holds 1.7 l of water.", ["The kettle has a capacity of 1.7 l.", "It holds 1.7 l."]),
    ("A well-made lamp, in white.", ["A lamp in white; well-made."]),
    ("Nothing shared here", ["Quite other words stand there."]),
    ("Prices: from $10 to $20 (2-3 days).", ["Prices from $10 to $20, 2-3 days.", "It costs $10 to $20."]),
    ("the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
]


def rows(metric: Metric, texts: list[tuple[str, list[str]]]) -> np.ndarray:
    assert metric.values is not None
    return np.array([metric.values(Example((), tuple(good)), answer) for answer, good in texts])


def of(metric: Metric, answer: str, *good: str) -> float:
    assert metric.score is not None
    return metric.score(Example((), good), answer)


@pytest.mark.parametrize("lowercase", [False, True])
def test_bleu_statistics_give_sacrebleus_corpus_score(lowercase: bool) -> None:
    metric = find("bleu", {"lowercase": lowercase})
    assert metric.statistic is not None
    width = max(len(good) for _, good in TEXTS)
    streams = [[good[i] if i < len(good) else None for _, good in TEXTS] for i in range(width)]
    expected = sacrebleu.corpus_bleu([a for a, _ in TEXTS], streams, lowercase=lowercase).score
    assert metric.statistic(rows(metric, TEXTS)) == pytest.approx(expected, abs=1e-9)


def test_bleu_without_a_match_of_high_order_is_smoothed_like_sacrebleu() -> None:
    metric = find("bleu")
    assert metric.statistic is not None
    pair = [TEXTS[1]]
    expected = sacrebleu.corpus_bleu([pair[0][0]], [pair[0][1]]).score
    found = rows(metric, pair)
    assert found[0, 5] == 0  # no four-gram matches, so smoothing is what is tested
    assert metric.statistic(found) == pytest.approx(expected, abs=1e-9)


def e2e(folder: Path) -> list[tuple[str, list[str]]]:
    good = (folder / "e2e_nlg/metrics_devel-conc.txt").read_text("utf-8").strip().split("\n\n")
    answers = (folder / "e2e_nlg/metrics_baseline-output.txt").read_text("utf-8").strip().split("\n")
    return [(answer, block.split("\n")) for answer, block in zip(answers, good, strict=True)]


def test_bleu_of_the_e2e_scorers_example_files(public_data: Path) -> None:
    """The E2E scorer runs mteval-v13a: caseless, closest reference; its page states no figures."""
    texts = e2e(public_data)
    metric = find("bleu", {"lowercase": True})
    assert metric.statistic is not None
    found = metric.statistic(rows(metric, texts))
    assert found == pytest.approx(reference.nist_bleu([a for a, _ in texts], [g for _, g in texts]), abs=1e-9)
    assert found == pytest.approx(72.0293, abs=5e-5)
    cased = find("bleu")
    assert cased.statistic is not None
    assert cased.statistic(rows(cased, texts)) == pytest.approx(67.8306, abs=5e-5)


def test_second_bleu_on_texts_with_all_kinds_of_signs() -> None:
    texts = [
        TEXTS[0],
        TEXTS[3],
        ("Costs 1,200.50 at 'Joe's', 5-6 p.m.", ["It costs 1,200.50 at 'Joe's' at 5-6 p.m."]),
    ]
    metric = find("bleu", {"lowercase": True})
    assert metric.statistic is not None
    second = reference.nist_bleu([a for a, _ in texts], [g for _, g in texts])
    assert metric.statistic(rows(metric, texts)) == pytest.approx(second, abs=1e-9)


def test_bleu_takes_the_datas_own_tokens() -> None:
    own = find("bleu", {"tokenize": "none"})
    assert of(own, "a b c d e .", "a b c d e .") == pytest.approx(100)
    assert of(own, "a b c d e.", "a b c d e .") < of(find("bleu"), "a b c d e.", "a b c d e .")


def test_bleu_of_rows_summed_over_seeds_is_that_of_all_answers() -> None:
    metric = find("bleu")
    assert metric.statistic is not None
    first, second = rows(metric, TEXTS[:2]), rows(metric, [(TEXTS[3][0], TEXTS[0][1]), TEXTS[1]])
    together = metric.statistic(np.concatenate([first, second]))
    assert metric.statistic(first + second) == pytest.approx(together)


@pytest.mark.parametrize(("answer", "good"), TEXTS)
def test_chrf_against_a_second_implementation(answer: str, good: list[str]) -> None:
    expected = max(reference.chrf2(answer, text) for text in good)
    assert of(find("chrf"), answer, *good) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("lowercase", [False, True])
def test_chrf_statistics_give_sacrebleus_corpus_score(lowercase: bool) -> None:
    metric = find("chrf", {"level": "corpus", "lowercase": lowercase})
    assert metric.statistic is not None
    width = max(len(good) for _, good in TEXTS)
    streams = [[good[i] if i < len(good) else None for _, good in TEXTS] for i in range(width)]
    expected = sacrebleu.metrics.CHRF(lowercase=lowercase).corpus_score([a for a, _ in TEXTS], streams).score
    assert metric.statistic(rows(metric, TEXTS)) == pytest.approx(expected, abs=1e-9)


def test_chrf_is_a_mean_over_items_unless_asked_otherwise() -> None:
    assert find("chrf").statistic is None
    assert find("chrf").values is None


@pytest.mark.parametrize(("answer", "good"), TEXTS)
def test_rouge_l_against_a_second_implementation(answer: str, good: list[str]) -> None:
    expected = max(reference.rouge_l(answer, text) for text in good)
    assert of(find("rouge_l"), answer, *good) == pytest.approx(expected, abs=1e-9)


def test_rouge_l_is_undefined_for_other_scripts() -> None:
    assert math.isnan(of(find("rouge_l"), "中文", "中文"))


@pytest.mark.parametrize(
    ("options", "answer", "good", "expected"),
    [
        ({}, "  Tea \n with milk ", "Tea with milk", 1.0),
        ({}, "tea", "Tea", 0.0),
        ({"ignore_case": True}, "tea", "Tea", 1.0),
        ({"take": "first_line"}, "\nParis\nBecause it is.", "Paris", 1.0),
        ({"take": "last_number"}, "48/2 = 24, so 24 + 48 = 72.", "72", 1.0),
        ({"take": "last_number"}, "It is 1,200.0 in all", "1200", 1.0),
        ({"take": "last_number"}, "It is 72, not 71", "72", 0.0),
        ({"take": "last_number"}, "no number", "72", 0.0),
    ],
)
def test_exact_match(options: dict[str, object], answer: str, good: str, expected: float) -> None:
    assert of(find("exact_match", options), answer, good) == expected
