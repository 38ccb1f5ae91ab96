"""Label and ranking metrics, against scikit-learn where it has the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from trimtab.errors import MetricError
from trimtab.measure import find
from trimtab.records import Example

TRUE = ["spam", "ham", "ham", "spam", "news", "ham", "news", "spam"]
NAMED = ["spam", "spam", "ham", "ham", "news", "ham", "ham", "spam"]
LABELS = ["spam", "ham", "news"]


def rows(name: str, options: dict[str, object]) -> float:
    metric = find(name, options)
    assert metric.values is not None
    assert metric.statistic is not None
    table = [
        metric.values(Example((), (right,)), f"It is {named}.")
        for right, named in zip(TRUE, NAMED, strict=True)
    ]
    return metric.statistic(np.array(table))


def test_f1_of_one_label_and_over_labels() -> None:
    one = f1_score([t == "spam" for t in TRUE], [n == "spam" for n in NAMED])
    assert rows("f1", {"positive": "spam", "labels": LABELS}) == pytest.approx(one)
    macro = f1_score(TRUE, NAMED, average="macro")
    assert rows("f1", {"labels": LABELS}) == pytest.approx(macro)
    with pytest.raises(MetricError, match="positive is missing"):
        find("f1")


def test_false_positive_rate() -> None:
    tn, fp, _, _ = confusion_matrix([t == "spam" for t in TRUE], [n == "spam" for n in NAMED]).ravel()
    assert rows("false_positive_rate", {"positive": "Spam", "labels": LABELS}) == pytest.approx(
        fp / (fp + tn)
    )


def test_false_positive_rate_without_negative_items_is_undefined() -> None:
    metric = find("false_positive_rate", {"positive": "spam"})
    assert metric.statistic is not None
    assert math.isnan(metric.statistic(np.zeros((3, 2))))
    with pytest.raises(MetricError, match="positive: missing"):
        find("false_positive_rate")


@pytest.mark.parametrize(
    ("labels", "answer", "expected"),
    [
        (None, " Ham. \nBecause", 1.0),
        (None, "It is ham", 0.0),
        (LABELS, "It is ham, not spam", 1.0),
        (LABELS, "It is spam, not ham", 0.0),
        (LABELS, "hamster", 0.0),
        (["ham", "ham radio"], "ham radio", 0.0),
    ],
)
def test_which_label_an_answer_gives(labels: list[str] | None, answer: str, expected: float) -> None:
    score = find("accuracy", {"labels": labels} if labels else {}).score
    assert score is not None
    assert score(Example((), ("ham",)), answer) == expected


def test_a_label_field_goes_before_the_reference() -> None:
    score = find("accuracy").score
    assert score is not None
    assert score(Example((), ("a long explanation",), fields={"label": "Ham"}), "ham") == 1


@pytest.mark.parametrize(
    ("answer", "k", "expected"),
    [
        ("1. Tea\n2) coffee\n- sand", 3, 2 / 3),
        ("tea\ntea\nsand", 2, 1 / 2),
        ("tea", 5, 1 / 5),
        ("sand\ntea", 1, 0.0),
    ],
)
def test_precision_at_k(answer: str, k: int, expected: float) -> None:
    score = find("precision_at_k", {"k": k}).score
    assert score is not None
    assert score(Example((), ("Tea", "Coffee")), answer) == pytest.approx(expected)
