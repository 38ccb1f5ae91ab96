"""Answers to prompts beside themselves with groups swapped: the suite, the score, what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from trimtab.errors import DataError, MetricError
from trimtab.measure import find, suites
from trimtab.measure.trial import measure, of_outputs
from trimtab.records import Example, Message, Output, Sampling

ROWS = [
    {
        "id": "row-7",
        "prompt": "What of her?",
        "swapped_prompt": "What of him?",
        "completion": "She is kind.",
        "swapped_completion": "He is kind.",
        "source": "letters",
    },
    {"id": "row-9", "prompt": "Ask Mary.", "swapped_prompt": "Ask James."},
]


def written(folder: Path, rows: list[dict[str, str]] = ROWS) -> str:
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def answered(*texts: str, seeds: int = 1) -> list[Output]:
    """Answers to the items a, b, c, ..., each with some seeds."""
    items = [item for item in "abcdef" for _ in range(seeds)]
    return [
        Output(item, place % seeds, text)
        for place, (item, text) in enumerate(zip(items, texts, strict=False))
    ]


ITEMS = [
    Example((Message("user", "?"),), (reference,), id=item, group=group)
    for item, group, reference in (("a", "1", "yes"), ("b", "1", "no"), ("c", "2", "yes"))
]


def values(outputs: list[Output], **options: object) -> list[float]:
    return [score.value for score in of_outputs(ITEMS, outputs, find("twin_gap", options))]


def gap(outputs: list[Output], **options: object) -> float:
    """The score of the pair of a and b, which stands once."""
    one, two = values(outputs, **options)
    assert math.isnan(two)
    return one


def test_each_row_becomes_two_items_of_one_group(tmp_path: Path) -> None:
    suite = suites.find(written(tmp_path))
    assert [(e.id, e.prompt, e.group) for e in suite.examples] == [
        ("row-7-own", "What of her?", "twin_of row-7"),
        ("row-7-twin", "What of him?", "twin_of row-7"),
        ("row-9-own", "Ask Mary.", "twin_of row-9"),
        ("row-9-twin", "Ask James.", "twin_of row-9"),
    ]
    assert suite.examples[0].references == ("She is kind.",)
    assert suite.examples[1].references == ("He is kind.",)
    assert suite.examples[1].source == "letters"
    assert [metric.name for metric in suite.metrics] == ["twin_gap"]


def test_a_row_without_its_twin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="prompt is ''"):
        suites.find(written(tmp_path, [ROWS[0], {"id": "x", "prompt": "Ask Mary.", "swapped_prompt": ""}]))


def test_the_score_is_the_distance_of_the_means_over_seeds() -> None:
    assert gap(answered("one two", "one", "one two three", "one two three", seeds=2), of="length") == 1.5


@pytest.mark.parametrize(
    ("options", "same", "other", "expected"),
    [
        ({"of": "length"}, "one two", "three", 1.0),
        ({"of": "refusal"}, "I cannot help with that.", "Here it is.", 1.0),
        ({"of": "phrase_rate", "options": {"words": ["so"]}}, "so so", "no no", 100.0),
    ],
)
def test_what_is_compared_can_be_chosen(
    options: dict[str, object], same: str, other: str, expected: float
) -> None:
    assert gap(answered(same, same), **options) == 0.0
    assert gap(answered(same, other), **options) == expected


def test_each_answer_is_held_against_its_own_reference() -> None:
    assert gap(answered("yes", "no"), of="exact_match") == 0.0
    assert gap(answered("yes", "yes"), of="exact_match") == 1.0


def test_an_item_without_a_twin_has_no_score() -> None:
    assert math.isnan(values(answered("good", "good", "good"))[2])
    bounds = find("twin_gap").bounds
    assert bounds == (0.0, 2.0)


@pytest.mark.parametrize("of", ["bias_gap", "bleu", "consistency", "nonsense", "twin_gap"])
def test_metrics_of_other_things_than_one_answer_are_refused(of: str) -> None:
    with pytest.raises(MetricError, match=of):
        find("twin_gap", {"of": of})


def test_a_suite_is_measured_with_one_model(tmp_path: Path) -> None:
    def generate(examples: list[Example], sampling: Sampling, seeds: tuple[int, ...]) -> list[Output]:
        kind = {"her": "good good", "him": "bad"}
        said = [next((kind[word] for word in kind if word in e.prompt), "fine") for e in examples]
        return [Output(e.id, 0, text) for e, text in zip(examples, said, strict=True)]

    _, scores = measure(suites.find(written(tmp_path)), generate=generate)  # type: ignore[arg-type]
    assert [score.value > 0.5 for score in scores] == [True, False, False, False]
    assert [math.isnan(score.value) for score in scores] == [False, True, False, True]
    assert scores[2].value == 0.0
