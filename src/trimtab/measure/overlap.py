"""Overlap with references: BLEU, chrF, ROUGE-L and exact match."""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import numpy as np

from trimtab.language.text import ngrams, normal
from trimtab.measure.contract import Metric, optional, ratio
from trimtab.records import NAN, Example

ORDERS = 6
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def bleu(
    *, lowercase: bool = False, tokenize: Literal["13a", "none", "intl", "char", "zh"] = "13a"
) -> Metric:
    """Corpus BLEU-4 against all references, 0 to 100 points, higher is better.

    Question: how many word n-grams of the answers stand in the references?
    Limits: blind to meaning; a good rewording scores low; figures of different tokenisations do not compare.
    `tokenize` is sacrebleu's: 13a is that of NIST's mteval-v13a, none takes the data's own tokens.
    Sufficient statistics of an item: answer length, closest reference length, matches of order 1 to 4,
    n-grams of order 1 to 4, all in tokens. An item's score is its sentence BLEU over the orders
    that it has.
    Source: Papineni et al. 2002, section 2.3; Post 2018 (sacrebleu, exponential smoothing).

    Raises:
        MissingPart: sacrebleu is not installed.
    """
    scorer: Any = None

    def sentence(example: Example, text: str) -> Any:
        nonlocal scorer
        if scorer is None:
            scorer = optional("sacrebleu.metrics").BLEU(
                lowercase=lowercase, tokenize=tokenize, effective_order=True
            )
        return scorer.sentence_score(text, list(example.references))

    def score(example: Example, text: str) -> float:
        return float(sentence(example, text).score) if example.references else NAN

    def values(example: Example, text: str) -> tuple[float, ...]:
        if not example.references:
            return (NAN,) * 10
        found = sentence(example, text)
        return tuple(float(v) for v in (found.sys_len, found.ref_len, *found.counts, *found.totals))

    return Metric(
        name="bleu",
        unit="points, 0 to 100",
        direction="higher",
        question="How many word n-grams of the answers stand in the references?",
        limits="Blind to meaning: a good rewording scores low, and one wrong word costs little.",
        bounds=(0.0, 100.0),
        score=score,
        values=values,
        statistic=corpus_bleu,
    )


def corpus_bleu(rows: np.ndarray) -> float:
    """BLEU in points from sufficient statistics (n, 10): answer and reference length, matches, n-grams.

    An order without a match counts 1 / 2^i of an n-gram, i its rank among such orders (sacrebleu's "exp").
    Source: Papineni et al. 2002, section 2.3.
    """
    total = rows.sum(axis=0)
    length, reference, matches, counts = total[0], total[1], total[2:6], total[6:10]
    if np.isnan(total).any():
        return NAN
    if matches[0] == 0:
        return 0.0
    logs, halving = 0.0, 1.0
    for match, count in zip(matches, counts, strict=True):
        if count == 0:
            return 0.0
        if match == 0:
            halving *= 2.0
        logs += math.log(match / count if match else 1.0 / (halving * count))
    brevity = min(0.0, 1.0 - reference / length)
    return 100.0 * math.exp(brevity + logs / 4.0)


def chrf(*, lowercase: bool = False, level: Literal["item", "corpus"] = "item") -> Metric:
    """chrF2: F-score of character n-grams up to 6, 0 to 100 points, higher is better.

    Question: how much of the references' spelling does the answer reproduce?
    Limits: rewards shared letters, not meaning; long answers that contain the reference lose little.
    With level item (default) the metric is the mean over items of sentence chrF against the best reference;
    with level corpus it is the F-score of the summed counts, whose sufficient statistics an item carries
    (for each order: n-grams of the answer, of the best reference, and matches).
    Source: Popovic 2015, equation 1 with beta 2; sacrebleu's effective order.

    Raises:
        MissingPart: sacrebleu is not installed.
    """
    scorer: Any = None

    def score(example: Example, text: str) -> float:
        nonlocal scorer
        if not example.references:
            return NAN
        if scorer is None:
            scorer = optional("sacrebleu.metrics").CHRF(lowercase=lowercase)
        return float(scorer.sentence_score(text, list(example.references)).score)

    def values(example: Example, text: str) -> tuple[float, ...]:
        if not example.references:
            return (NAN,) * (3 * ORDERS)
        fold = str.lower if lowercase else str
        rows = [_character_counts(fold(text), fold(reference)) for reference in example.references]
        return max(rows, key=lambda row: corpus_chrf(np.array([row])))

    corpus = level == "corpus"
    return Metric(
        name="chrf",
        unit="points, 0 to 100",
        direction="higher",
        question="How much of the references' spelling does the answer reproduce?",
        limits="Rewards shared letters, not shared meaning; a wrong number costs a few characters.",
        bounds=(0.0, 100.0),
        score=score,
        values=values if corpus else None,
        statistic=corpus_chrf if corpus else None,
    )


def corpus_chrf(rows: np.ndarray) -> float:
    """chrF2 in points from sufficient statistics (n, 18): answer, reference and matching n-grams by order.

    Precision and recall are averaged over the orders that both sides have. Source: Popovic 2015, equation 1.
    """
    total = rows.sum(axis=0).reshape(ORDERS, 3)
    if np.isnan(total).any():
        return NAN
    used = total[(total[:, 0] > 0) & (total[:, 1] > 0)]
    if len(used) == 0:
        return 0.0
    precision = float((used[:, 2] / used[:, 0]).mean())
    recall = float((used[:, 2] / used[:, 1]).mean())
    return 100.0 * ratio(5.0 * precision * recall, 4.0 * precision + recall, empty=0.0)


def _character_counts(text: str, reference: str) -> tuple[float, ...]:
    answer, wanted = list("".join(text.split())), list("".join(reference.split()))
    found: list[float] = []
    for order in range(1, ORDERS + 1):
        ours, theirs = ngrams(answer, order), ngrams(wanted, order)
        found += [float(ours.total()), float(theirs.total()), float((ours & theirs).total())]
    return tuple(found)


def rouge_l(*, stem: bool = False) -> Metric:
    """ROUGE-L F1 against the best reference, 0 to 100 points, higher is better.

    Question: how long is the longest word sequence that answer and reference share in order?
    Limits: blind to meaning; letters outside a-z and digits are dropped, so it is of no use for other scripts
    (nan where a reference has no such letter).
    Source: Lin 2004, equations 2 to 4 with beta 1; the package rouge-score.

    Raises:
        MissingPart: rouge-score is not installed.
    """
    scorer: Any = None

    def score(example: Example, text: str) -> float:
        nonlocal scorer
        usable = [reference for reference in example.references if re.search(r"[a-z0-9]", reference.lower())]
        if not usable:
            return NAN
        if scorer is None:
            scorer = optional("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=stem)
        return 100.0 * float(scorer.score_multi(usable, text)["rougeL"].fmeasure)

    return Metric(
        name="rouge_l",
        unit="points, 0 to 100",
        direction="higher",
        question="How long is the longest word sequence that answer and reference share in order?",
        limits="Blind to meaning, and to every letter outside a-z and the digits.",
        bounds=(0.0, 100.0),
        score=score,
    )


def exact_match(
    *, ignore_case: bool = False, take: Literal["all", "first_line", "last_number"] = "all"
) -> Metric:
    """1 if the answer equals a reference, else 0; higher is better.

    Question: is the answer one of the references?
    Limits: a right answer in other words counts as wrong.
    Outer and repeated white space never matters. `take` compares only the first line, or the last number
    (commas for thousands dropped, so 1,200.0 equals 1200), as is usual for sums explained in steps.
    """

    def key(text: str) -> str:
        if take == "last_number":
            numbers = _NUMBER.findall(text)
            return f"{float(numbers[-1].replace(',', '')):g}" if numbers else ""
        if take == "first_line":
            text = next((line for line in text.splitlines() if line.strip()), "")
        return normal(text) if ignore_case else " ".join(text.split())

    def score(example: Example, text: str) -> float:
        wanted = {key(reference) for reference in example.references} - {""}
        return float(key(text) in wanted) if wanted else NAN

    return Metric(
        name="exact_match",
        unit="share of answers",
        direction="higher",
        question="Is the answer one of the references?",
        limits="A right answer in other words counts as wrong.",
        bounds=(0.0, 1.0),
        score=score,
    )
