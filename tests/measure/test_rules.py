"""The metric of content rules agrees with the edits of the same rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from trimtab.errors import GuidelinesError, MetricError
from trimtab.guidelines import load
from trimtab.measure import find
from trimtab.records import Example

FILE = Path(__file__).parents[1] / "contract" / "guidelines.yaml"
ITEM = Example((), id="x")


def score(text: str, **options: object) -> float:
    found = find("guidelines", {"file": str(FILE), **options}).score
    assert found is not None
    return found(ITEM, text)


def test_an_answer_keeps_all_rules_or_does_not() -> None:
    assert score("A kettle.") == 1
    assert score("Wow, a kettle.") == 0
    assert score("Wow!! A kettle. Wow.", count="violations") == 3
    assert score("Wow!!", rules=["short"]) == 1
    assert find("guidelines", {"file": str(FILE), "count": "violations"}).direction == "lower"


def test_what_is_edited_scores_full() -> None:
    for text in ("Wow!! A kettle.", "word " * 700, "", "!!"):
        assert score(load(FILE).apply(text)[0]) == 1


def test_unknown_rules_and_files_are_refused() -> None:
    with pytest.raises(MetricError, match=r"no rule 'clam' in .*; did you mean calm"):
        score("x", rules=["clam"])
    with pytest.raises(GuidelinesError, match="no such file"):
        find("guidelines", {"file": "none.yaml"})
    with pytest.raises(MetricError, match="file: missing"):
        find("guidelines")
