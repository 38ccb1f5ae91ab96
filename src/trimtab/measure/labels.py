"""Answers that are a label or a ranked list: accuracy, F1, false-positive rate, precision at k."""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
from pydantic import Field

from trimtab.errors import MetricError
from trimtab.language.text import normal
from trimtab.measure.contract import Metric, ratio
from trimtab.records import NAN, Example

Labels = Annotated[list[str], Field(min_length=1)]
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d{1,3}[.):])\s+")


def accuracy(*, labels: Labels | None = None) -> Metric:
    """1 if the answer's label is the right one, else 0; higher is better.

    Question: is the label right?
    Limits: with unequal classes, always naming the commonest one scores well.
    The right label is fields["label"], else the first reference; nan without one. With `labels` the answer's
    label is the one that it names first, else its whole first line.
    """

    def score(example: Example, text: str) -> float:
        right = gold(example)
        return float(predicted(text, labels) == right) if right else NAN

    return Metric(
        name="accuracy",
        unit="share of answers",
        direction="higher",
        question="Is the label right?",
        limits="With unequal classes, always naming the commonest one scores well.",
        bounds=(0.0, 1.0),
        score=score,
    )


def f1(*, positive: str = "", labels: Labels | None = None) -> Metric:
    """F1 of one label (`positive`), or its mean over `labels` (macro F1), 0 to 1, higher is better.

    Question: does the answer find this label where it belongs, and only there?
    Limits: ignores how often other labels are told apart from each other; not a mean over items.
    Sufficient statistics: for each label the true positives, false positives and false negatives.
    The score of an item is 1 if its label is right, else 0. Source: van Rijsbergen 1979, chapter 7:
    2 tp / (2 tp + fp + fn); 0 for a label with no such count.

    Raises:
        MetricError: neither positive nor labels is given.
    """
    if not positive and not labels:
        raise MetricError(
            "metric f1: positive is missing", "give positive: <label>, or labels: [...] for macro F1"
        )
    counted = [normal(positive)] if positive else [normal(label) for label in labels or ()]

    def score(example: Example, text: str) -> float:
        right = gold(example)
        return float(predicted(text, labels) == right) if right else NAN

    def values(example: Example, text: str) -> tuple[float, ...]:
        right, named = gold(example), predicted(text, labels)
        if not right:
            return (NAN,) * (3 * len(counted))
        cells: list[float] = []
        for label in counted:
            cells += [named == label == right, named == label != right, named != label == right]
        return tuple(float(cell) for cell in cells)

    return Metric(
        name="f1",
        unit="F1, 0 to 1",
        direction="higher",
        question=f"Does the answer find {positive or 'each label'} where it belongs, and only there?",
        limits="Ignores how well the other labels are told apart; not a mean over items.",
        bounds=(0.0, 1.0),
        score=score,
        values=values,
        statistic=corpus_f1,
    )


def corpus_f1(rows: np.ndarray) -> float:
    """Mean over labels of 2 tp / (2 tp + fp + fn), from rows (n, 3 labels) of tp, fp, fn."""
    true, false, missed = rows.sum(axis=0).reshape(-1, 3).T
    whole = 2 * true + false + missed
    if np.isnan(whole).any():
        return NAN
    return float(np.mean(2 * true / np.where(whole > 0, whole, 1.0)))


def false_positive_rate(*, positive: str, labels: Labels | None = None) -> Metric:
    """Share of the items of another label that are given the label `positive`, 0 to 1, lower is better.

    Question: how often is the label raised where it does not belong?
    Limits: 0 for an answer that never raises it, so read it beside accuracy or F1.
    Sufficient statistics: false positive (0 or 1), negative item (0 or 1). The score of an item whose right
    label is `positive` is nan. Source: fp / (fp + tn).
    """
    alarm = normal(positive)

    def score(example: Example, text: str) -> float:
        right = gold(example)
        return float(predicted(text, labels) == alarm) if right and right != alarm else NAN

    def values(example: Example, text: str) -> tuple[float, ...]:
        right = gold(example)
        if not right:
            return (NAN, NAN)
        negative = right != alarm
        return float(negative and predicted(text, labels) == alarm), float(negative)

    return Metric(
        name="false_positive_rate",
        unit="share of negative items",
        direction="lower",
        question=f"How often is {positive} raised where it does not belong?",
        limits="0 for an answer that never raises it, so read it beside accuracy or F1.",
        bounds=(0.0, 1.0),
        score=score,
        values=values,
        statistic=lambda rows: ratio(float(rows[:, 0].sum()), float(rows[:, 1].sum())),
    )


def precision_at_k(*, k: Annotated[int, Field(ge=1, le=1000)] = 5) -> Metric:
    """Share of a ranked answer's first k entries that are among the references, 0 to 1, higher is better.

    Question: how many of the first k entries are good ones?
    Limits: the order inside the first k, and good entries after them, do not matter; with fewer than k
    references 1 cannot be reached.
    An entry is a line of the answer, less its bullet or number; repeats count once; a missing entry counts as
    wrong. Nan without references. Source: Manning, Raghavan and Schuetze 2008, section 8.4.
    """

    def score(example: Example, text: str) -> float:
        good = {normal(reference) for reference in example.references} - {""}
        entries = (normal(_BULLET.sub("", line)) for line in text.splitlines())
        first = list(dict.fromkeys(entry for entry in entries if entry))[:k]
        return sum(entry in good for entry in first) / k if good else NAN

    return Metric(
        name="precision_at_k",
        unit=f"share of the first {k}",
        direction="higher",
        question=f"How many of the first {k} entries are good ones?",
        limits="Order inside the first k, and good entries after them, do not matter.",
        bounds=(0.0, 1.0),
        score=score,
    )


def gold(example: Example) -> str:
    """The right label of an item, normalised; empty where it has none."""
    label = example.fields.get("label")
    return (
        normal(str(label))
        if label is not None
        else normal(example.references[0])
        if example.references
        else ""
    )


def predicted(text: str, labels: list[str] | None) -> str:
    """The label that an answer gives, normalised: the first one named of `labels`, else its first line."""
    if labels is None:
        line = next((line for line in text.splitlines() if line.strip()), "")
        return normal(line).strip(" .!?:;\"'*`")
    whole, known = normal(text), [normal(label) for label in labels]
    places = []
    for label in known:
        match = re.search(rf"(?<!\w){re.escape(label)}(?!\w)", whole)
        if match:
            places.append((match.start(), -len(label), label))
    return min(places)[2] if places else ""
