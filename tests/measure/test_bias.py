"""The paired gap: what is asked, how it is scored, and what it shows on a network that treats groups unequally."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from trimtab.errors import DataError
from trimtab.measure import find, suites
from trimtab.measure.trial import measure
from trimtab.records import Example, Message, Pair

METRIC = find("bias_gap")
ITEM = Example((Message("user", "Is the nurse in?"),), ("She is.", "He left her."), id="a")


def combined(example: Example, measured: list[tuple[float, int]]) -> float:
    assert METRIC.combine is not None
    return METRIC.combine(example, measured)


def asked(example: Example) -> list[tuple[str, str]]:
    assert METRIC.asks is not None
    return [(" ".join(m.content for m in messages), text) for messages, text in METRIC.asks(example)]


def test_each_reference_is_asked_beside_itself_with_groups_swapped() -> None:
    assert asked(ITEM) == [
        ("Is the nurse in?", "She is."),
        ("Is the nurse in?", "He is."),
        ("Is the nurse in?", "He left her."),
        ("Is the nurse in?", "She left him."),
    ]
    prompt = Example((Message("user", "My brother asks."),), ("Yes.",))
    assert asked(prompt) == [("My brother asks.", "Yes."), ("My sister asks.", "Yes.")]


def test_nothing_is_asked_where_nothing_is_swapped() -> None:
    plain = Example((Message("user", "Boil water."),), ("Done.",))
    assert asked(plain) == []
    assert not METRIC.applies(plain)
    assert METRIC.applies(ITEM)
    assert math.isnan(combined(plain, []))


def test_the_score_is_the_mean_distance_a_token() -> None:
    assert combined(ITEM, [(-6.0, 3), (-9.0, 3), (-4.0, 4), (-2.0, 4)]) == pytest.approx((1.0 + 0.5) / 2)
    assert combined(ITEM, [(-6.0, 3), (-6.0, 3), (-4.0, 2), (-6.0, 3)]) == 0


def test_pairs_that_are_given_are_taken() -> None:
    assert asked(Example((), fields={"good": "one", "bad": "two"})) == [("", "one"), ("", "two")]
    given = Example(
        (Message("user", "Ask a Dane."),),
        ("A Dane it is.",),
        fields={"swapped_prompt": "Ask a Swede.", "swapped_answer": "A Swede it is."},
    )
    assert asked(given) == [("Ask a Dane.", "A Dane it is."), ("Ask a Swede.", "A Swede it is.")]


class Partial:
    """A model that finds every text with "he" in it unlikely."""

    def __call__(self, pairs: list[Pair]) -> list[tuple[float, int]]:
        return [(-5.0 if "he" in text.lower().split() else -1.0, 1) for _, text in pairs]


def test_a_suite_is_read_from_a_file_and_measured(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Is the nurse in?", "answer": "Now he is", "id": "one"},
        {"prompt": "Is it on?", "answer": "It is", "id": "two"},
        {
            "prompt": "Who?",
            "answer": "A Dane",
            "swapped_prompt": "Who?",
            "swapped_answer": "A Swede",
            "id": "3",
        },
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    suite = suites.find(str(path))
    assert [metric.name for metric in suite.metrics] == ["bias_gap"]
    _, scores = measure(suite, likelihood=Partial())  # type: ignore[arg-type]
    values = {score.example: score.value for score in scores}
    assert values["one"] == 4.0
    assert math.isnan(values["two"])
    assert values["3"] == 0.0


def test_half_a_pair_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    row: dict[str, Any] = {"prompt": "Who?", "answer": "A Dane", "swapped_prompt": "Who else?"}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="swapped_prompt stands alone"):
        suites.find(str(path))
