"""The kind watermark beside what the contract's tests show: synthid, models that cannot be marked, its file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.adjust import made
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.stack import Stack
from trimtab.adjust.watermark import Watermark, drawn
from trimtab.errors import ModelError, RunError
from trimtab.guidelines import parse
from trimtab.model.decoding import Row, decode
from trimtab.model.load import prompt_ids
from trimtab.model.watermark import evidence
from trimtab.records import Example, Message, Output, Question, Report, Sampling

ITEM = [Example((Message("user", "Say tea."),), id="tea")]
WARM = Sampling(max_new_tokens=40, temperature=1.0)


class Service:
    """A model that is asked, and draws its tokens itself."""

    name = "openai:it@http://there"

    def answer(self, questions: list[Question], report: Report | None = None) -> list[Output]:
        return [Output(q.example, q.seed, "yes") for q in questions]


def test_synthid_is_on_or_off() -> None:
    base = made.base()
    found = drawn(base, "synthid", "a secret of the owner's")
    assert found == drawn(base, "synthid", "a secret of the owner's")
    assert 0.5 * found == found
    assert found.scaled(0).scaled(3).strength == 0
    with Stack((found,)).attach(base) as generate, Stack().attach(base) as plain:
        assert generate(ITEM, WARM) != plain(ITEM, WARM)
        cold = dataclasses.replace(WARM, temperature=0.0)
        assert generate(ITEM, cold) == plain(ITEM, cold)
    with Stack((found.scaled(0),)).attach(base) as generate:
        assert generate(ITEM, WARM) == plain(ITEM, WARM)
    assert {"scheme", "key", "ngram", "depth"} == found.describe().settings.keys()


@pytest.mark.parametrize("scheme", ["green-list", "synthid"])
def test_a_mark_is_found_and_grows_with_the_strength(scheme: str) -> None:
    base = made.base()
    found = drawn(base, scheme, "a secret of the owner's")  # type: ignore[arg-type]
    prompt = tuple(prompt_ids(base.tokenizer, ITEM[0].messages))

    def z(strength: float) -> float:
        rows = [Row(prompt, seed, found.scaled(strength).sampling(WARM)) for seed in range(4)]
        for _ in decode(base, rows):
            pass
        seen = [evidence(found.mark, row.tokens) for row in rows]
        n = sum(len(one.values) for one in seen)
        return float((sum(one.values.sum() for one in seen) - n * seen[0].mean) / (seen[0].sd * n**0.5))

    values = [z(strength) for strength in ((0, 0.5, 2) if scheme == "green-list" else (0, 1))]
    assert values == sorted(values)
    assert abs(values[0]) < 4
    assert values[-1] > 6


def test_of_two_the_later_counts_and_everything_that_is_drawn_is_marked() -> None:
    base = made.base()
    one, other = (drawn(base, "green-list", secret, bias=8.0) for secret in ("the first", "the second"))
    with Stack((other,)).attach(base) as generate, Stack((one, other)).attach(base) as both:
        assert generate(ITEM, WARM) == both(ITEM, WARM)
    rules = parse({"rules": [{"id": "no", "text": "No.", "reject": {"pattern": ".", "fallback": "None."}}]})
    asked = Question("a", ITEM[0].messages, WARM)
    under = Stack((one, Decoding({"temperature": 0.5}), Postprocess(rules))).adjustments
    question = asked
    for adjustment in reversed(under):
        question = adjustment.asked(question)
    assert question.sampling.mark == one.mark
    assert question.sampling.temperature == 0.5


def test_models_that_cannot_be_marked_are_refused() -> None:
    base = made.base()
    found = drawn(base, "green-list")
    with pytest.raises(ModelError, match="a service that draws its tokens itself"):
        Stack((found,)).attach(Service()).__enter__()
    smaller = Watermark(dataclasses.replace(found.mark, vocabulary=100))
    with pytest.raises(ModelError, match="a vocabulary of 100 tokens"):
        Stack((Decoding({}), smaller)).attach(base).__enter__()
    with pytest.raises(ModelError, match="vocabulary of 100"):
        Stack((smaller,)).changes(base)


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"bias": 0.0}, {"key": "x"}, {"ngram": 1}, {"depth": 65}])
def test_what_no_mark_can_be_made_of_is_refused(wrong: dict[str, object]) -> None:
    mark = dataclasses.replace(drawn(made.base(), "synthid").mark, **wrong)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="not allowed") as raised:
        Watermark(mark)
    assert mark.key not in raised.value.message or mark.key == "x"


def test_the_key_lies_in_its_file_for_the_owner_alone(tmp_path: Path) -> None:
    found = drawn(made.base(), "green-list")
    Stack((found,)).save(tmp_path)
    path = tmp_path / "adjustment-0" / "watermark.json"
    assert json.loads(path.read_text())["key"] == found.mark.key
    assert path.stat().st_mode & 0o077 == 0
    assert found.mark.key not in (tmp_path / "stack.json").read_text()
    assert drawn(made.base(), "green-list").mark.key != found.mark.key
